"""A believable company with a known truth: 澄屿 Clarisle sells skin care and instruments.

`simulate` writes the folder of a customer (requests, files, and beside them truth.json);
`build` plays that customer against a running workspace. Demo, tests and benchmarks all use it.
"""

from touchline.demo.build import Customer, build
from touchline.demo.simulate import SEED, Summary, simulate, yesterday

__all__ = ["SEED", "Customer", "Summary", "build", "simulate", "yesterday"]

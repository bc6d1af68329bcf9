"""What holds for all tests."""

import os

from hypothesis import settings

EXAMPLES = int(os.environ.get("TOUCHLINE_EXAMPLES", "40"))  # of each property that names no number

# How long a case takes says something of the machine and its load: timings belong to bench/.
settings.register_profile("touchline", deadline=None, max_examples=EXAMPLES)
settings.load_profile("touchline")

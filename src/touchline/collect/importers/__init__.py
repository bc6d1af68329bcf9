"""Files → events, conversions, costs, people and rates: read, mapped, checked row by row.

open_table(path, …)   what the file is, and its rows          read
make_plan(…)          which column is which field             mapping
read_events(…) …      rows of the model, or Rejects           events, conversions, costs …
"""

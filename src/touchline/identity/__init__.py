"""Stage 2, evidence → people. Read `resolve.py` first: identity is a function, never a history."""

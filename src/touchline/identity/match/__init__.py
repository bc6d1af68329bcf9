"""Records that share no identifier → suggestions that two are one person. `suggest.py` first."""

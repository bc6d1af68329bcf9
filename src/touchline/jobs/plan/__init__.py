"""The tracking plan beside what came in."""

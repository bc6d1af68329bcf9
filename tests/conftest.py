"""What holds for all tests."""

from hypothesis import settings

# How long a case takes says something of the machine and its load: timings belong to bench/.
settings.register_profile("touchline", deadline=None)
settings.load_profile("touchline")

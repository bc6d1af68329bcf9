"""Touchline: scattered marketing touches become one line per customer, each touch with its worth."""

__version__ = "0.1.0"

"""Touchline: scattered marketing touches become one line per customer, each with its worth."""

__version__ = "0.1.0"

"""Touchpoint makers: what a site's own definitions turn into events or touches."""

"""Credit + costs → the numbers people run a business on."""

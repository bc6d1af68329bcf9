"""Events + people → journeys: touchpoints, conversions, and the paths that lead to them."""

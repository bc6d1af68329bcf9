"""Touchline over HTTP: the collector that receives, the admin API that answers, the supervisor."""

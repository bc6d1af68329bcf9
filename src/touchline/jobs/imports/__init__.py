"""Files and pulled rows on their way into the lake."""

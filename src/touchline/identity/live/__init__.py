"""People kept up as rows come in: what hangs together, in State, with all that was said of it."""

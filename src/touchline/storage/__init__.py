"""The only code that knows an engine: the log, the lake, State, and DuckDB behind Ibis."""

"""The admin API: one file a group of addresses. Routes ask the worker and touch no storage."""

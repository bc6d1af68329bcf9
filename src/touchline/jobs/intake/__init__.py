"""What came in, from requests or files, until it lies in day files, each row exactly once."""

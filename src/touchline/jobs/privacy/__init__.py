"""What somebody may ask of their data, and what the site promised: consent, retention, erasure."""

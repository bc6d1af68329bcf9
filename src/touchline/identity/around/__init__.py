"""What the rows about a few persons say: why they are one, and what a decision would change."""

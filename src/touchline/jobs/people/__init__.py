"""What is asked and decided of people, and what is kept ready for it."""

"""The proving ground: worlds whose truth is known, and what each model says of them."""

"""What only lesson 4 needs."""

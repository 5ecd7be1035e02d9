"""What only a developer sees."""

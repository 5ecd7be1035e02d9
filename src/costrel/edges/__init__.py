"""How a server reaches the application."""

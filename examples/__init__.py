"""Applications that show what Costrel does, each of them whole."""

"""`costrel doctor`: the effects that a move to Costrel has on a Flask application, found without importing it."""

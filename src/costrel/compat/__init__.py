"""Costrel under the names of Flask and Werkzeug."""

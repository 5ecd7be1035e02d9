"""Code that exists only because Flask or Werkzeug has it: packages use it under the names of the original."""

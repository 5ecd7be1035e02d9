"""The application: set-up, lifecycle, blueprints and the class itself."""

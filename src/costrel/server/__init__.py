"""The production server: Granian with workers, and the parts of it that the development server uses too."""

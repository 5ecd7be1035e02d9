"""Swagger UI's files, unchanged. ``SHA256SUMS`` lists their hashes, and ``LICENSE`` is their licence."""

from pathlib import Path

VERSION = "5.35.0"
"""The release of Swagger UI."""

FOLDER = Path(__file__).parent
"""The folder with the files."""

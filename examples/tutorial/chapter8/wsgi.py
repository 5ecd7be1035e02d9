"""The application that `costrel run` and `costrel serve` load."""

from tasks import create_app

app = create_app()

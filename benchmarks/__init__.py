"""Every figure that the project claims, measured beside its peers in the same run: ``python -m benchmarks``."""

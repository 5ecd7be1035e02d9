"""Connections to stores: a deadline for each operation, schema versions, and files that only their owner can read."""

"""Typed views: the signature of a view declares which values it takes and returns."""

"""The error for an application that no API document can be made of."""


class DocumentError(ValueError):
    """Two classes, operations or routes need one name. The message tells which, and how to resolve it."""

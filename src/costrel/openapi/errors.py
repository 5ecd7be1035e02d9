"""The error for an application that cannot be described by an API document."""


class DocumentError(ValueError):
    """Two classes, operations or routes need one name. The message names them, and explains how to resolve it."""

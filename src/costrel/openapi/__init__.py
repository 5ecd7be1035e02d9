"""The API document: OpenAPI 3.1, made from the plans of the typed views."""

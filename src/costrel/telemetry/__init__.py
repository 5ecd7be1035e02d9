"""Logs and traces: the fields of log lines, and spans for OpenTelemetry."""

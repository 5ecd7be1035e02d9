"""Log lines that name their request: a formatter for JSON, a filter for other formats, a processor for structlog."""

from .telemetry.json_lines import JSONFormatter as JSONFormatter
from .telemetry.json_lines import RequestFields as RequestFields
from .telemetry.log_fields import add_request_fields as add_request_fields

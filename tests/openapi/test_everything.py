"""An application that uses every feature: its document is valid and describes its responses."""

import subprocess
import sys
from pathlib import Path

import pytest
from openapi_spec_validator import validate

from costrel.openapi.document import document_of

from .everything import app
from .generated import send

ROOT = Path(__file__).parents[2]


def test_the_document_of_sixty_views_is_valid():
    document = document_of(app)
    validate(document)
    operations = [operation for methods in document["paths"].values() for operation in methods.values()]
    assert len(operations) >= 60
    assert [each["operationId"] for each in operations if not each.get("summary")] == []


@pytest.mark.ci
def test_generated_requests_get_documented_answers(caplog):
    sent, failures = send(app, 1)
    assert failures == {}
    assert sent >= 100
    assert caplog.messages == []


PLAIN = """
import costrel
costrel.install_as_flask()
from openapi_spec_validator import validate
from costrel.app.api_document import OpenAPI
from costrel.openapi.document import document_of
from tests.openapi.plain_flask import make
document = document_of(make(), OpenAPI(untyped=True))
validate(document)
print(sum(map(len, document["paths"].values())), "operations")
"""


def test_the_document_of_plain_flask_views_is_valid():
    command = [sys.executable, "-c", PLAIN]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (found.stderr, found.stdout) == ("", "14 operations\n")

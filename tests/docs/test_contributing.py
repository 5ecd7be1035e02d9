"""CONTRIBUTING's table leads to the code: each linked file defines a name that its row is about."""

import re

import pytest

from .test_pages import ROOT

NAMES = {
    "the order of events during a request": ["lifecycle.py: serve", "lifecycle.py: dispatch"],
    "the values that a view may return": ["response_values.py: make_response"],
    "a setting: its name, type, default or description": ["settings.py: SETTINGS"],
    "the matching of a URL": ["matcher.py: StateMachineMatcher"],
    "a URL converter": ["converters.py: DEFAULT_CONVERTERS"],
    "the building of URLs": ["builder.py: Builder"],
    "a header's grammar": ["grammar.py: parse_options_header"],
    "a check of responses before they are sent": ["gate.py: check_fields", "gate.py: check_status"],
    "conditional and range requests": ["conditional.py: precondition_status", "ranges.py: Range"],
    "the parsing of forms and uploads, and their limits": ["forms.py: FormDataParser"],
    "the attributes of requests and responses": ["request.py: Request", "response.py: Response"],
    "the session cookie": ["interface.py: SessionInterface", "cookie.py: set_cookie"],
    "a session store": ["stores: SqliteStore", "stores: SqliteFile"],
    "JSON": ["json_provider.py: DefaultJSONProvider"],
    "CSRF, CORS, rate limits and security headers": ["guards: CrossSiteCheck", "guards: Limits"],
    "a finding of `costrel check`": ["audit: Finding"],
    "the inputs of typed views": ["inputs.py: Inputs", "signatures.py: signature_of"],
    "the API document": ["document.py: document_of"],
    "the thread or loop in which code runs under ASGI": ["drive.py: Drive", "threads.py: Workers"],
    "WebSockets": ["websocket.py: serve_websocket", "websocket_lifecycle.py: converse"],
    "the start, the replacement and the end of workers": ["supervision.py: Supervisor", "ending.py: Ending"],
    "the access log": ["access_log.py: AccessLog", "output.py: in_background"],
    "the debugger's page": ["page.py: ErrorPage", "hints.py: hints_for"],
    "a command": ["cli: serve_command", "cli: run_command"],
    "a name of Flask or Werkzeug that is missing": ["compat: install_as_flask"],
}
"""For each row, the names that stand in its files and folders."""

ROW = re.compile(r"^\| (.+?) \| (\[.+) \|$", re.MULTILINE)
ROWS = dict(ROW.findall((ROOT / "CONTRIBUTING.md").read_text()))


def test_each_row_has_its_names() -> None:
    assert sorted(NAMES) == sorted(ROWS)


@pytest.mark.parametrize("topic", NAMES)
def test_the_names_are_defined_in_the_linked_files(topic: str) -> None:
    linked = [ROOT / target for target in re.findall(r"\]\(([^)]+)\)", ROWS[topic])]
    missing = []
    for entry in NAMES[topic]:
        place, name = entry.split(": ")
        files = [
            file for path in linked if path.name == place for file in ([path] if path.is_file() else path.rglob("*.py"))
        ]
        definition = re.compile(rf"^((async )?def|class) {name}\b|^{name}(:.*)? = ", re.MULTILINE)
        if not any(definition.search(file.read_text()) for file in files):
            missing.append(entry)
    assert missing == []

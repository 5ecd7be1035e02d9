"""Calls the application of tests/openapi/everything.py with a client that openapi-python-client has generated."""

import io
import json
import sys

from everything_client import Client
from everything_client.api.body import body_struct
from everything_client.api.form import form_a_file
from everything_client.api.result import result_download, result_events, result_lines, result_variants
from everything_client.models import FormAFileBody, Line, Order, Problem, Taken, ValidationProblem
from everything_client.types import UNSET, File

client = Client(base_url=sys.argv[1], raise_on_unexpected_status=True)
seen: dict[str, object] = {}

taken = body_struct.sync_detailed(client=client, body=Order("Ada", [Line("BAR-2019")]), dry=True)
order = taken.parsed
assert isinstance(order, Order)
assert Line("BAR-2019").qty == 1 or Line("BAR-2019").qty is UNSET
seen["success"] = [taken.status_code, order.customer, order.lines[0].qty, order.state]

refused = body_struct.sync_detailed(client=client, body=Order("", [Line("x", qty=0)]))
problem = refused.parsed
assert isinstance(problem, ValidationProblem)
seen["invalid"] = [refused.status_code, [each.pointer for each in problem.errors], [e.code for e in problem.errors]]

missing = result_variants.sync_detailed(9, client=client)
assert isinstance(missing.parsed, Problem)
seen["missing"] = [missing.status_code, missing.parsed.title]
assert isinstance(result_variants.sync(3, client=client), Taken)

file = result_download.sync(client=client, name="bill")
assert isinstance(file, File)
seen["file"] = ["application/pdf", len(file.payload.read())]

photo = FormAFileBody(photo=File(io.BytesIO(b"12345"), "boat.png"))
seen["upload"] = form_a_file.sync(client=client, body=photo)["size"]

seen["stream"] = [event for event in result_events.sync(client=client, count=2).split("\n\n") if event]
seen["lines"] = result_lines.sync(client=client, count=2).splitlines()

print(json.dumps(seen))

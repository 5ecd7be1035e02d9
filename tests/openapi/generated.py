"""Requests that schemathesis generates from an API document, with all its checks; always the same ones."""

from __future__ import annotations

import typing as t

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable

from costrel.testing import schemathesis_schema

if t.TYPE_CHECKING:
    from costrel import Costrel


def send(app: Costrel, examples: int, *, wanted: str = "") -> tuple[int, dict[str, str]]:
    """Send valid and invalid requests to each operation; their number, and the failures by operation.

    `examples` is the number of requests of each kind for an operation; `wanted` is a part of the operation's name.
    """
    from schemathesis import GenerationMode

    schema = schemathesis_schema(app)
    sent = 0
    failures: dict[str, str] = {}
    for result in schema.get_all_operations():
        operation = result.ok()
        if wanted not in operation.label:
            continue
        for mode in GenerationMode:

            def check(case: t.Any) -> None:
                nonlocal sent
                sent += 1
                case.call_and_validate()

            run = given(case=operation.as_strategy(generation_mode=mode))(check)
            try:
                _settings(examples)(run)()
            except Unsatisfiable:
                assert mode is GenerationMode.NEGATIVE, operation.label  # no request of some operations is invalid
            except BaseExceptionGroup as error:
                failures[f"{operation.label} ({mode.value})"] = str(error)
    return sent, failures


def _settings(examples: int) -> settings:
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=[*HealthCheck],
    )

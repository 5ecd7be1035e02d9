"""CPU time of reading and writing HTTP's values, with Werkzeug beside: ``python -m benchmarks.http_values [NAME ...]``.

Prints nanoseconds a call, the best of several rounds, and the ratio. The names are those of the ``PERF:`` comments.
"""

from __future__ import annotations

import sys
import time
import timeit
from typing import Any

import werkzeug.datastructures
import werkzeug.exceptions
import werkzeug.http
import werkzeug.sansio.http
import werkzeug.sansio.utils
import werkzeug.urls

from costrel.http import cookies, errors, headers, hosts, multidict, urls

ROUNDS = 9
SECONDS_A_ROUND = 0.01

PAIRS = [("page", "1"), ("q", "a word"), ("tag", "x"), ("sort", "name")]
MANY_PAIRS = [(f"field{number}", "value") for number in range(100)]
FIELDS = [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", "13"), ("Vary", "Cookie")]
COOKIE = "_ga=GA1.2.3; session=eyJhIjoxfQ.aB.cD-e_f; theme=dark; csrftoken=abcdef; lang=en"

# Each statement sees the names of one peer.
PEERS: dict[str, dict[str, Any]] = {
    "werkzeug": {
        "MultiDict": werkzeug.datastructures.ImmutableMultiDict,
        "Headers": werkzeug.datastructures.Headers,
        "parse_cookie": werkzeug.sansio.http.parse_cookie,
        "dump_cookie": werkzeug.http.dump_cookie,
        "NotFound": werkzeug.exceptions.NotFound,
        "get_host": werkzeug.sansio.utils.get_host,
        "get_current_url": werkzeug.sansio.utils.get_current_url,
        "iri_to_uri": werkzeug.urls.iri_to_uri,
    },
    "costrel": {
        "MultiDict": multidict.ImmutableMultiDict,
        "Headers": headers.Headers,
        "parse_cookie": cookies.parse_cookie,
        "dump_cookie": cookies.dump_cookie,
        "NotFound": errors.NotFound,
        "get_host": hosts.get_host,
        "get_current_url": hosts.get_current_url,
        "iri_to_uri": urls.iri_to_uri,
    },
}
for _names in PEERS.values():
    _names |= {"PAIRS": PAIRS, "MANY_PAIRS": MANY_PAIRS, "FIELDS": FIELDS, "COOKIE": COOKIE}
    _names |= {"form": _names["MultiDict"](PAIRS), "head": _names["Headers"](FIELDS)}

BENCHMARKS = {
    "multidict_of_pairs": "MultiDict(PAIRS)",
    "multidict_of_many_pairs": "MultiDict(MANY_PAIRS)",
    "multidict_get": "form.get('q')",
    "multidict_get_missing": "form.get('nothing')",
    "multidict_get_typed": "form.get('page', type=int)",
    "multidict_item": "form['q']",
    "multidict_getlist": "form.getlist('tag')",
    "headers_of_pairs": "Headers(FIELDS)",
    "headers_get": "head.get('Content-Type')",
    "headers_get_last": "head.get('vary')",
    "headers_get_missing": "head.get('ETag')",
    "headers_set": "head['Content-Length'] = '14'",
    "headers_copy": "head.copy()",
    "parse_cookie": "parse_cookie(COOKIE)",
    "dump_cookie": "dump_cookie('session', 'eyJhIjoxfQ.aB.cD-e_f', httponly=True, samesite='Lax')",
    "error_page": "NotFound().get_body()",
    "host": "get_host('http', 'example.com:8080')",
    "trusted_host": "get_host('http', 'example.com', None, ['.example.com'])",
    "current_url": "get_current_url('http', 'example.com', '', '/a/b', b'c=d')",
    "iri_to_uri": "iri_to_uri('/a/b?c=d')",
}


def nanoseconds(statement: str, names: dict[str, Any]) -> float:
    """CPU time of a statement, the best of ROUNDS."""
    timer = timeit.Timer(statement, timer=time.process_time, globals=names)
    times = 1
    while timer.timeit(times) < SECONDS_A_ROUND:
        times *= 2
    return min(timer.repeat(ROUNDS, times)) / times * 1e9


def main(only: list[str]) -> None:
    for name, statement in BENCHMARKS.items():
        if not only or name in only:
            theirs, ours = (nanoseconds(statement, names) for names in PEERS.values())
            print(f"{name:26} werkzeug {theirs:7.0f} ns   costrel {ours:7.0f} ns   {theirs / ours:5.2f} times")


if __name__ == "__main__":
    main(sys.argv[1:])

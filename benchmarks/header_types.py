"""CPU time of header types and multipart bodies, beside Werkzeug: ``python -m benchmarks.header_types [NAME ...]``.

Prints nanoseconds a call, the best of several rounds, and the ratio. The names are those of the ``PERF:`` comments.
"""

from __future__ import annotations

import sys
from typing import Any

import werkzeug.datastructures
import werkzeug.http
import werkzeug.sansio.http
import werkzeug.sansio.multipart

from benchmarks.http_values import nanoseconds
from costrel.http import accept, authentication, cache_control, conditional, dates, etags, grammar, ranges
from costrel.legacy import multipart

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
OFFERS = ["application/json", "text/html"]
DISPOSITION = 'form-data; name="file"; filename="report.pdf"'
DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
HEAD = b'--b\r\nContent-Disposition: form-data; name="a"; filename="f"\r\n\r\n'
END = b"\r\n--b--\r\n"
FILE = HEAD + bytes(range(256)) * 4096 + END
FIELDS = b"\r\n".join(HEAD + b"value" for _ in range(50)) + END


def decode(module: Any, body: bytes) -> None:
    """Read a body as a form parser does, in pieces of 64 KB."""
    decoder = module.MultipartDecoder(b"b")
    for start in range(0, len(body), 65536):
        decoder.receive_data(body[start : start + 65536])
        while not isinstance(decoder.next_event(), module.NeedData):
            pass
    decoder.receive_data(None)
    decoder.next_event()


# Each statement sees the names of one peer.
PEERS: dict[str, dict[str, Any]] = {
    "werkzeug": {
        name: getattr(werkzeug.http, name)
        for name in (
            "http_date",
            "parse_accept_header",
            "parse_cache_control_header",
            "parse_date",
            "parse_dict_header",
            "parse_etags",
            "parse_list_header",
            "parse_options_header",
            "parse_range_header",
        )
    }
    | {
        "is_resource_modified": werkzeug.sansio.http.is_resource_modified,
        "Authorization": werkzeug.datastructures.Authorization,
        "MIMEAccept": werkzeug.datastructures.MIMEAccept,
        "multipart": werkzeug.sansio.multipart,
    },
    "costrel": {
        "http_date": dates.http_date,
        "parse_accept_header": accept.parse_accept_header,
        "parse_cache_control_header": cache_control.parse_cache_control_header,
        "parse_date": dates.parse_date,
        "parse_dict_header": grammar.parse_dict_header,
        "parse_etags": etags.parse_etags,
        "parse_list_header": grammar.parse_list_header,
        "parse_options_header": grammar.parse_options_header,
        "parse_range_header": ranges.parse_range_header,
        "is_resource_modified": conditional.is_resource_modified,
        "Authorization": authentication.Authorization,
        "MIMEAccept": accept.MIMEAccept,
        "multipart": multipart,
    },
}
for _names in PEERS.values():
    _names |= {"BROWSER": BROWSER, "OFFERS": OFFERS, "DISPOSITION": DISPOSITION, "DATE": DATE}
    _names |= {"FILE": FILE, "FIELDS": FIELDS, "decode": decode}
    _names["accepted"] = _names["parse_accept_header"](BROWSER, _names["MIMEAccept"])

BENCHMARKS = {
    "parse_list": "parse_list_header('Cookie, Accept-Encoding, Origin')",
    "parse_list_quoted": "parse_list_header('\"a, b\", c')",
    "parse_dict": 'parse_dict_header(\'username="u", realm="a b", nc=1\')',
    "parse_options": "parse_options_header(DISPOSITION)",
    "content_type": "parse_options_header('text/html; charset=utf-8')",
    "http_date": "http_date(784111777)",
    "parse_date": "parse_date(DATE)",
    "accept": "parse_accept_header(BROWSER, MIMEAccept)",
    "best_match": "accepted.best_match(OFFERS)",
    "etags": 'parse_etags(\'"abc", W/"def"\')',
    "range": "parse_range_header('bytes=0-499').range_for_length(1000)",
    "cache_control": "parse_cache_control_header('no-cache, max-age=0').max_age",
    "basic_auth": "Authorization.from_header('Basic dXNlcjpwYXNz')",
    "conditions": "is_resource_modified(http_if_none_match='\"x\"', http_if_modified_since=DATE, etag='x')",
    "decode_file": "decode(multipart, FILE)",
    "decode_fields": "decode(multipart, FIELDS)",
}


def main(only: list[str]) -> None:
    for name, statement in BENCHMARKS.items():
        if not only or name in only:
            theirs, ours = (nanoseconds(statement, names) for names in PEERS.values())
            print(f"{name:26} werkzeug {theirs:9.0f} ns   costrel {ours:9.0f} ns   {theirs / ours:5.2f} times")


if __name__ == "__main__":
    main(sys.argv[1:])

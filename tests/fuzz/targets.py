"""The list of targets, with their names and the maximum length of their inputs.

A target is a function of some bytes. It raises where a parser lets through what it must not, and returns otherwise:
errors of HTTP and documented errors of the values are what a parser may answer.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable

from . import addresses, cookies, forms, headers, requests


class Target(t.NamedTuple):
    run: Callable[[bytes], None]
    max_length: int


TARGETS: t.Final = {
    "multipart_events": Target(forms.multipart_events, 1_024),
    "multipart_form": Target(forms.multipart_form, 1_024),
    "both_parsers": Target(forms.both_parsers, 1_024),
    "urlencoded": Target(forms.urlencoded, 1_024),
    "streams": Target(forms.streams, 256),
    "accept": Target(headers.accept, 512),
    "ranges": Target(headers.ranges, 256),
    "etags": Target(headers.etags, 512),
    "dates": Target(headers.dates, 128),
    "credentials": Target(headers.credentials, 512),
    "options": Target(headers.options, 512),
    "lists": Target(headers.lists, 512),
    "cache_control": Target(headers.cache_control, 512),
    "policies": Target(headers.policies, 512),
    "cookies": Target(headers.cookies, 1_024),
    "hosts": Target(addresses.hosts, 256),
    "urls": Target(addresses.urls, 512),
    "routes": Target(addresses.routes, 512),
    "paths": Target(addresses.paths, 256),
    "redirects": Target(addresses.redirects, 256),
    "proxies": Target(addresses.proxies, 512),
    "signed": Target(cookies.signed, 1_024),
    "encrypted": Target(cookies.encrypted, 1_024),
    "tagged_json": Target(cookies.tagged_json, 1_024),
    "json_body": Target(requests.json_body, 1_024),
    "scope": Target(requests.scope, 1_024),
    "application": Target(requests.application, 2_048),
    "outgoing": Target(requests.outgoing, 512),
}

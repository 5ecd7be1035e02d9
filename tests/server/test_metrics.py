"""What is counted, on which page, and how Prometheus reads it."""

import asyncio
import random

import pytest

from costrel import Costrel
from costrel.app.application import Flask
from costrel.edges.scope import ROUTE
from costrel.server import metrics
from costrel.server.access_log import AccessLog
from costrel.server.exposition import exposition
from costrel.server.metrics import BUCKETS, ROWS, UNMATCHED, Counter, Page, ServerMetrics

from ..edges.asgi_call import scope_for


class Worker:
    """A process that runs until it is stopped."""

    alive = True

    def is_alive(self):
        return self.alive


@pytest.fixture(autouse=True)
def _listens_no_longer():
    yield
    metrics.request_started.disconnect(metrics._note_route)


def http(method="GET", route=None):
    return {"type": "http", "method": method, **({ROUTE: route} if route else {})}


def counts_of(page):
    return {row.key: sum(row.counts) for row in page.rows()}


def test_requests_are_told_apart_by_method_route_and_status():
    page = Page()
    counter = Counter(page)
    for scope, status in [(http(route="/a"), 200), (http(route="/a"), 404), (http("POST", "/a"), 200), (http(), 404)]:
        counter.begin("http")
        counter.end(scope, status, 0.01)
    counter.begin("http")
    counter.end(http(route="/a"), 200, 0.01)

    assert counts_of(page) == {
        ("GET", "/a", "200"): 2,
        ("GET", "/a", "404"): 1,
        ("POST", "/a", "200"): 1,
        ("GET", UNMATCHED, "404"): 1,
    }


def test_each_duration_is_in_the_first_bucket_that_holds_it():
    page = Page()
    counter = Counter(page)
    durations = [0.0, 0.001, 0.0011, 10.0, 11.0]
    for seconds in durations:
        counter.end(http(route="/"), 200, seconds)

    (row,) = page.rows()
    assert row.counts == [2, 1, *[0] * (len(BUCKETS) - 3), 1, 1]
    assert row.seconds == pytest.approx(sum(durations))


def test_what_is_in_progress():
    page = Page()
    counter = Counter(page)
    for kind in ("http", "http", "websocket"):
        counter.begin(kind)
    counter.end(http(), 200, 0)

    assert page.now() == (1, 1)


def test_a_new_worker_goes_on_where_the_last_one_ended_and_has_nothing_in_progress():
    page = Page()
    first = Counter(page)
    first.begin("http")
    first.end(http(route="/"), 200, 0.5)
    first.begin("http")
    second = Counter(page)
    second.begin("http")
    second.end(http(route="/"), 200, 0.5)

    assert page.now() == (0, 0)
    assert [(row.key, sum(row.counts), row.seconds) for row in page.rows()] == [(("GET", "/", "200"), 2, 1.0)]


def test_clients_cannot_make_rows_up():
    page = Page()
    counter = Counter(page)
    for number in range(2 * ROWS):
        counter.end(http(f"M{number}"), 405, 0)

    assert counts_of(page) == {("other", UNMATCHED, "405"): 2 * ROWS}
    assert len(counter._cells) == 0


def test_more_routes_than_there_are_rows_are_counted_as_one():
    page = Page()
    counter = Counter(page)
    for number in range(2 * ROWS):
        counter.end(http(route=f"/{number}"), 200, 0)

    counts = counts_of(page)
    assert len(counts) == ROWS
    assert counts["other", "other", "other"] == ROWS + 1
    assert sum(counts.values()) == 2 * ROWS


def test_a_long_route_is_cut_between_two_characters():
    page = Page()
    Counter(page).end(http(route="/" + "ä" * 100), 200, 0)

    assert list(counts_of(page)) == [("GET", "/" + "ä" * 59, "200")]


def test_pages_are_handed_out_to_one_worker_at_a_time():
    metrics = ServerMetrics(1)
    workers, pages = [], []
    while (page := metrics.free_page()) is not None:
        workers.append(Worker())
        pages.append(page)
        metrics.hand_out(page, workers[-1])
    metrics.hand_out(None, Worker())
    workers[3].alive = False

    assert len({id(page) for page in pages}) == len(pages) == 8
    assert metrics.free_page() is pages[3]
    assert (metrics.alive(), metrics.starts) == (7, 9)


def test_workers_are_added_up_and_those_that_are_gone_count_still():
    metrics = ServerMetrics(2)
    workers = [Worker(), Worker()]
    for worker in workers:
        page = metrics.free_page()
        metrics.hand_out(page, worker)
        counter = Counter(page)
        counter.begin("http")
        counter.begin("http")
        counter.end(http(route="/"), 200, 0.25)
    workers[0].alive = False

    (row,) = metrics.rows()
    assert (row.key, sum(row.counts), row.seconds) == (("GET", "/", "200"), 2, 0.5)
    assert metrics.now() == (1, 0)


def test_the_text_that_prometheus_reads():
    metrics = ServerMetrics(1)
    page = metrics.free_page()
    metrics.hand_out(page, Worker())
    counter = Counter(page)
    counter.end(http(route='/say/<any("a\\b"):word>'), 200, 0.2)
    counter.end(http(route='/say/<any("a\\b"):word>'), 500, 20)
    counter.end({"type": "websocket", ROUTE: "/chat"}, 101, 3)
    counter.begin("http")
    counter.begin("http")

    rule = r'route="/say/<any(\"a\\b\"):word>"'
    text = exposition(metrics)
    assert text.splitlines()[:5] == [
        "# HELP costrel_http_requests_total Completed requests.",
        "# TYPE costrel_http_requests_total counter",
        f'costrel_http_requests_total{{method="GET",{rule},status="200"}} 1',
        f'costrel_http_requests_total{{method="GET",{rule},status="500"}} 1',
        "# HELP costrel_http_request_duration_seconds Seconds from the head of a request to the end of its response.",
    ]
    buckets = [line.rpartition(" ")[2] for line in text.splitlines() if "_bucket{" in line]
    assert buckets == ["0"] * 7 + ["1"] * 6 + ["2"]
    for line in (
        f'costrel_http_request_duration_seconds_bucket{{method="GET",{rule},le="0.25"}} 1',
        f'costrel_http_request_duration_seconds_bucket{{method="GET",{rule},le="+Inf"}} 2',
        f'costrel_http_request_duration_seconds_sum{{method="GET",{rule}}} 20.200000',
        f'costrel_http_request_duration_seconds_count{{method="GET",{rule}}} 2',
        'costrel_websockets_total{route="/chat",status="101"} 1',
        "costrel_workers 1",
        "costrel_worker_starts_total 1",
    ):
        assert line in text.splitlines()
    assert text.endswith("\n")


def test_a_reader_sees_no_half_written_row():
    """Rows are read while they come: each has a key, and counts never go back."""
    metrics = ServerMetrics(1)
    page = metrics.free_page()
    counter = Counter(page)
    seen = 0
    for number in range(300):
        counter.end(http(route=f"/{random.Random(number).random()}"), 200, 0)
        rows = page.rows()
        assert all(row.key[1].startswith("/") for row in rows)
        assert len(rows) >= seen
        seen = len(rows)


@pytest.mark.parametrize("kind", [Costrel, Flask])
def test_clients_cannot_make_labels_up(kind):
    app = kind("shop")
    app.add_url_rule("/items/<int:number>", "item", lambda number: "item")
    app.mount("/admin", lambda environ, start_response: start_response("200 OK", []) and [])
    page = Page()
    log = AccessLog(app.asgi, None, counter=Counter(page))

    async def ask(path, method="GET", host="localhost"):
        async def receive():
            await asyncio.Event().wait()  # the client stays

        async def send(message):
            pass

        scope = scope_for(path, method)
        scope["headers"] = [(b"host", host.encode())]
        await log(scope, receive, send)

    async def run():
        for number in range(20):
            await ask(f"/unknown/{number}")
            await ask(f"/items/{number}", host=f"host-{number}.example.org")
            await ask(f"/items/{number}", f"METHOD{number}")
            await ask(f"/admin/{number}")

    asyncio.run(run())

    assert {
        ("GET", UNMATCHED, "404"): 20,
        ("GET", "/items/<int:number>", "200"): 20,
        ("other", UNMATCHED, "405"): 20,
        ("GET", "/admin", "200"): 20,
    } == counts_of(page)

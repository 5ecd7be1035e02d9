"""Two hosts of different releases behind a cache: it never keeps a wrong file for a year, and browsers get theirs."""

import itertools
import random
import threading

from costrel import Costrel
from costrel.services.statics.names import digest_of, split_name

from .conftest import replace


class Cache:
    """A shared cache that does as ``Cache-Control`` says (RFC 9111), in front of hosts that take turns."""

    def __init__(self, *hosts):
        self.clients = [host.test_client() for host in hosts]
        self.turns = itertools.cycle(range(len(hosts)))
        self.stored = {}

    def get(self, path, host=None):
        """The status and the content, stored or from the next host."""
        fresh = self.stored.get(path)
        if fresh is not None:
            return 200, fresh
        client = self.clients[next(self.turns) if host is None else host]
        with client.get(path) as response:
            content = response.data
            control = response.cache_control
            if not control.no_store and not control.no_cache and (control.max_age or 0) > 0:
                self.stored[path] = content
            return response.status_code, content


def release(folder, color, image):
    static = folder / "static"
    static.mkdir(parents=True)
    (static / "app.css").write_text(f"body{{color:{color};background:url(logo.png)}}")
    (static / "logo.png").write_bytes(image)
    (static / "same.js").write_text("same")
    app = Costrel("shop", root_path=str(folder))
    app.add_url_rule(
        "/",
        "page",
        lambda: " ".join(app.url_for("static", filename=name) for name in ("app.css", "logo.png", "same.js")),
    )
    return app


def test_each_page_gets_its_files_sooner_or_later_and_nothing_wrong_is_kept(tmp_path):
    old, new = release(tmp_path / "old", "red", b"old"), release(tmp_path / "new", "blue", b"new")
    cache = Cache(old, new)
    rng = random.Random(7)
    pages = [app.test_client().get("/").text.split() for app in (old, new)]
    assert len({*pages[0], *pages[1]}) == 5  # one file is the same

    for _ in range(200):
        for url in rng.choice(pages):
            status, content = cache.get(url, rng.randrange(2))
            assert status == 200
            if url in cache.stored:
                assert digest_of(content) == split_name(url)[1]

    assert {url for page in pages for url in page} == set(cache.stored)
    assert b"red" in cache.stored[pages[0][0]]
    assert b"blue" in cache.stored[pages[1][0]]


def test_a_file_that_only_the_new_release_has_is_not_missing_for_long(tmp_path):
    old, new = release(tmp_path / "old", "red", b"old"), release(tmp_path / "new", "blue", b"new")
    (tmp_path / "new" / "static" / "added.js").write_text("added")
    with new.test_request_context():
        url = new.url_for("static", filename="added.js")
    cache = Cache(old, new)

    assert cache.get(url, 0)[0] == 404
    assert cache.get(url, 1) == (200, b"added")
    assert cache.get(url, 0) == (200, b"added")


def test_files_that_are_replaced_under_load_are_not_kept_under_a_wrong_name(tmp_path):
    """A deployment in place, while clients ask through a cache for each release."""
    app = release(tmp_path / "site", "red", b"0")
    static = tmp_path / "site" / "static"
    cache, wrong, done = Cache(app), [], threading.Event()

    def browse():
        client = app.test_client()
        while not done.is_set():
            for url in client.get("/").text.split():
                cache.get(url)

    threads = [threading.Thread(target=browse) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(25):
        replace(static / "logo.png", b"%d" % number)
        replace(static / "app.css", b"body{background:url(logo.png)} /* %d */" % number)
    done.set()
    for thread in threads:
        thread.join()

    wrong = [url for url, content in cache.stored.items() if digest_of(content) != split_name(url)[1]]
    assert wrong == []
    assert cache.stored

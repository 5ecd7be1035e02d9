"""Hosts of different releases behind nginx as a shared cache: it stores a file only under the hash of its content."""

import os
import random
import shutil
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest

from costrel import Costrel

from ..faults.keepalive import NGINX_COMMAND
from ..processes import wait_until
from .test_rolling_deployment import release

pytestmark = pytest.mark.skipif(NGINX_COMMAND is None, reason="nginx is not installed (Debian: apt-get install nginx)")

CONFIG = """
{user}
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    proxy_cache_path {folder}/cache keys_zone=files:1m;
    upstream hosts {{ {hosts} }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://hosts;
            proxy_cache files;
            add_header X-Cache $upstream_cache_status;
        }}
    }}
}}
"""


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def served(app: Costrel) -> Iterator[int]:
    """A host with an application; its port."""
    with make_server("127.0.0.1", 0, app, Server, Quiet) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def cached(folder: Path, *ports: int) -> Iterator[int]:
    """nginx, which caches the responses of hosts that take turns; its port."""
    folder.mkdir()
    with make_server("127.0.0.1", 0, lambda *_: []) as free:
        port = free.server_port
    hosts = " ".join(f"server 127.0.0.1:{each} max_fails=0;" for each in ports)
    config = folder / "nginx.conf"
    user = "user root;" if os.geteuid() == 0 else ""  # workers of another user could not write to the folder
    config.write_text(CONFIG.format(user=user, folder=folder, hosts=hosts, port=port))
    process = subprocess.Popen(
        [str(NGINX_COMMAND), "-c", str(config), "-p", str(folder), "-e", str(folder / "start.err")]
    )
    try:
        wait_until(lambda: accepts(port), "nginx accepts connections")
        yield port
    finally:
        process.terminate()
        process.wait(30)


def accepts(port: int) -> bool:
    try:
        get(port, "/")
    except OSError:
        return False
    return True


def get(port: int, path: str) -> tuple[int, dict[str, str], bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
    finally:
        connection.close()


def test_each_stored_file_has_the_content_of_its_name(tmp_path: Path) -> None:
    old, new = release(tmp_path / "old", "red", b"old"), release(tmp_path / "new", "blue", b"new")
    contents = {
        url: app.test_client().get(url).data for app in (old, new) for url in app.test_client().get("/").text.split()
    }
    urls = sorted(contents)
    found: Counter[tuple[str, str, bool]] = Counter()

    with ExitStack() as stack:
        hosts = [stack.enter_context(served(app)) for app in (old, new)]
        port = stack.enter_context(cached(tmp_path / "nginx", *hosts))
        for url in random.Random(7).choices(urls, k=100):
            status, headers, content = get(port, url)
            is_right = contents[url] == content
            found[url, headers["x-cache"], is_right] += 1
            assert status == 200
            assert is_right or headers["cache-control"] == "no-cache"
            assert is_right == ("immutable" in headers["cache-control"])

    assert len(urls) == 5
    assert [] == [key for key in found if key[1] == "HIT" and not key[2]]
    assert set(urls) == {url for url, state, _ in found if state == "HIT"}  # each was stored by one of the hosts


def test_after_the_roll_out_a_browser_with_an_old_page_still_gets_the_stored_files(tmp_path: Path) -> None:
    old, new = release(tmp_path / "old", "red", b"old"), release(tmp_path / "new", "blue", b"new")
    page = old.test_client().get("/").text.split()
    expected = {url: old.test_client().get(url).data for url in page}
    shutil.copytree(tmp_path / "old", tmp_path / "host")
    host = Costrel("shop", root_path=str(tmp_path / "host"))

    with served(host) as behind, cached(tmp_path / "nginx", behind) as port:
        assert expected == {url: get(port, url)[2] for url in page}
        shutil.rmtree(tmp_path / "host" / "static")
        shutil.copytree(tmp_path / "new" / "static", tmp_path / "host" / "static")
        assert expected == {url: get(port, url)[2] for url in page}
        for url in new.test_client().get("/").text.split():
            status, headers, content = get(port, url)
            assert (200, True) == (status, "immutable" in headers["cache-control"])
            assert new.test_client().get(url).data == content

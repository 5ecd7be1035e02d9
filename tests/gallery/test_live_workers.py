"""Messages to one worker process reach the visitors of the others through Redis."""

import contextlib
import http.client
import json
import re
import socket
from pathlib import Path

import pytest
from websockets.sync.client import ClientConnection, connect

from .conftest import RUN, SERVE, Served, costrel, serving

pytestmark = pytest.mark.ci

PATIENCE = 30
MOST = 60
FORM = {"Content-Type": "application/x-www-form-urlencoded"}

needs_proc = pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="looks up connections in /proc")


def sign_up(gallery: Served, name: str) -> str:
    """Make an account; its cookie."""
    connection = http.client.HTTPConnection("127.0.0.1", gallery.port, timeout=PATIENCE)
    with contextlib.closing(connection):
        connection.request("POST", "/sign-up", f"name={name}&password=a+long+password", FORM)
        return connection.getresponse().headers["Set-Cookie"].partition(";")[0]


def comment(gallery: Served, cookie: str, text: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", gallery.port, timeout=PATIENCE)
    with contextlib.closing(connection):
        connection.request("POST", "/picture/1/comments", f"text={text}", FORM | {"Cookie": cookie})
        assert connection.getresponse().status == 302


class Feed:
    """One open stream of the feed."""

    def __init__(self, gallery: Served, last: str | None = None) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", gallery.port, timeout=PATIENCE)
        self.connection.request("GET", "/live/feed", headers={"Last-Event-ID": last} if last else {})
        self.response = self.connection.getresponse()
        self.last = ""

    def until(self, key: str) -> list[str]:
        """The keys of the events up to one."""
        found: list[str] = []
        while key not in found:
            line = self.response.readline().decode().rstrip("\n")
            if line.startswith("id: "):
                self.last = line[4:]
            elif line.startswith("data: "):
                found.append(json.loads(line[6:])["key"])
        return found


def worker_of(gallery: Served, sock: socket.socket) -> int | None:
    """The process that has the other end of a connection."""
    ends = f":{gallery.port:04X} 0100007F:{sock.getsockname()[1]:04X} 01 "
    for line in Path("/proc/net/tcp").read_text().splitlines():
        if ends in line:
            inode = line.split()[9]
            for child in children(gallery.process.pid):
                with contextlib.suppress(OSError):
                    if any(str(fd.readlink()) == f"socket:[{inode}]" for fd in Path(f"/proc/{child}/fd").iterdir()):
                        return child
    return None


def children(pid: int) -> list[int]:
    """The processes that a process started, and those that these started."""
    found = [int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in children_of(task)]
    return found + [grandchild for child in found for grandchild in children(child)]


def children_of(task: Path) -> list[str]:
    return (task / "children").read_text().split()


@needs_proc
def test_visitors_of_both_workers_hear_and_see_the_same(redis, tmp_path):
    with serving(tmp_path, SERVE, REDIS_URL=redis.url) as gallery, contextlib.ExitStack() as stack:
        ada = sign_up(gallery, "ada")
        address = f"ws://127.0.0.1:{gallery.port}/live/chat"

        sockets: dict[int | None, ClientConnection] = {}
        feeds: dict[int | None, Feed] = {}
        for _ in range(MOST):
            ws = stack.enter_context(connect(address, additional_headers={"Cookie": ada}, compression=None))
            sockets[worker_of(gallery, ws.socket)] = ws
            feed = Feed(gallery)
            stack.callback(feed.connection.close)
            feeds[worker_of(gallery, feed.connection.sock)] = feed
            if len(sockets) == len(feeds) == 2:
                break
        assert len(sockets) == len(feeds) == 2, "all connections went to one worker"

        said = []
        for number, speaker in enumerate(sockets.values()):
            speaker.send(f"message {number}")
            said.append([json.loads(ws.recv(PATIENCE))["text"] for ws in sockets.values()])
        assert said == [["message 0"] * 2, ["message 1"] * 2]

        comment(gallery, ada, "fine")
        keys = [feed.until("comment-1") for feed in feeds.values()]
        assert [found[-2:] for found in keys] == [["picture-1", "comment-1"]] * 2

        # Who was away for a moment is told what happened meanwhile, and only that.
        last = {feed.last for feed in feeds.values()}
        assert len(last) == 1
        comment(gallery, ada, "very+fine")
        again = Feed(gallery, last.pop())
        stack.callback(again.connection.close)
        assert again.until("comment-2") == ["comment-2"]


def test_in_one_process_memory_is_enough(tmp_path):
    with serving(tmp_path, RUN) as gallery:
        ada = sign_up(gallery, "ada")
        address = f"ws://127.0.0.1:{gallery.port}/live/chat"
        with connect(address, additional_headers={"Cookie": ada}) as one, connect(address) as two:
            one.send("hello")
            assert [json.loads(ws.recv(PATIENCE))["text"] for ws in (one, two)] == ["hello", "hello"]
        feed = Feed(gallery)
        with contextlib.closing(feed.connection):
            comment(gallery, ada, "fine")
            assert feed.until("comment-1")[-1] == "comment-1"
        gallery.wait_for("REDIS_URL is not set")
        assert len(re.findall("REDIS_URL is not set", gallery.text())) == 1


def test_several_workers_may_start_on_an_empty_folder(tmp_path, redis):
    """They take one secret key, and the samples are there once."""
    command = costrel("serve", "--workers", "4", "--bind", "127.0.0.1:0", "--grace", "2")
    with serving(tmp_path, command, REDIS_URL=redis.url) as gallery:
        cookies = [sign_up(gallery, f"visitor{number}") for number in range(6)]
        for cookie in cookies:
            comment(gallery, cookie, "fine")
        feed = Feed(gallery)
        with contextlib.closing(feed.connection):
            keys = feed.until("comment-6")
        assert sorted(keys) == [f"comment-{n}" for n in range(1, 7)] + [f"picture-{n}" for n in range(1, 7)]

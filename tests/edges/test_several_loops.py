"""One application on several event loops at once, as test clients in several threads use it."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

from costrel import Costrel


def test_long_views_on_several_loops_are_answered():
    app = Costrel(__name__, static_folder=None)

    @app.get("/<name>")
    async def page(name):
        await asyncio.sleep(0.7)  # several rounds of the disconnect watcher
        return name

    def ask(number):
        time.sleep(number / 20)  # each loop has its rounds at other moments
        return app.test_client(edge="asgi").get(f"/{number}").text

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, range(4))) == ["0", "1", "2", "3"]

"""Live updates."""

from costrel.testing import AsyncTestClient


async def test_a_page_gets_the_changes(async_client: AsyncTestClient) -> None:
    await async_client.post("/sign-in", data={"name": "ada", "password": "secret"})

    async with async_client.stream("/live?after=0") as response:
        await async_client.post("/", data={"text": "Buy milk"})

        received = ""
        async for chunk in response.iter_chunks():
            received += chunk.decode()
            if "Buy milk" in received:
                break

    assert "event: change" in received

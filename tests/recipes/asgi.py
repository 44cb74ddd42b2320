"""Start an ASGI application, post to it, and stop it, as a server does."""

from __future__ import annotations

import asyncio
import json
from typing import Any

__all__ = ["post_all"]


def post_all(app: Any, path: str, queries: list[str]) -> list[tuple[int, Any]]:
    """Post once for each query; give each status and the JSON of each answer."""
    return asyncio.run(_run(app, path, queries))


async def _run(app: Any, path: str, queries: list[str]) -> list[tuple[int, Any]]:
    asked: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    state: dict[str, Any] = {}
    life = asyncio.create_task(app({"type": "lifespan", "state": state}, asked.get, said.put))
    await asked.put({"type": "lifespan.startup"})
    assert (await said.get())["type"] == "lifespan.startup.complete"
    answers = [await _post(app, path, query, state) for query in queries]
    await asked.put({"type": "lifespan.shutdown"})
    assert (await said.get())["type"] == "lifespan.shutdown.complete"
    await life
    return answers


async def _post(app: Any, path: str, query: str, state: dict[str, Any]) -> tuple[int, Any]:
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [],
        "state": state.copy(),
    }
    said: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(event: dict[str, Any]) -> None:
        said.append(event)

    # It returns when the tasks in the background are done.
    await app(scope, receive, send)
    body = b"".join(event.get("body", b"") for event in said)
    return said[0]["status"], json.loads(body)

"""Prefect's own server and UI, with a browser that talks to nobody else: `python -m deployments.server HOST PORT`.

The UI of this version asks an analytics company for its configuration whatever the settings say. Text from models that
it shows (reports, samples) cannot load anything from elsewhere either.
"""

import sys
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import uvicorn
from prefect.server.api.server import create_app
from prefect.settings import get_current_settings

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

ONLY_HERE = b"default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:"


def talking_to_nobody_else(app: App) -> App:
    """The application, with the rule for browsers on every page."""

    async def wrapped(scope: Message, receive: Receive, send: Send) -> None:
        async def send_with_rule(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), (b"content-security-policy", ONLY_HERE)]
            await send(message)

        await app(scope, receive, send_with_rule)

    return wrapped


def main(host: str, port: int) -> None:
    """Serve until a signal comes."""
    app: App = create_app(final=True)
    if not get_current_settings().server.analytics_enabled:
        app = talking_to_nobody_else(app)
    uvicorn.run(app, host=host, port=port, log_level="warning", timeout_keep_alive=5)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))

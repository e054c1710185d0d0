"""One HTTP call over aiohttp's connections and parser, and nothing else.

aiohttp's session does for every call what only a browser needs (cookies, redirects, proxies, authentication, traces),
and that is most of a call's CPU time: see ``fetch_client`` in docs/benchmarks.md. Here is no such thing, so a redirect
is not followed, a cookie is not kept and a broken call is not repeated, because nothing is there that could.
"""

import asyncio
from collections.abc import Mapping
from typing import NamedTuple

import aiohttp
from aiohttp.http import SERVER_SOFTWARE, HttpProcessingError
from yarl import URL

CONNECTIONS = 100
NO_TIMEOUT = aiohttp.ClientTimeout(total=None, connect=None, sock_connect=None)  # the whole call has one


class Response(NamedTuple):
    """Status, headers, and the body of a good answer; empty for any other, which is left unread."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class TooLarge(Exception):
    """The body is larger than it may be; no more of it was read."""


class Wire:
    """Calls to one host. ``timeout`` in seconds for a whole call, ``largest`` body in bytes. Bodies stay as they come.

    Failures are ``aiohttp.ClientError``, ``OSError``, ``TimeoutError`` or ``TooLarge``.
    """

    def __init__(self, base_url: str, headers: Mapping[str, str], *, timeout: float, largest: int) -> None:
        url = URL(base_url)
        self._timeout = timeout
        self._largest = largest
        self._path = url.raw_path.rstrip("/")
        self._connector = aiohttp.TCPConnector(limit=CONNECTIONS)
        # Only asked by the connector where to connect to, and whether by TLS.
        self._door = aiohttp.ClientRequest("GET", url, loop=asyncio.get_running_loop())
        always = {"Host": self._door.headers["Host"], "User-Agent": SERVER_SOFTWARE, **headers}
        self._always = "".join(_line(name, value) for name, value in always.items())

    async def close(self) -> None:
        await self._connector.close()

    async def ask(self, method: str, target: str, headers: Mapping[str, str], body: bytes = b"") -> Response:
        """``target``: path and query, encoded already."""
        more = dict(headers, **({"Content-Length": str(len(body))} if method == "POST" else {}))
        lines = "".join(_line(name, value) for name, value in more.items())
        message = f"{method} {_word(self._path + target)} HTTP/1.1\r\n{self._always}{lines}\r\n".encode("ascii") + body
        async with asyncio.timeout(self._timeout):
            connection = await self._connector.connect(self._door, [], NO_TIMEOUT)
            try:
                return await self._exchange(connection, message)
            except BaseException:
                connection.close()
                raise
            finally:
                connection.release()  # a connection with something left unread is not used again

    async def _exchange(self, connection: aiohttp.connector.Connection, message: bytes) -> Response:
        protocol = connection.protocol
        if protocol is None or protocol.transport is None:
            raise aiohttp.ServerDisconnectedError
        protocol.set_response_params(read_until_eof=True, auto_decompress=False)
        protocol.transport.write(message)
        try:
            head, content = await protocol.read()
            while 100 <= head.code < 200 and head.code != 101:
                head, content = await protocol.read()
        except HttpProcessingError:
            raise aiohttp.ClientPayloadError("not HTTP") from None
        good = head.code == 200
        return Response(head.code, head.headers, await self._body(head.headers, content) if good else b"")

    async def _body(self, headers: Mapping[str, str], content: aiohttp.StreamReader) -> bytes:
        if int(headers.get("Content-Length", "0")) > self._largest:
            raise TooLarge
        body = b""
        while not content.at_eof():
            body += await content.readany()
            if len(body) > self._largest:
                raise TooLarge
        return body


def _line(name: str, value: str) -> str:
    if not value.isprintable():
        raise ValueError(f"header {name} is no single line")
    return f"{name}: {value}\r\n"


def _word(target: str) -> str:
    if not target.isprintable() or " " in target:
        raise ValueError("the address is not encoded")
    return target

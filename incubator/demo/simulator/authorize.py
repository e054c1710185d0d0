"""The browser's way over a simulated platform: its consent page, and back with a code."""

import html
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from incubator.demo.simulator.faults import STATE
from incubator.demo.simulator.pages import consent_page, refusal_page


@dataclass(frozen=True)
class App:
    """An application as it is registered with a platform: its public name there, and its secret."""

    name: str
    secret: str


APPS = web.AppKey("apps", dict[str, App])
HOSTS = web.AppKey("hosts", set[str])  # empty: any port of this machine


@dataclass(frozen=True)
class Door:
    """The consent page of one platform: ``named_in`` is the parameter in which an application says who it is."""

    platform: str
    vendor: str
    named_in: str

    def routes(self, path: str) -> list[web.RouteDef]:
        return [web.get(path, self._guarded(self.show)), web.post(path, self._guarded(self.decide))]

    def _guarded(self, handler: Callable[[web.Request], Any]) -> Callable[[web.Request], Any]:
        async def guarded(request: web.Request) -> web.Response:
            wrong = self._wrong_way(request)
            if wrong:
                return web.Response(text=refusal_page(wrong), content_type="text/html", status=400)
            response: web.Response = await handler(request)
            return response

        return guarded

    def _wrong_way(self, request: web.Request) -> str:
        """What is wrong with the application's question, as a sentence; empty when nothing is."""
        query, hosts = request.query, request.app[HOSTS]
        back = urlsplit(query.get("redirect_uri", ""))
        if query.get(self.named_in) != request.app[APPS][self.platform].name:
            return "应用不存在，请联系应用的开发者。"
        if query.get("response_type") != "code" or not query.get("scope"):
            return "授权参数不正确，请联系应用的开发者。"
        here = back.hostname in ("127.0.0.1", "localhost", "testserver")
        if back.netloc not in hosts if hosts else not here:
            return "回调地址与登记的不一致。"
        return ""

    async def show(self, request: web.Request) -> web.Response:
        hint = html.escape(request.query.get("login_hint", ""), quote=True)
        return web.Response(text=consent_page(self.vendor, hint), content_type="text/html")

    async def decide(self, request: web.Request) -> web.Response:
        form = await request.post()
        handle = str(form.get("handle", "")).strip()
        agreed = form.get("decision") == "agree"
        if agreed and not handle:
            page = consent_page(self.vendor, "", f"请先填写{self.vendor}号。")
            return web.Response(text=page, content_type="text/html", status=400)
        back = {"state": request.query.get("state", "")}
        if agreed:
            back["code"] = request.app[STATE].issue_code(handle, self.platform)
        joint = "&" if urlsplit(request.query["redirect_uri"]).query else "?"
        raise web.HTTPFound(request.query["redirect_uri"] + joint + urlencode(back))

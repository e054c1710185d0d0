"""A running platform simulator for tests: real HTTP on a real port, with its state at hand."""

import asyncio
import threading
from datetime import datetime
from pathlib import Path

from aiohttp import web

from incubator.demo.simulator.app import create_app
from incubator.demo.simulator.authorize import App
from incubator.demo.simulator.faults import STATE
from incubator.demo.simulator.state import Fault, State

APP_ID, APP_SECRET = "ks-simulated-app", "simulated-secret"
CLIENT_KEY, CLIENT_SECRET = "dy-simulated-app", "simulated-secret-dy"


class SimulatedPlatform:
    """The simulator in a thread of its own."""

    def __init__(self, folder: Path) -> None:
        self._loop = asyncio.new_event_loop()
        self._app = create_app(folder, kuaishou_app=App(APP_ID, APP_SECRET), douyin_app=App(CLIENT_KEY, CLIENT_SECRET))
        self._runner = web.AppRunner(self._app, access_log=None, shutdown_timeout=0.1)
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.port: int = asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)
        self.url = f"http://127.0.0.1:{self.port}"

    async def _start(self) -> int:
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        return site._server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _end(self) -> None:
        await self._runner.cleanup()
        dripping = asyncio.all_tasks() - {asyncio.current_task()}  # bodies nobody waits for any more
        for task in dripping:
            task.cancel()
        await asyncio.gather(*dripping, return_exceptions=True)

    def stop_listening(self) -> None:
        """From now on nobody answers on its port."""
        asyncio.run_coroutine_threadsafe(self._runner.sites.copy().pop().stop(), self._loop).result(10)

    @property
    def state(self) -> State:
        return self._app[STATE]

    def set_clock(self, now: datetime) -> None:
        self.state.set_clock(now)

    def break_(self, path: str, kind: str, **more) -> None:
        self.state.faults.append(Fault(path, kind, **more))

    def mend(self) -> None:
        self.state.faults.clear()

    def calls(self, interface: str) -> dict[str, int]:
        """Calls of an interface on the simulated day, by creator."""
        return self.state.calls_of(self.state.today()).get(interface, {})

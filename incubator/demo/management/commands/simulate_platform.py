"""``manage.py simulate_platform``: the stand-in for the platform, as a server of its own on this machine."""

import asyncio
import signal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from incubator.demo.simulator.app import create_app
from incubator.demo.simulator.authorize import App


class Command(BaseCommand):
    help = "Runs a simulator of the Kuaishou and Douyin platforms on 127.0.0.1, with consent pages, faults and a clock."
    requires_system_checks: list = []

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--port", type=int, default=8400, help="default: 8400")
        parser.add_argument(
            "--state-dir", type=Path, default=settings.VAR_DIR / "simulator", help="where it remembers its creators"
        )

    def handle(self, *args: Any, port: int, state_dir: Path, **options: Any) -> None:
        app = create_app(
            state_dir,
            kuaishou_app=App(settings.KUAISHOU_APP_ID, settings.KUAISHOU_APP_SECRET),
            douyin_app=App(settings.DOUYIN_CLIENT_KEY, settings.DOUYIN_CLIENT_SECRET),
            callback_hosts={urlsplit(settings.PUBLIC_URL).netloc},
        )
        try:
            asyncio.run(serve(app, port, lambda: self.stdout.write(f"The platform simulator listens on port {port}.")))
        except OSError as error:
            raise CommandError(f"Port {port} cannot be used ({error.strerror}). Choose another with --port.") from None


async def serve(app: web.Application, port: int, ready: Any) -> None:
    """Serve until SIGTERM or SIGINT. No access log: the platform's URLs hold secrets."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    stopped = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stopped.set)
    ready()
    await stopped.wait()
    await runner.cleanup()

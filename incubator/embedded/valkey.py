"""An embedded Valkey on a unix socket: the broker and the cache."""

import contextlib
import signal
import socket
import time
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

from incubator.embedded.binaries import valkey_server
from incubator.embedded.errors import EmbeddedError, explained
from incubator.embedded.folders import private_dir
from incubator.embedded.server import Server, Wait

UNREADABLE = "Bad file format reading the append only file"


class EmbeddedValkey(Server):
    """A Valkey of our own. What it has accepted survives ``kill -9``; the job rows survive even its loss."""

    name = "Valkey"
    programs = ("valkey-server", "redis-server")
    stop_signal = signal.SIGTERM
    error_marks = ("# ",)
    socket_name: ClassVar[str] = "valkey.sock"

    def __init__(self, data_dir: Path, socket_dir: Path, *, durable: bool = True, log: Path | None = None) -> None:
        super().__init__(data_dir, socket_dir, log=log)
        self.durable = durable

    @property
    def socket(self) -> Path:
        return self.socket_dir / self.socket_name

    def url(self) -> str:
        """The address in the form Celery takes."""
        return f"redis+socket://{quote(str(self.socket))}"

    def ready(self) -> bool:
        """Whether it answers a ping; while it reads its file it answers with an error."""
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as line:
            line.settimeout(1.0)
            line.connect(str(self.socket))
            line.sendall(b"PING\r\n")
            return line.recv(16).startswith(b"+PONG")
        return False

    def _command(self) -> list[str]:
        private_dir(self.data_dir)
        keep = ["--appendonly", "yes"] if self.durable else ["--appendonly", "no"]
        where = ["--unixsocket", str(self.socket), "--unixsocketperm", "700", "--dir", str(self.data_dir)]
        rest = ["--save", "", "--daemonize", "no", "--maxmemory-policy", "noeviction"]
        return [str(valkey_server()), "--port", "0", *where, *keep, *rest]

    def _serve(self, wait: Wait, timeout: float) -> None:
        """Serve. A file beyond repair is set aside and the broker begins empty: rows, not messages, are the truth."""
        try:
            super()._serve(wait, timeout)
        except EmbeddedError as error:
            if UNREADABLE not in str(error):
                raise
            with explained(self.data_dir):
                self.data_dir.rename(f"{self.data_dir}.unreadable-{time.strftime('%Y%m%d%H%M%S')}")
            super()._serve(wait, timeout)

    def _remove_traces(self) -> None:
        with explained(self.socket):
            self.socket.unlink(missing_ok=True)

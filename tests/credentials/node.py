"""The verifier that other systems use (npm ``@digitalbazaar/vc``), as one long-lived process fed by lines of JSON."""

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from incubator.credentials.pinned import FOLDER, PINNED
from incubator.embedded.folders import locked

HERE = Path(__file__).resolve().parent / "verifier"
FILES = ("package.json", "package-lock.json", ".npmrc")
ROOT = HERE.parents[2]


def installed() -> Path:
    """A folder with the locked packages, made on first use in ``var/`` and kept for the next run.

    Its name tells the lock file, so that another one gets another folder. Several processes may ask at once.
    """
    digest = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in FILES)).hexdigest()[:16]
    folder = ROOT / "var" / "credential-verifier" / digest
    folder.parent.mkdir(parents=True, exist_ok=True)
    with locked(folder.parent / "lock"):
        if not (folder / "complete").exists():
            _install(folder)
    return folder


def _install(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name in FILES:
        shutil.copy(HERE / name, folder / name)
    for attempt in (1, 2):
        done = subprocess.run(["npm", "ci", "--no-fund", "--no-audit"], cwd=folder, capture_output=True, text=True)
        if done.returncode == 0:
            break
        if attempt == 2:
            raise RuntimeError(f"npm ci failed:\n{done.stderr[-2000:]}")
    (folder / "complete").touch()


class Verifier:
    """``ask`` gives ``{"verified": bool, "status": bool, "error": str}``."""

    def __init__(self) -> None:
        folder = installed()
        pinned = {address: (FOLDER / name).read_text() for address, (name, _digest) in PINNED.items()}
        fresh = folder / f"pinned.json.{os.getpid()}"
        fresh.write_text(json.dumps(pinned))
        fresh.replace(folder / "pinned.json")
        program = folder / "verify.mjs"
        copy = folder / f"verify.mjs.{os.getpid()}"
        shutil.copy(HERE / "verify.mjs", copy)
        copy.replace(program)
        self.asked = 0
        self._process = subprocess.Popen(
            ["node", str(program), str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )

    def ask(self, credential: dict, documents: dict[str, Any], **more: Any) -> dict[str, Any]:
        self.asked += 1
        question = {"id": self.asked, "credential": credential, "documents": documents, **more}
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        stdin.write(json.dumps(question) + "\n")
        stdin.flush()
        answer = json.loads(stdout.readline())
        assert answer.pop("id") == self.asked
        return answer

    def stop(self) -> None:
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        self._process.wait(timeout=20)

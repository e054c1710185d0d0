#!/bin/sh
# Prints a Python 3.12 or newer that really runs and can make virtual environments; installs one with uv if there is
# none. Each candidate is run: the shims of version managers exist even for versions that are not installed.

suits() {
    "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 12))' >/dev/null 2>&1
}

for candidate in python3.14 python3.13 python3.12 python3 python \
    "$HOME"/.pyenv/versions/3.1[2-9]*/bin/python3 "$HOME"/.local/share/uv/python/*/bin/python3 /opt/python*/bin/python3
do
    if command -v "$candidate" >/dev/null 2>&1 && suits "$candidate"; then
        "$candidate" -c 'import os, sys; print(os.path.realpath(sys.executable))'
        exit 0
    fi
done

if command -v uv >/dev/null 2>&1; then
    uv python find --system --no-project '>=3.12' 2>/dev/null && exit 0
    echo "No Python 3.12 or newer was found; uv installs Python 3.13." >&2
    uv python install 3.13 >&2 && uv python find --system --no-project '>=3.12' && exit 0
fi

echo "No Python 3.12 or newer was found. Install python3.13 with its venv module (Debian: python3-venv), or uv" \
    "(https://docs.astral.sh/uv/), and start again." >&2
exit 1

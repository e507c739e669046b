#!/bin/sh
# Install a locked list into a virtual environment, every file checked against its hash: install.sh VENV LIST
set -eu
venv=$1
list=$2

if ! "$venv/bin/uv" --version >/dev/null 2>&1; then
    # uv itself: its block of the development list.
    sed -n '/^uv==/,/[^\\]$/p' requirements-dev.txt >"$venv/uv.txt"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$venv/uv.txt" || true
fi
if "$venv/bin/uv" --version >/dev/null 2>&1; then
    VIRTUAL_ENV=$venv "$venv/bin/uv" pip sync --quiet --require-hashes "$list"
else
    echo "portal: uv is not to be had here, pip installs instead" >&2
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$list"
fi

#!/bin/sh
# Installs the function into its own virtual environment, as both images do:
#   deploy/install.sh VENV CACHE [cpu|gpu]
# VENV is created, CACHE receives the nets as graphs. PYTHON names the interpreter. EXTRA=dask adds
# what a scan on several machines needs.
set -eu
venv="$1"
cache="$2"
device="${3:-cpu}"
root="$(cd "$(dirname "$0")/.." && pwd)"

"${PYTHON:-python3}" -m venv "$venv"
install_locked() {
    "$venv/bin/python" -m pip install --quiet --no-cache-dir --disable-pip-version-check \
        --no-deps --require-hashes --requirement "$1"
}
install_locked "$root/requirements.txt"
if [ -n "${EXTRA:-}" ]; then
    install_locked "$root/requirements-$EXTRA.txt"
fi
if [ "$device" = gpu ]; then
    # Both packages provide the module onnxruntime; the second must not find the first.
    "$venv/bin/python" -m pip uninstall --yes onnxruntime
    install_locked "$root/deploy/requirements-gpu.txt"
fi
cd "$root"
CACHE_FOLDER="$cache" PYTHONPATH="$root" "$venv/bin/python" -m function.prepare
# Nothing needs pip at run time; the image is smaller, with one tool less to misuse.
"$venv/bin/python" -m pip uninstall --yes --quiet pip

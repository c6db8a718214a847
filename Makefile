# Everything installs itself on first use; `make help` lists the targets.
PYTHON ?= python3
MEDIA ?= .
export HOST ?= 127.0.0.1
export PORT ?= 8080
export PYTHONPATH := $(CURDIR)

VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes
NODE := node_modules
NPM := npm --no-audit --no-fund --loglevel=error --ignore-scripts --include=dev
LOCK := uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	--overrides requirements.overrides --no-emit-package dlib --no-emit-package pip \
	--custom-compile-command "make lock"

.PHONY: help demo run test test-stash stash-package soak lint bench bench-profile bench-faces bench-start bench-gpu bench-library bench-quick screenshot lock clean
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 15

demo: $(VENV)/ready ## do the main job once, on real photographs
	@$(BIN)/python -m tools.demo

run: export MEDIA_ROOT = $(MEDIA)
run: $(VENV)/ready ## serve on http://localhost:8080; MEDIA=/path/to/your/videos, and any setting of docs/settings.md
	@echo "Open http://localhost:$(PORT)/ once the log says that it serves; Ctrl-C ends it." >&2
	$(BIN)/python -m function.server

test: $(VENV)/ready-dev ## run the tests, in two processes
	$(BIN)/python -m pytest --numprocesses 2 --dist loadscope --no-loadscope-reorder

soak: $(VENV)/ready-dev ## try to break it: broken files, malformed requests, crashes, crowds, kills; half an hour
	@KILLS=50 $(BIN)/python -m pytest -q tests/tools/library/test_kills.py >&2
	@$(BIN)/python -m tools.soak > soak.json

lint: $(VENV)/ready-dev $(NODE)/ready ## check format, style and types, of the page's script too
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(NODE)/.bin/biome check --error-on-warnings
	$(NODE)/.bin/tsc

bench: $(VENV)/ready ## compare speed with the usual way; VIDEO=file for one of yours
	@$(BIN)/python -m tools.bench $(VIDEO)

bench-profile: HOURS ?= 1
bench-profile: $(VENV)/ready ## measure what each stage takes, for an hour of 1080p; HOURS=0.5 or VIDEO=file for another
	@$(BIN)/python -m tools.bench.stages --hours $(HOURS) $(VIDEO)

bench-faces: $(VENV)/ready ## compare which faces each detector finds; PHOTOS=folder for more than the demo's
	@$(BIN)/python -m tools.bench.faces $(PHOTOS)

bench-start: $(VENV)/ready ## measure the start: ten seconds of 1080p from cold, and warm
	@$(BIN)/python -m tools.bench.start $(VIDEO)

bench-gpu: $(VENV)/ready ## compare the processor and a GPU on an hour of 1080p; VIDEO=file for one of yours
	@$(BIN)/python -m tools.bench.gpu $(VIDEO)

bench-library: $(VENV)/ready ## measure how a library grows, up to 100,000 people seen
	@$(BIN)/python -m tools.bench.library

bench-quick: $(VENV)/ready ## compare scans at depth quick with usual ones on films cut from CLIPS=folder
	@$(BIN)/python -m tools.bench.quick $(CLIPS)

screenshot: $(VENV)/ready-dev ## take pictures of the page: docs/page.svg, and docs/screenshot-*.png with photographs
	$(BIN)/python -m tests.support.screenshots

stash-package: $(VENV)/ready ## write the plugin and the scraper as Stash installs them, to dist/stash
	@$(BIN)/python -m tools.stash_packages

test-stash: $(VENV)/ready-dev ## test it in the real Stash (STASH_URL, STASH_API_KEY) and stash-box (STASH_BOX_URL, STASH_BOX_API_KEY)
	$(BIN)/python -m pytest tests/live/test_stash*.py -v

lock: $(VENV)/ready-dev ## remake the hashed requirements, and the lock file of package.json
	$(BIN)/$(LOCK) requirements.in --output-file requirements.txt
	$(BIN)/$(LOCK) requirements-dask.in --output-file requirements-dask.txt
	$(BIN)/$(LOCK) requirements-dev.in --output-file requirements-dev.txt
	rm -f package-lock.json
	$(NPM) install --package-lock-only --omit-lockfile-registry-resolved=false

clean: ## remove what the targets made, but not your galleries
	rm -rf $(VENV) $(NODE) .cache demo dist .mypy_cache .ruff_cache .pytest_cache

$(VENV)/ready: requirements.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(None if (3, 11) <= v < (3, 15) else \
		f"Python 3.11 to 3.14 is needed; {sys.executable} is {v[0]}.{v[1]}. Run make PYTHON=python3.12")'
	@echo "Setting up $(VENV) (once, about a minute) ..." >&2
	@$(PYTHON) -m venv $(VENV)
	@$(INSTALL) --requirement requirements.txt
	@$(BIN)/python -m compileall -q db function tools
	@touch $@

$(VENV)/ready-dev: requirements-dev.txt $(VENV)/ready
	@$(INSTALL) --requirement requirements-dev.txt
	@touch $@

$(NODE)/ready: package.json package-lock.json
	@command -v npm >/dev/null || { \
		echo "npm is missing; it is needed to check the page's script. Install Node.js 18 or newer, with npm." >&2; exit 1; }
	@$(NPM) ci >/dev/null
	@touch $@

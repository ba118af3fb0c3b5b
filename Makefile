# make run     set up, then Penstock in front of a small demo upstream on 127.0.0.1:4000
# make test    set up, then the whole test suite           (PYTEST_ARGS="-k deny" for a part)
# make check   formatting, lint, types, import contracts, coverage
# make bench   benchmarks; each prints ratios against named peers
# make fuzz    fuzz each parser for SECONDS=60            (TARGETS="cookies policy" for some)
# make docs    write the generated reference pages again
# make lock    pin the newest dependencies that pyproject.toml allows, with their hashes

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check
PIP_COMPILE := $(BIN)/pip-compile --quiet --upgrade --generate-hashes --strip-extras --no-header \
	--no-emit-options --allow-unsafe
PYTEST_ARGS ?=
# bench/soak.py runs for ten minutes and is started by hand.
BENCHMARKS ?= cel load proxy websocket jwt login saml store
SECONDS ?= 60

# The first of these that is new enough makes the virtual environment; override with PYTHON=...
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$python && break; done)

.PHONY: run test check bench fuzz docs lock clean
.SILENT:
.DELETE_ON_ERROR:

run: $(VENV)/installed
	exec $(BIN)/python -m penstock demo

test: $(VENV)/installed-dev
	$(BIN)/python -m pytest $(PYTEST_ARGS)

check: $(VENV)/installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy tests
	$(BIN)/lint-imports
	$(BIN)/python -m pytest --cov --cov-report=term --cov-fail-under=94 $(PYTEST_ARGS)

bench: $(VENV)/installed-dev
	failed=; for name in $(BENCHMARKS); do \
		echo "== $$name"; $(BIN)/python bench/$$name.py || failed="$$failed $$name"; \
	done; \
	if [ -n "$$failed" ]; then echo "targets missed, or not judged, in:$$failed" >&2; exit 1; fi

fuzz: $(VENV)/installed-dev
	$(BIN)/python -c 'import atheris' 2>/dev/null || $(PIP) install --no-build-isolation -e '.[fuzz]'
	$(BIN)/python -m fuzz --seconds $(SECONDS) $(TARGETS)

docs: $(VENV)/installed-dev
	$(BIN)/python -m penstock.reference docs/reference

lock: $(VENV)/installed-dev
	$(PIP_COMPILE) --build-deps-for editable --output-file requirements.txt pyproject.toml
	$(PIP_COMPILE) --build-deps-for editable --extra dev --constraint requirements.txt \
		--output-file requirements-dev.txt pyproject.toml

clean:
	rm -rf $(VENV) build *.egg-info .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache

$(BIN)/python:
	if [ -z "$(PYTHON)" ]; then \
		echo "Penstock needs Python 3.11 or newer, and found none." >&2; \
		echo "Install it, or name it: make PYTHON=/path/to/python3.12 ..." >&2; \
		exit 1; \
	fi
	echo "Making a virtual environment in $(VENV) with $$($(PYTHON) --version)"
	$(PYTHON) -m venv $(VENV) || { \
		rm -rf $(VENV); \
		echo "$(PYTHON) has no working venv module; on Debian: apt-get install python3-venv" >&2; \
		exit 1; \
	}

# The locked build backend is installed with the rest, so building needs no second download.
$(VENV)/installed: requirements.txt pyproject.toml | $(BIN)/python
	echo "Installing the locked dependencies (the first time takes a minute)"
	$(PIP) install --require-hashes -r requirements.txt
	$(PIP) install --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/installed-dev: requirements-dev.txt pyproject.toml | $(BIN)/python
	echo "Installing the locked development dependencies (the first time takes a minute)"
	$(PIP) install --require-hashes -r requirements-dev.txt
	$(PIP) install --no-deps --no-build-isolation -e .
	touch $@ $(VENV)/installed

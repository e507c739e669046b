# The front door. `make run` to look, `make test` to be sure. Everything else is below.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 2
# Neighbouring tests share what their worker has built, and whoever has nothing left takes over from the other.
PYTEST := $(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal
# pytest rewrites each module of tests before it runs it. Kept beside the module, that is done once and not in each worker
# of each run, wherever Python is told to keep nothing.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run setup check check-types check-tests check-words test test-sqlite test-browser test-postgresql bench lock vendor translate pictures clean

run: $(VENV)/.runtime
	@$(BIN)/python -m portal run

setup: $(VENV)/.development

# The quick gate: under a minute. Its parts ask nothing of each other, and run beside each other.
check: $(VENV)/.development
	@$(MAKE) --no-print-directory --jobs $(WORKERS) --output-sync=target check-types check-tests check-words

check-types:
	$(BIN)/mypy

check-tests:
	$(PYTEST) tests/test_architecture.py tests/test_migrations.py

check-words:
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/djlint --check --lint templates

# Everything there is to run, on both databases; nothing is skipped.
test: test-sqlite test-browser test-postgresql

test-sqlite: $(VENV)/.development
	$(PYTEST) -m "not browser"

test-browser: $(VENV)/.development
	$(PYTEST) -m browser

test-postgresql: $(VENV)/.development
	$(PYTEST) --db postgresql -m "not browser or both_databases"

bench: $(VENV)/.development
	@for name in pages booking slots import registry search cases signup solver roster opinion vote; do $(BIN)/python -m bench.$$name || exit 1; done

# Versions and hashes, and no address of any registry.
lock: $(VENV)/.development
	$(BIN)/uv pip compile -q --upgrade --generate-hashes --no-emit-index-url --no-annotate --no-header \
		--python-version 3.11 pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile -q --upgrade --generate-hashes --no-emit-index-url --no-annotate --no-header \
		--python-version 3.11 --extra dev -c requirements.txt pyproject.toml -o requirements-dev.txt

vendor: $(VENV)/.development
	$(BIN)/python deploy/vendor.py

translate: $(VENV)/.development
	$(BIN)/pybabel -q extract -F translations/babel.cfg -k _ -k _l --no-location --sort-output \
		--project=community-portal -o translations/messages.pot .
	$(BIN)/pybabel -q update -i translations/messages.pot -d translations --no-fuzzy-matching --ignore-pot-creation-date
	$(BIN)/pybabel -q compile -d translations --statistics

pictures: $(VENV)/.development
	$(BIN)/python deploy/pictures.py

clean:
	rm -rf build dist *.egg-info .mypy_cache .ruff_cache .import_linter_cache .hypothesis

# uv, pinned by its hash in requirements-dev.txt, installs the rest; where it cannot be had, pip does, more slowly.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "portal: Python 3.11 or newer is needed, $(PYTHON) is older" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "portal: this Python makes no virtual environments: apt install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# What runs is a part of what develops: a full environment is left full.
$(VENV)/.runtime: requirements.txt requirements-dev.txt | $(BIN)/python
	@sh deploy/install.sh $(VENV) $$(test -f $(VENV)/.development && echo requirements-dev.txt || echo requirements.txt)
	@touch $@

$(VENV)/.development: requirements.txt requirements-dev.txt | $(BIN)/python
	@sh deploy/install.sh $(VENV) requirements-dev.txt
	@touch $@ $(VENV)/.runtime

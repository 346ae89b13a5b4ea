# Two commands do everything on a fresh machine: `make run` and `make test`.

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell scripts/find-python)
SOURCES := bot channels intents workflows knowledge_base tests scripts

.PHONY: run test test-long check bench lock clean

run: $(VENV)/.run bot/web/static/vendor/.stamp
	@exec $(BIN)/frontdesk run --demo

test: $(VENV)/.dev bot/web/static/vendor/.stamp
	$(BIN)/pytest -n auto --dist worksteal

test-long: $(VENV)/.dev bot/web/static/vendor/.stamp
	$(BIN)/pytest -m long --durations=5

check: $(VENV)/.dev
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.dev bot/web/static/vendor/.stamp
	$(BIN)/python -m tests.bench.run

# The locks hold every package with its hashes and no address: one file for all platforms.
lock: $(VENV)/.dev
	scripts/lock

$(VENV)/.made:
	@scripts/make-venv $(VENV) $(PYTHON)

$(VENV)/.run: requirements.txt pyproject.toml | $(VENV)/.made
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.run
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

bot/web/static/vendor/.stamp: package-lock.json scripts/vendor.py | $(VENV)/.run
	@$(BIN)/python scripts/vendor.py && touch $@

clean:
	rm -rf $(VENV) node_modules bot/web/static/vendor

# Everything runs from ./.venv, which the first target that needs it makes. PYTHON names the Python that makes it.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet

.DEFAULT_GOAL := help
.PHONY: help demo test check fix bench soak pictures clients pins clean

help: ## Show the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv/demo.stamp ## A wrong bill, each overbilled dollar with its clause; what to sign; a gateway that is killed
	$(BIN)/offtake demo --live

test: .venv/dev.stamp ## Run the tests, four at a time: many wait (OFFTAKE_FAST=1: fewer examples)
	$(BIN)/python -m pytest --numprocesses 4 --maxschedchunk 1

check: .venv/dev.stamp ## Lint, format, types and the directions of imports
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

fix: .venv/dev.stamp ## Format, fix what the linter can, and renew what is generated
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(BIN)/offtake schema contract --out schema/contract.schema.json
	$(BIN)/offtake schema negotiation --out schema/negotiation.schema.json
	$(BIN)/offtake schema reference --out docs/reference/contract.md
	$(BIN)/python -m tests.docs.help_blocks
	$(BIN)/python -m tests.docs.config_page

bench: .venv/dev.stamp ## Measure speed and memory beside a peer in the same run; one table
	$(BIN)/python -m bench

soak: .venv/dev.stamp ## The long tests: every list price, new random examples, outside programs
	$(BIN)/python -m pytest --numprocesses 2 -m soak
	OFFTAKE_NEW=1 $(BIN)/python -m pytest --numprocesses 2 --maxschedchunk 1 tests/properties tests/gateway tests/ledger \
		--ignore tests/gateway/wire

pictures: .venv/dev.stamp ## The plan of the sample month as people see it, in build/pictures (root on Debian: installs what draws)
	$(BIN)/python -m tests.pictures.plan

clients: .venv/dev.stamp ## Claude Code, Codex and OpenAI's SDK tests through the gateway (needs node, npm, the network)
	$(BIN)/python -m tests.clients.run

pins: .venv/dev.stamp ## Renew the pinned requirements (needs the network)
	$(PIP) uv
	$(call compile,build,requirements/build.in)
	$(call compile,runtime,pyproject.toml)
	$(call compile,demo,pyproject.toml --extra plan --extra gateway --extra clients)
	$(call compile,dev,pyproject.toml --extra dev)

clean: ## Remove the virtual environment and caches
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist

compile = $(BIN)/uv --quiet pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--custom-compile-command "make pins" --upgrade $(2) --output-file requirements/$(1).txt

# A Debian without python3-venv cannot put pip into a new environment; the outer pip can.
.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Offtake needs Python 3.11 or later: make PYTHON=python3.11")'
	@$(PYTHON) -m venv .venv 2>/dev/null || { $(PYTHON) -m venv --clear --without-pip .venv \
		&& $(PYTHON) -m pip --python .venv/bin/python install --quiet pip; }

.venv/runtime.stamp: requirements/build.txt requirements/runtime.txt pyproject.toml | .venv/bin/python
	@echo "Installing into ./.venv (once) …"
	@$(PIP) --require-hashes -r requirements/build.txt -r requirements/runtime.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/demo.stamp: requirements/demo.txt .venv/runtime.stamp
	@$(PIP) --require-hashes -r requirements/demo.txt
	@touch $@

.venv/dev.stamp: requirements/dev.txt .venv/runtime.stamp
	@$(PIP) --require-hashes -r requirements/dev.txt
	@touch $@

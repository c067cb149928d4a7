# `make run` and `make test` do everything from a fresh clone: environment, dependencies, job.
# Another interpreter: make PYTHON=python3.12 run

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --constraint constraints.txt
TORCH := $(shell grep '^torch==' constraints.txt)

.DEFAULT_GOAL := help
.PHONY: help run test test-all test-gpu lint bench clean .venv

help: ## list the targets
	@sed -n 's/^\([.a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name what; do printf '  make %-10s %s\n' "$$name" "$$what"; done

.venv: $(INSTALLED) ## make the environment and install the locked dependencies

# The stamp is written last, so that an installation cut short is done again.
$(INSTALLED): constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed, this is " + sys.version.split()[0] + ": make PYTHON=python3.11 ...")'
	@echo 'installing the dependencies into .venv (a few minutes, about 2.5 GB)'
	@$(PYTHON) -m venv .venv
	@# torch alone first: asked for by another package, pip may pick the newest build and gigabytes with it.
	@$(PIP) $(TORCH)
	@$(PIP) --editable '.[fvcore,postgres,test,lint]'
	@touch $@

run: $(INSTALLED) ## search, scale, export and report on the digits
	$(BIN)/nas run experiments/configs/digits.toml

test: $(INSTALLED) ## run the tests
	$(BIN)/python -m pytest -n 2 -m 'not slow'

test-all: $(INSTALLED) ## run the tests, those that take minutes included
	$(BIN)/python -m pytest -n 2

test-gpu: $(INSTALLED) ## run the tests that need a GPU
	$(BIN)/python -m pytest -m gpu

lint: $(INSTALLED) ## check style, formatting and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(INSTALLED) ## measure the speed of supernetworks, counting and building
	$(BIN)/nas bench supernet
	$(BIN)/nas bench counting
	$(BIN)/nas bench meta

clean: ## remove the environment, builds and caches; runs and databases stay
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

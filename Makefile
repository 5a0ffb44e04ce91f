# Every target makes the environment it needs; nothing but python3 (3.11 or newer) and make is asked.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help run test fast check lint types docs examples bench bench-smoke format clean

help: ## show what every target does
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: $(VENV)/.run ## set up, then do the main job on real input: two circuits, drawn and explained
	$(BIN)/python examples/main_job.py

test: $(VENV)/.test ## set up, then pass the tests
	$(BIN)/python -m pytest -q -n auto

fast: $(VENV)/.test ## the smoke test of everything, in seconds
	$(BIN)/python -m pytest -q tests/test_tiny.py tests/test_house.py

check: $(VENV)/.dev lint types docs examples bench-smoke ## all a contributor runs; nothing may be skipped
	CORRENTE_NO_SKIPS=1 $(BIN)/python -m pytest -q -n auto

lint: $(VENV)/.dev ## style, complexity, formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev ## types
	$(BIN)/pyright

docs: $(VENV)/.dev ## build the documentation strictly, its gate page from the gate table
	$(BIN)/python docs/make_pages.py
	$(BIN)/mkdocs build --strict --quiet

examples: $(VENV)/.test ## run every example
	@for file in examples/*.py; do echo "$$file"; $(BIN)/python $$file > /dev/null || exit 1; done

bench: $(VENV)/.bench ## measure side by side with the peers that are installed
	$(BIN)/python -m benchmarks

bench-smoke: $(VENV)/.test ## run every benchmark row once, at a tiny size
	$(BIN)/python -m benchmarks --tiny

format: $(VENV)/.dev ## put the code in the house's format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean: ## remove the environment and everything made
	rm -rf $(VENV) site circuit.svg digits.svg .pytest_cache .ruff_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Corrente needs Python 3.11 or newer; try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# one stamp an extra, so that `make run` installs no test tools
$(VENV)/.run: EXTRAS := data
$(VENV)/.test: EXTRAS := test
$(VENV)/.dev: EXTRAS := dev
$(VENV)/.bench: EXTRAS := test,bench
$(VENV)/.run $(VENV)/.test $(VENV)/.dev $(VENV)/.bench: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) install --constraint constraints.txt --editable '.[$(EXTRAS)]'
	@touch $@

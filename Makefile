# Every target works on a fresh clone with only Python >= 3.11 and make: each makes .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# Where the grid behind the shipped results runs; a run that was stopped goes on.
LAB_STORE ?= lab-results

.PHONY: demo test lint unit bench lab-results docs serve-docs constraints clean

demo: $(VENV)/.core  ## Verdicts and a report on what comes with Upswing, in ./demo-out
	$(BIN)/upswing demo --out demo-out

test: lint unit  ## Lint, types, import rules and all tests

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: $(VENV)/.dev
	$(BIN)/pytest -n 2

bench: $(VENV)/.dev  ## Speed, as ratios against a named alternative in the same run
	$(BIN)/python -m benchmarks

lab-results: $(VENV)/.dev  ## Train, evaluate and finetune what ships in src/upswing/lab/results
	$(BIN)/upswing lab results --out $(LAB_STORE)
	$(BIN)/python -m upswing.lab.shipped $(LAB_STORE)

docs: $(VENV)/.docs  ## The documentation, with every number computed, in ./site
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

serve-docs: $(VENV)/.docs
	$(BIN)/mkdocs serve

constraints: $(VENV)/.dev $(VENV)/.docs  ## Pin what is installed now
	$(PIP) freeze --exclude-editable | sed '/^upswing/d;/^torch==/d' | cat constraints.header - > constraints.txt

clean:
	rm -rf $(VENV) demo-out site .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.core: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) install -c constraints.txt -e .
	touch $@

$(VENV)/.dev: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) install -c constraints.txt -e '.[dev,lab,hf]'
	touch $@

$(VENV)/.docs: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) install -c constraints.txt -e '.[docs]'
	touch $@

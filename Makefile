# make demo    sets everything up and runs the main job
# make test    sets everything up and runs every check
# make fuzz    every fuzz target for a minute of a processor; FUZZ='--seconds 1200 --jobs 2' takes two hours
# make long    the long form of tests that make test samples; an hour on two cores
# make mutants  changes chosen modules a little: what no test notices is a guard without a case; MUTANTS='fhir_bridge.update*'
# make chaos   folders, disk, database, worker and clock fail beside good traffic
# make soak    half an hour of good traffic beside a stated dose of trouble, and a table of its bounds; 40 minutes
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
STAMP = $(VENV)/.installed

.PHONY: demo test install lint types layers pytest long mutants chaos soak bench clean

demo: $(STAMP)
	$(BIN)/fhir-bridge demo $(DEMO)

test: $(STAMP) lint types layers pytest

install: $(STAMP)

$(STAMP): setup.cfg pyproject.toml requirements-test.lock .ci/python
	PYTHON=$(PYTHON) .ci/python $(VENV)
	$(BIN)/python -m pip install --quiet --requirement requirements-test.lock
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	touch $@

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

layers: $(STAMP)
	$(BIN)/lint-imports

# PostgreSQL and Chromium are found, started or installed where that may be, else skipped with a note.
pytest: $(STAMP)
	.ci/with-chromium .ci/with-postgresql $(BIN)/python -m pytest -n 2 $(PYTEST)

long: $(STAMP)
	$(BIN)/python -m tests.histories --count 10000
	.ci/with-postgresql $(BIN)/python -m tests.histories --first 10000 --count 500 --postgresql
	FHIR_BRIDGE_TEST_LONG=1 PYTEST_TIMEOUT=0 $(BIN)/python -m pytest tests/histories/test_standard.py
	FHIR_BRIDGE_TEST_LONG=1 PYTEST_TIMEOUT=0 .ci/with-postgresql $(BIN)/python -m pytest -v -n 2 tests/access/test_matrix.py

mutants: $(STAMP)
	$(BIN)/python -m pip install --quiet 'mutmut>=3.8,<4'
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/mutmut run $(MUTANTS)
	$(BIN)/mutmut results

chaos: $(STAMP)
	.ci/with-postgresql $(BIN)/python -m tests.chaos

soak: $(STAMP)
	$(BIN)/python -m tests.soak $(SOAK)

fuzz: $(STAMP)
	$(BIN)/python -m pip install --quiet 'atheris>=3,<4'
	$(BIN)/python -m tests.fuzz $(FUZZ)

bench: $(STAMP)
	$(BIN)/python bench/steel_thread.py

clean:
	rm -rf $(VENV) mutants build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

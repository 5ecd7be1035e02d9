# Every target sets up what it needs in .venv by itself; PYTHON chooses the interpreter (3.11 or newer).
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
DEV := .venv/.dev
BENCH := .venv-bench/.ready

.PHONY: run test lint types bench coverage docs fuzz fuzz-parsers fuzz-differential soak optimized clean

# The example application at http://127.0.0.1:5000.
run: $(READY)
	$(BIN)/costrel --app examples/gallery run

# All tests, on every core; the browser's are skipped, with a line that says so, where Chromium is missing.
test: $(DEV)
	$(BIN)/python -m pytest -n auto --dist loadgroup

# The tests of what applications use, under python -O: nothing rests on an assert.
optimized: $(DEV)
	$(BIN)/python -O -m pytest -q -n auto --dist loadgroup -W ignore::pytest.PytestConfigWarning $(OPTIMIZED:%=tests/%)

OPTIMIZED := app edges http messages middleware routing security services sessions support testing views

lint: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(DEV)
	$(BIN)/mypy

# Costrel and its peers in one run, as ratios: writes the tables and plots of docs/performance.md. Takes about 20 minutes.
bench: $(BENCH)
	.venv-bench/bin/python -m benchmarks all

# Branch coverage of all tests; fails under the floor in pyproject.toml.
coverage: $(DEV)
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -q
	$(BIN)/coverage combine -q
	$(BIN)/coverage report

# The snippets and links of the documentation.
docs: $(DEV)
	$(BIN)/python -m pytest -q tests/docs

# Both kinds of fuzzing; takes hours.
fuzz: fuzz-parsers fuzz-differential

# Every parser under atheris, FUZZ_SECONDS (60) for each target; FUZZ_TARGETS names some of them (tests/fuzz/targets.py).
fuzz-parsers: $(DEV)
	$(BIN)/python -m pip install -q --group fuzz
	$(BIN)/python -m tests.fuzz $(FUZZ_TARGETS)

# The tests that ask Flask and Werkzeug the same, with 20,000 examples each.
fuzz-differential: $(DEV)
	HYPOTHESIS_PROFILE=fuzz $(BIN)/python -m pytest -n auto -q tests/contract --timeout 3600

# Servers under load and faults, for MINUTES (10) of mixed traffic and as many of each fault; what is needed of Debian
# stands in tests/faults/long_runs.py.
soak: $(DEV)
	$(BIN)/python -m tests.faults.soak --minutes $(or $(MINUTES),10)
	$(BIN)/python -m tests.faults.long_runs --minutes $(or $(MINUTES),10)

$(READY): pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --upgrade "pip>=25.1"
	$(BIN)/python -m pip install -q --editable .
	touch $@

$(DEV): $(READY)
	$(BIN)/python -m pip install -q --group dev --group ecosystem --editable ".[async,crypto,dotenv,redis,reload]"
	touch $@

# The peers live apart: some of Flask's extensions change what they do where another framework is installed.
$(BENCH): pyproject.toml
	test -x .venv-bench/bin/python || $(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install -q --upgrade "pip>=25.1"
	.venv-bench/bin/python -m pip install -q --group bench --editable ".[async,crypto,dotenv,limits,redis,reload]"
	touch $@

clean:
	rm -rf .venv .venv-bench .mypy_cache .ruff_cache .pytest_cache .hypothesis .fuzz

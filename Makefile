# Every target sets up what it needs in .venv by itself; PYTHON chooses the interpreter (3.11 or newer).
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
DEV := .venv/.dev
BENCH := .venv-bench/.ready
EXTRAS := async,compress,crypto,docs-ui,dotenv,limits,otel,redis
# Releases are those of the lock file, for what builds the package too; docs/decisions/0015-lock-file.md says why.
LOCK := constraints.txt
INSTALL := -m pip install -q --constraint $(LOCK) --build-constraint $(LOCK)

.PHONY: run test test-all pythons quick lint types bench served instructions coverage mutation docs site pictures dist
.PHONY: ecosystem ecosystem-quick fuzz fuzz-parsers fuzz-differential soak optimized clients accessible newcomer contract lighthouse docs-ui lock newest clean

# The example application at http://127.0.0.1:5000.
run: $(READY)
	$(BIN)/costrel --app examples/gallery run

# The tests to run before each commit, on every core. Those with real parts (a browser, Redis, type checkers, the tests
# of other packages), those that need many servers and those of long duration are left to `make test-all`.
MARKS := not (browser or ci or npm or slow)

test: $(DEV)
	$(BIN)/python -m pytest -n auto --dist loadgroup -m "$(MARKS)"

# All tests, with 300 examples of each property; the browser's are skipped, with a line that says so, if Chromium is missing.
test-all: $(DEV)
	HYPOTHESIS_PROFILE=ci $(BIN)/python -m pytest -n auto --dist loadgroup

# The tests of one room and of the architecture: make quick ROOM=http.
ROOM ?= http

quick: $(DEV)
	$(BIN)/python -m pytest -q -n auto --dist loadgroup tests/$(ROOM) tests/architecture -m "$(MARKS)"

# The tests of the rooms that applications use, under python -O: nothing rests on an assert.
optimized: $(DEV)
	$(BIN)/python -O -m pytest -q -n auto --dist loadgroup -W ignore::pytest.PytestConfigWarning $(OPTIMIZED:%=tests/%)

# The core rooms' tests on every other Python from 3.11 on that is here; PYTHONS names versions ("3.12 3.13").
pythons: $(DEV)
	BIN=$(BIN) LOCK=$(LOCK) EXTRAS=$(EXTRAS) MARKS="$(MARKS)" .ci/pythons $(CORE:%=tests/%)

CORE := app http messages middleware routing services support typed views
OPTIMIZED := $(CORE) edges security sessions testing

lint: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(DEV)
	$(BIN)/mypy
	cd examples/tutorial/chapter8 && ../../../$(BIN)/mypy --explicit-package-bases

# Costrel and its peers in one run, as ratios: writes the tables and plots of docs/performance.md. Takes about 40 minutes.
# `make bench served` measures only the servers (Debian: wrk, postgresql), in about 20 minutes.
bench: $(BENCH)
	.venv-bench/bin/python -m benchmarks $(or $(filter served,$(MAKECMDGOALS)),all)

served: bench

# Instructions per request, by callgrind (Debian: valgrind, gcc): writes their tables in docs/performance.md. Five minutes.
instructions: $(BENCH)
	.venv-bench/bin/python -m benchmarks instructions

# Branch coverage of all tests; fails below the floor in pyproject.toml.
coverage: $(DEV)
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -q
	$(BIN)/coverage combine -q
	$(BIN)/coverage report

# Mutation testing of core modules, which pyproject.toml names: lists the changes to them that no test notices.
mutation: $(DEV)
	$(BIN)/python $(INSTALL) --group mutation
	$(BIN)/python -m mutmut run
	$(BIN)/python -m mutmut results

# The snippets and links of the documentation.
docs: $(DEV)
	$(BIN)/python -m pytest -q tests/docs

# The packages' own tests, on Flask and on Costrel: writes their table in docs/compatibility.md. Takes about half an hour
# the first time; what is fetched and installed stays in ~/.cache/costrel-suites.
ecosystem: $(DEV)
	$(BIN)/python -m tests.ecosystem.suites --table

# The quick ones of them, in four minutes at most.
ecosystem-quick: $(DEV)
	$(BIN)/python -m tests.ecosystem.suites --quick

# The documentation as a site that works without a network, in build/site. Warnings are errors.
site: $(READY)
	$(BIN)/python $(INSTALL) --group docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet --strict

# The distribution: built, checked, and tried in a fresh environment.
dist: $(READY)
	$(BIN)/python $(INSTALL) --group dist
	PYTHON=$(BIN)/python LOCK=$(LOCK) .ci/dist

# The pictures of the tutorial, by Chromium.
pictures: $(DEV)
	$(BIN)/python -m tests.examples.pictures

# Both kinds of fuzzing; takes hours.
fuzz: fuzz-parsers fuzz-differential

# Every parser under atheris, FUZZ_SECONDS (60) for each target; FUZZ_TARGETS names some of them (tests/fuzz/targets.py).
fuzz-parsers: $(DEV)
	$(BIN)/python $(INSTALL) --group fuzz
	$(BIN)/python -m tests.fuzz $(FUZZ_TARGETS)

# The tests that ask Flask, Werkzeug and msgspec the same, with 20,000 examples each; of msgspec 50,000.
fuzz-differential: $(DEV)
	HYPOTHESIS_PROFILE=fuzz $(BIN)/python -m pytest -n auto -q tests/contract tests/typed/test_collecting.py --timeout 3600

# Servers under load and faults, for MINUTES (10) of mixed traffic and as many of each fault; what is needed of Debian
# stands in tests/faults/long_runs.py.
soak: $(DEV)
	$(BIN)/python -m tests.faults.soak --minutes $(or $(MINUTES),10) --pause $(or $(PAUSE),0.05)
	$(BIN)/python -m tests.faults.long_runs --minutes $(or $(MINUTES),10)

# Clients in TypeScript and Python that are generated from API documents, and a linter of documents; needs node and npm.
clients: $(DEV)
	npm ci --prefix tests/openapi/clients --ignore-scripts --no-audit --no-fund
	COSTREL_TEST_CLIENTS=required $(BIN)/python -m pytest -q tests/openapi/test_clients.py

# The front page of the gallery, audited by Lighthouse; needs node 18.20 or newer, npm and Chromium.
lighthouse: $(DEV)
	npm ci --prefix tests/gallery/lighthouse --ignore-scripts --no-audit --no-fund
	COSTREL_TEST_LIGHTHOUSE=required $(BIN)/python -m pytest -q -rP tests/gallery/test_lighthouse.py

# The rules of axe on the site and on all pages that Costrel makes, wide and narrow, light and dark; needs node and npm.
accessible: $(DEV) site
	npm ci --prefix tests/accessibility --ignore-scripts --no-audit --no-fund
	COSTREL_TEST_AXE=required $(BIN)/python -m pytest -q tests/accessibility

# The first steps of the README, in an empty folder and with Chromium: prints the time that they take.
newcomer: $(DEV)
	COSTREL_TEST_NEWCOMER=required $(BIN)/python -m pytest -q tests/docs/test_newcomer.py

# Thousands of requests generated by schemathesis, to the gallery and to an application with every feature of typed views.
contract: $(DEV)
	$(BIN)/python -m tests.openapi.contract_run

# Fetch Swagger UI's files from npm, for the extra docs-ui; the release and its hash are in the script.
docs-ui:
	packages/costrel-docs-ui/vendor

# Write the lock file: the newest releases that fit pyproject.toml, on each of these Pythons that is here.
LOCK_PYTHONS ?= python3.11 python3.12 python3.13

lock:
	rm -rf .venv-lock && mkdir .venv-lock
	for python in $(LOCK_PYTHONS); do \
		if $$python -c "" 2>/dev/null; then \
			$$python -m venv .venv-lock/$$python && \
			.venv-lock/$$python/bin/python -m pip install -q --upgrade "pip>=25.3" || exit 1; \
		else echo "Without $$python, which is not installed."; fi; \
	done
	.venv-lock/$(firstword $(LOCK_PYTHONS))/bin/python .ci/lock .venv-lock/*/bin/python
	rm -rf .venv-lock

# All tests with the newest releases, in an environment of its own.
newest:
	rm -rf .venv-newest
	$(PYTHON) -m venv .venv-newest
	.venv-newest/bin/python -m pip install -q --upgrade pip
	.venv-newest/bin/python -m pip install -q --group dev --group ecosystem --editable ".[$(EXTRAS)]"
	.venv-newest/bin/python -m pytest -n auto --dist loadgroup

$(READY): pyproject.toml $(LOCK)
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --constraint $(LOCK) pip
	$(BIN)/python $(INSTALL) --editable ".[docs-ui]"
	touch $@

$(DEV): $(READY)
	$(BIN)/python $(INSTALL) --group dev --group ecosystem --editable ".[$(EXTRAS)]"
	touch $@

# The peers live apart: some of Flask's extensions change what they do where another framework is installed.
$(BENCH): pyproject.toml $(LOCK)
	test -x .venv-bench/bin/python || $(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install -q --constraint $(LOCK) pip
	.venv-bench/bin/python $(INSTALL) --group bench --editable ".[$(EXTRAS)]"
	touch $@

clean:
	rm -rf .venv .venv-bench .venv-lock .venv-newest .venv-3.* .mypy_cache .ruff_cache .pytest_cache .hypothesis .fuzz mutants

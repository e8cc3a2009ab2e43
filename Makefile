# Every target works from a fresh clone: it builds .venv from requirements.lock when it is missing or older than the lock.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.stamp
# Every extra but `ray`, which is larger than all the others together.
LOCKED := voice postgres mcp seal fast stats lsp vonage dev
CODE := voiceflow_compiler runtime schemas tests $(wildcard benchmarks examples)

.DEFAULT_GOAL := help
.PHONY: help venv demo demo-postgres test check format-check lint types contracts docs bench side-by-side soak faults long suites mutants corpus fuzz golden format lock clean
.DELETE_ON_ERROR:

help:  ## Show these targets.
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  \1\t/' | expand -t 16

venv: $(STAMP)  ## Build .venv from the lock file.

# Only hashed, locked files are installed; the build backend is among them, so nothing is fetched unlocked.
$(STAMP): requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(STAMP)  ## Place one spoken call on loopback: a call record, a transcript and a stereo WAV in out/demo.
	$(BIN)/vfc call flows/lead_qualification --voice spoken --out $(or $(OUT),out/demo)

demo-postgres: $(STAMP)  ## The shipped flows against PostgreSQL and a CRM over HTTP, on loopback: out/demo-postgres.
	$(BIN)/python -m examples.postgres --voice $(or $(VOICE),spoken) --speed $(or $(SPEED),1) --out $(or $(OUT),out/demo-postgres)

# Half of the time tests wait. The tests of a file stay together, since they share what took long to make; the files
# that take long come first (tests/conftest.py).
TESTS_AT_ONCE ?= 2
test: $(STAMP)  ## Run the tests, TESTS_AT_ONCE=2 files at a time; prints which took longest.
	$(BIN)/python -m pytest -n $(TESTS_AT_ONCE) --dist loadfile --no-loadscope-reorder --durations=15

check: format-check lint types contracts docs test  ## Everything a change must pass: format, lint, types, imports, docs, tests.

format-check: $(STAMP)
	$(BIN)/ruff format --check $(CODE)

lint: $(STAMP)
	$(BIN)/ruff check $(CODE)

types: $(STAMP)
	$(BIN)/mypy $(CODE)

contracts: $(STAMP)
	$(BIN)/lint-imports --no-logo

docs: $(STAMP)
	@test -s README.md && test -s CONTRIBUTING.md && test -s CHANGELOG.md

bench: $(STAMP)  ## Measure the compiler, the engine and the bridge.
	$(BIN)/python -m benchmarks

# The peers pin older libraries than ours: they have an environment of their own.
side-by-side: $(STAMP)  ## Measure the bridge beside bare relays and peers, one core each (about 15 minutes).
	@test -x .venv-peers/bin/python || $(PYTHON) -m venv .venv-peers
	@.venv-peers/bin/python -m pip install --quiet --requirement benchmarks/side_by_side/requirements.txt
	$(BIN)/python -m benchmarks.side_by_side --peers .venv-peers/bin/python

soak: $(STAMP)  ## Carry 10,000 short calls and see that nothing is left of them (about 8 minutes).
	$(BIN)/python -m benchmarks.soak --calls $(or $(CALLS),10000)

faults: $(STAMP)  ## Break the line, the model and the input on purpose, at full size.
	FAULTS_FULL=1 $(BIN)/python -m pytest -m "faults or long"

long: $(STAMP)  ## Run in full what the tests do in part: whole walks, two hundred flows, many calls.
	$(BIN)/python -m pytest -m long

suites: $(STAMP)  ## Generate the calls for the shipped flows and 200 random ones; print how few can do.
	@$(BIN)/python -m tests.suites $(or $(FLOWS),200)

races: $(STAMP)  ## 500 interleavings of who hangs up when, while a person is brought onto a call.
	INTERLEAVINGS=500 $(BIN)/python -m pytest tests/runtime/test_transfer_races.py

mutants: $(STAMP)  ## Break the engine and the checks on purpose, piece by piece; the tests must notice.
	$(BIN)/python -m pytest --verbose -m mutants tests/mutants tests/corpus

corpus: $(STAMP)  ## Print how many seeded defects the checks catch, and how many clean flows they accuse.
	@$(BIN)/python -m tests.corpus.corpus
	@$(BIN)/python -m tests.corpus.calls
	@$(BIN)/python -m tests.corpus.attack

fuzz: $(STAMP)  ## Break files for ten minutes and read them: flows, scenarios, settings, contacts, an editor's texts.
	$(BIN)/python -m tests.fuzz --minutes $(or $(MINUTES),10)

golden: $(STAMP)  ## Rewrite the expected files in tests/cases; read the diff afterwards.
	UPDATE_GOLDEN=1 $(BIN)/python -m pytest -m golden

format: $(STAMP)  ## Format the code and apply the safe fixes.
	$(BIN)/ruff format $(CODE)
	$(BIN)/ruff check --fix $(CODE)

# Written beside the lock and moved, because .venv (and so uv itself) depends on the lock.
lock: $(STAMP)  ## Resolve pyproject.toml again into requirements.lock.
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 $(LOCKED:%=--extra %) --generate-hashes \
	  --no-emit-index-url --no-annotate --no-header --no-config $(if $(UPGRADE),--upgrade) \
	  pyproject.toml --output-file requirements.lock
	@! grep -n '://' requirements.lock

clean:  ## Remove .venv and everything made from the sources.
	rm -rf .venv out dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# `make` regenerates generated/ from openapi.yaml. Everything runs in .venv, which is made when it is missing or
# when its requirements have changed; python3 (3.11 or newer), make and git are all that must be there.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := generate
.PHONY: generate drift demo test test-integration test-wheel flow lint docs build publish changelog bench bench-check api-diff update compare clean lock help

help: ## say what each target does
	@sed -n 's/^\([a-z-]*\):.*## /\1: /p' $(MAKEFILE_LIST) | column -t -s: 2>/dev/null || true

$(STAMP): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; say make PYTHON=python3.x")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing what requirements/dev.txt pins into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@mkdir -p generated/azure_imds_api emulator/azure_imds_emulator
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

generate: $(STAMP) ## make generated/ from openapi.yaml (the default)
	@$(BIN)/python -m generator

drift: $(STAMP) ## fail if generated/ is not what openapi.yaml gives
	@$(BIN)/python -m generator --check

demo: $(STAMP) ## a token and the machine's metadata from the embedded emulator
	@$(BIN)/python examples/demo.py

# A worker that has nothing left takes tests from another: some take a hundred times as long as most.
PYTEST = $(BIN)/python -m pytest --numprocesses=auto --dist=worksteal

test: $(STAMP) ## the tests, but those with parts from elsewhere
	@$(PYTEST) -m "not integration" $(PYTEST_ARGS)

test-integration: $(STAMP) ## the tests with parts from elsewhere, such as Azurite, Chromium, Dask, gunicorn and a package index
	@$(PYTEST) -m integration $(PYTEST_ARGS)

test-wheel: $(STAMP) ## the tests of the packages against the built wheel, on each Python that is there
	@$(BIN)/nox

flow: $(STAMP) ## each change of tests/project/flow made alone, from openapi.yaml to programs that use it
	@FLOW_EACH=1 $(BIN)/python -m pytest --numprocesses=auto tests/project/flow

lint: $(STAMP) ## style, types and the specification
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/pyright

docs: $(STAMP) ## the documentation site into site/
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --clean

build: $(STAMP) ## sdist, wheel and bill of materials into dist/, built twice and checked
	@$(BIN)/python -m maintenance build

publish: $(STAMP) ## all checks, then a build, uploaded to the package index INDEX_URL
	@$(BIN)/python -m maintenance publish $(PUBLISH_ARGS) -- '$(INDEX_URL)'

changelog: $(STAMP) ## fold changelog.d/ into CHANGELOG.md, under the version and today's date
	@$(BIN)/python -m maintenance changelog

bench: $(STAMP) ## speed and memory side by side with others, as ratios; BENCH_ARGS=--docs writes the page's table and plots
	@$(BIN)/python -m benchmarks $(BENCH_ARGS)

bench-check: $(STAMP) ## a quick run that fails where a target is missed by far
	@$(BIN)/python -m benchmarks --quick --check

api-diff: generate ## what the changes since the git reference BASE do to users; fails if something breaks
	@$(BIN)/python -m maintenance api-diff --base '$(BASE)'

update: $(STAMP) ## take the new document SPEC (file or URL) as openapi.yaml, if everything holds with it
	@$(BIN)/python -m maintenance update --spec '$(SPEC)'

compare: $(STAMP) ## what the description UPSTREAM has and openapi.yaml lacks, and the other way round
	@$(BIN)/python -m maintenance compare --upstream '$(UPSTREAM)'

lock: ## pin the development requirements anew, from pyproject.toml
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--no-annotate --group dev --all-extras pyproject.toml -o requirements/dev.txt

clean: ## remove the environment and everything that tools leave behind
	rm -rf $(VENV) dist build site .pytest_cache .mypy_cache .ruff_cache .hypothesis .nox
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

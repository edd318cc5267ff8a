# `make` generates generated/ from openapi.yaml. All programs run in .venv, which make creates, and updates when the
# requirements change. Requires python3 (3.11 or newer), make and git.

PYTHON ?= python3
ifeq (,$(strip $(PYTHON)))
override PYTHON := python3
endif
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
LOCKED := requirements/dev.txt

.DEFAULT_GOAL := generate
.PHONY: moved generate drift demo test test-integration test-wheel test-clients test-kubernetes test-ray coverage flow lint docs build publish changelog bench bench-check fleet api-diff update offer compare clean lock help

# `make demo` alone installs only what the demo imports, unless everything is installed.
ifeq (demo,$(MAKECMDGOALS)$(wildcard $(STAMP)))
STAMP := $(VENV)/.installed-demo
LOCKED := requirements/demo.txt
endif

# $(INSTALL) STAMP ... installs packages into the folder of STAMP, and creates STAMP when all are installed.
INSTALL = $(PYTHON) -m maintenance.environment

# $(call moved,STAMP): the target `moved`, which is always made, if the stamp names another folder than this one. A copied
# or moved environment imports this project from the old folder.
moved = $(shell test ! -s $(1) || test "$$(cat $(1))" = "$$(pwd -P)" || echo moved)

# Commands get the value of a variable as it was typed: make does not expand it, and for the shell it is quoted.
quoted = '$(subst ','\'',$(value $(1)))'

# $(call require,TARGET,VARIABLE,EXAMPLE,TEST,PROBLEM): if the target is made and the variable is empty, or the shell
# command TEST fails for its value $$V, this ends make with one line, before it installs or generates anything.
require = $(if $(filter $(1),$(MAKECMDGOALS)),$(if $(strip $(value $(2))),$(if \
	$(shell V=$(call quoted,$(2)); { $(4); } >/dev/null 2>&1 && echo true),,$(error \
	$(2) $(5). Example: `make $(1) $(2)=$(3)`)),$(error $(2) is missing. Example: `make $(1) $(2)=$(3)`)))
is_url = printf %s "$$V" | grep -q "^https*://"
is_file_or_url = test -f "$$V" || $(is_url)
not_commit = is not a tag, branch or commit of this checkout: $(value BASE)
not_file_or_url = is neither a file nor an http:// or https:// URL: $(value $(1))

# These targets read or write the history.
ifneq (,$(filter api-diff update offer build publish,$(MAKECMDGOALS)))
ifeq (,$(shell command -v git 2>/dev/null))
$(error git is not installed, or not in PATH: $(PATH))
endif
ifeq (,$(shell git rev-parse --git-dir 2>/dev/null))
$(error this folder is not a git checkout: $(CURDIR))
endif
endif
$(call require,api-diff,BASE,v0.1.0,git rev-parse --verify --end-of-options "$$V^{commit}",$(not_commit))
$(call require,update,SPEC,new.yaml,$(is_file_or_url),$(call not_file_or_url,SPEC))
$(call require,compare,UPSTREAM,imds.json,$(is_file_or_url),$(call not_file_or_url,UPSTREAM))
# Without the value, because it could contain a password.
$(call require,publish,INDEX_URL,https://index.example/,$(is_url),is not an http:// or https:// URL)

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): $(LOCKED) pyproject.toml $(call moved,$(STAMP))
	@command -v $(firstword $(PYTHON)) >/dev/null || { echo "$(firstword $(PYTHON)) is not installed, or not in PATH. Python 3.11 or newer is required: run make PYTHON=python3.x" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is required: run make PYTHON=python3.x")'
	@$(INSTALL) $@ --locked $<

generate: $(STAMP) ## generate generated/ from openapi.yaml (the default)
	@$(BIN)/python -m generator

drift: $(STAMP) ## fail if generated/ differs from what openapi.yaml generates
	@$(BIN)/python -m generator --check

demo: $(STAMP) ## print a token and the metadata of a machine, from the embedded emulator. Installs only what this needs
	@$(BIN)/python examples/demo.py

# COVERAGE=1 measures the branch coverage. `make coverage` reports it. A test that runs make is not told to measure too.
unexport COVERAGE
# worksteal: some tests take a hundred times as long as most, so idle workers take tests from busy ones.
PYTEST = $(BIN)/$(if $(COVERAGE),coverage run,python) -m pytest --numprocesses=auto --dist=worksteal

test: $(STAMP) ## run the tests, except for the integration tests
	@$(PYTEST) -m "not integration" $(PYTEST_ARGS)

test-integration: $(STAMP) ## run the tests that use programs of other projects, such as Azurite, Chromium and Dask, or take long
	@$(PYTEST) -m "integration and not large" $(PYTEST_ARGS)

test-wheel: $(STAMP) ## run the tests of the packages with the built wheel, on every installed Python
	@COVERAGE=$(COVERAGE) $(BIN)/nox

# The version that docs/guides/containers-and-ci.md names.
AZURE_CLI := 2.91.0

.tools/azure-cli/.installed-$(AZURE_CLI): $(call moved,.tools/azure-cli/.installed-$(AZURE_CLI))
	@$(INSTALL) $@ azure-cli==$(AZURE_CLI)

test-clients: $(STAMP) .tools/azure-cli/.installed-$(AZURE_CLI) ## install the Azure CLI into .tools/, which needs 700 MB, and run the tests with it
	@REQUIRE_INTEGRATION=1 $(BIN)/python -m pytest -m large tests/project/integration/test_azure_cli.py $(PYTEST_ARGS)

# The version that docs/guides/drain-ray.md names.
RAY := 2.60.0

.tools/ray/.installed-$(RAY): $(call moved,.tools/ray/.installed-$(RAY))
	@$(INSTALL) $@ ray==$(RAY)

test-ray: $(STAMP) .tools/ray/.installed-$(RAY) ## install Ray into .tools/, which needs 300 MB, and run the tests with it
	@REQUIRE_INTEGRATION=1 $(BIN)/python -m pytest -m large tests/project/integration/test_ray.py $(PYTEST_ARGS)

test-kubernetes: $(STAMP) ## run the tests with kube-apiserver and etcd, in the folder KUBEBUILDER_ASSETS (setup-envtest downloads them)
	@REQUIRE_INTEGRATION=1 $(BIN)/python -m pytest -m integration tests/project/integration/test_kubernetes_drain.py $(PYTEST_ARGS)

coverage: $(STAMP) ## report what all runs with COVERAGE=1 have measured, and fail below the required figure
	@set -- .coverage.*; test -e "$$1" || test -e .coverage || { echo "Nothing was measured: run make test COVERAGE=1" >&2; exit 1; }
	@set -- .coverage.*; test ! -e "$$1" || $(BIN)/coverage combine --quiet
	@$(BIN)/coverage report

flow: $(STAMP) ## make each change of tests/project/flow separately, from openapi.yaml to the programs of users
	@FLOW_EACH=1 $(BIN)/python -m pytest --numprocesses=auto tests/project/flow

lint: $(STAMP) ## check the style, the types and the specification
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@echo "mypy checks the types ..."
	@$(BIN)/mypy
	@echo "pyright checks the types, which usually takes a minute ..."
	@$(BIN)/pyright

docs: $(STAMP) ## build the documentation site into site/, or keep the old one if that fails
	@$(BIN)/python -m maintenance docs

build: $(STAMP) ## build and check the sdist, the wheel and the bill of materials in dist/
	@$(BIN)/python -m maintenance build

publish: $(STAMP) ## run all checks, build, and upload to the package index INDEX_URL
	@$(BIN)/python -m maintenance publish $(PUBLISH_ARGS) -- $(call quoted,INDEX_URL)

changelog: $(STAMP) ## move changelog.d/ to CHANGELOG.md, under the version and the date of today
	@$(BIN)/python -m maintenance changelog

bench: $(STAMP) ## compare speed and memory with other libraries. BENCH_ARGS=--docs writes the tables and the plots
	@$(BIN)/python -m benchmarks $(BENCH_ARGS)

bench-check: $(STAMP) ## run the benchmarks quickly, and fail if one misses its target twice by more than noise
	@$(BIN)/python -m benchmarks --quick --check

fleet: $(STAMP) ## simulate fleets of up to 200 machines. FLEET_ARGS=--docs writes the tables of docs/fleet.md
	@$(BIN)/python -m benchmarks.fleet $(FLEET_ARGS)

api-diff: generate ## show what the changes since the git reference BASE mean for users, and fail if something breaks
	@$(BIN)/python -m maintenance api-diff --base $(call quoted,BASE)

update: $(STAMP) ## replace openapi.yaml by the document SPEC (a file or URL), if all tests pass with it
	@$(BIN)/python -m maintenance update --spec $(call quoted,SPEC) $(UPDATE_ARGS)

offer: $(STAMP) ## push what `make update` changed as a new branch, with the table of changes as its description
	@$(BIN)/python -m maintenance offer $(OFFER_ARGS)

compare: $(STAMP) ## compare the description UPSTREAM with openapi.yaml. COMPARE_ARGS=--only-upstream lists what is missing here
	@$(BIN)/python -m maintenance compare --upstream $(call quoted,UPSTREAM) $(COMPARE_ARGS)

# Runs with an older environment too: the requirements may be what is wrong.
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-header --no-annotate pyproject.toml

lock: $(if $(wildcard $(BIN)/uv),,$(STAMP)) ## pin the requirements of pyproject.toml in requirements/
	@echo "Pinning the requirements of pyproject.toml in requirements/dev.txt and requirements/demo.txt ..."
	@$(COMPILE) --group dev --all-extras -o requirements/dev.txt
	@$(COMPILE) --group build --extra emulator --constraint requirements/dev.txt -o requirements/demo.txt

clean: ## remove the environments, .tools/ included, and all files that tools write
	rm -rf $(VENV) .tools .nox dist build site .site-* .pytest_cache .mypy_cache .ruff_cache .hypothesis .schemathesis .coverage*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

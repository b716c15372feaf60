# What a person does with this project; `make help` lists it. `.ci/run` does `make test`.

PYTHON ?= python3
PORT ?= 8000
SERVE ?= 1
# Which site `make demo` makes: seed, or shop (examples/shop).
SITE ?= seed
# What `auto` is, tests/conftest.py says; PYTEST="-x -k word" narrows a run.
WORKERS ?= auto
PYTEST ?=
# A file is one worker's, so that what its tests share is made once; tests/conftest.py orders the files.
SHARED := -n $(WORKERS) --dist loadfile --no-loadscope-reorder

BIN := .venv/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check --no-input --quiet
RUN := .venv/installed
DEV := .venv/installed-dev
# In the order of how long they take: the longest begins first.
LINTS := lint-container lint-mypy lint-basedpyright lint-javascript lint-layers lint-ruff lint-locks lint-sql lint-workflows
WORKFLOWS := robbieblocks/content/starter/files/dot-github/workflows/preview.yml

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo demo-seed demo-shop serve check test lint $(LINTS) format seeds catalogue reference schemadocs fonts docs bench lock clean

help:  ## List the targets
	@sed -n 's/^\([a-z]*\):.*  ## /\1\t/p' Makefile | expand -t 10

demo: demo-$(SITE)  ## Build the seeded site, then serve it until Ctrl-C (SITE=shop; SERVE=0: build only; PORT=8000)

demo-seed: $(RUN)
	$(BIN)/robbieblocks build
ifneq ($(SERVE),0)
	@exec $(BIN)/robbieblocks serve --port $(PORT)
endif

SHOP := cd examples/shop && $(CURDIR)/$(BIN)/robbieblocks
# Pictures need what a demo does without (Pillow).
demo-shop: $(DEV)
	$(SHOP) db init
	$(SHOP) db psql -q -v ON_ERROR_STOP=1 -f products.sql
	$(SHOP) collections install --apply
	$(SHOP) content import
	$(SHOP) build --strict
ifneq ($(SERVE),0)
	@$(SHOP) serve --port $(PORT)
endif

serve: $(RUN)  ## Serve what is live on every node until Ctrl-C (PORT=8000)
	@exec $(BIN)/robbieblocks serve --port $(PORT)

check: $(DEV)  ## The everyday tests: every unit test, in under a minute
	$(BIN)/python -m pytest $(SHARED) -q $(PYTEST) tests/unit

test: $(DEV) lint  ## Everything: lint, types, layers, and every test
	$(BIN)/python -m tests.fetch
	$(BIN)/python -m pytest $(SHARED) $(PYTEST)

lint: $(DEV)  ## Format, lint, types, layers, SQL, workflows, and the lock files
	@+$(MAKE) --no-print-directory --jobs --output-sync $(LINTS)

# Each is its own program, and all run at once.
lint-ruff:
	$(BIN)/python -m ruff format --check --quiet .
	$(BIN)/python -m ruff check --quiet .
lint-mypy:
	$(BIN)/python -m mypy
lint-basedpyright:
	$(BIN)/python -m basedpyright
lint-layers:
	$(BIN)/lint-imports
lint-javascript:
	$(BIN)/python -m tools.javascript
lint-sql:
	$(BIN)/squawk 'schema/**/*.sql'
lint-container:
	$(BIN)/hadolint Dockerfile
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.compose-spec compose.yaml
lint-workflows:
	$(BIN)/zizmor --offline --quiet --config .github/zizmor.yml action.yml $(WORKFLOWS)
lint-locks:
	$(BIN)/python tools/lock.py --check

format: $(DEV)  ## Format, and mend what lint can mend
	$(BIN)/python -m ruff format .
	$(BIN)/python -m ruff check --fix .
	$(BIN)/python -m tools.javascript --write

seeds: $(RUN)  ## Write the seeds of the schema file from the tokens and the branding of nodes
	$(BIN)/python tools/seeds.py

catalogue: $(RUN)  ## Write what `db verify` compares with, after a change of the schema file
	$(BIN)/python tools/catalogue.py

reference: $(RUN)  ## Write what docs/ says of commands, settings, errors and columns from the code
	$(BIN)/python -m tools.reference

schemadocs: $(DEV)  ## Write docs/schema/ from a database with every file of the unified schema
	$(BIN)/python -m tools.schema_docs

fonts: $(DEV)  ## Write the common letters of the toolchain's fonts, after a change of its lock
	$(BIN)/python -m tools.fonts

docs: $(DEV)  ## Build the documentation as a site of RobbieBlocks, then serve it until Ctrl-C (SERVE=0, PORT=8000)
	$(BIN)/python -m tools.docs_site .robbieblocks/docs
	cd .robbieblocks/docs && $(CURDIR)/$(BIN)/robbieblocks content import --prune
	cd .robbieblocks/docs && $(CURDIR)/$(BIN)/robbieblocks build
ifneq ($(SERVE),0)
	@cd .robbieblocks/docs && exec $(CURDIR)/$(BIN)/robbieblocks serve --port $(PORT)
endif

bench: $(DEV)  ## Measure: whole processes, medians, ratios in one run
	$(BIN)/python -m benchmarks

lock:  ## Pin the newest allowed version of everything (needs the registries)
	$(PYTHON) tools/lock.py

clean:  ## Remove what was built and installed here; downloads stay in the user's cache
	rm -rf .venv .robbieblocks dist build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# An environment that was made before is only brought up to date, so a second `make` costs nothing.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "RobbieBlocks needs Python 3.11 or newer; name one: make PYTHON=python3.12" >&2; exit 1; }
	@echo "Making the environment in .venv"
	@$(PYTHON) -m venv .venv \
	  || { rm -rf .venv; echo "python3 -m venv failed: install your system's python3-venv package" >&2; exit 1; }

$(RUN): requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing the locked packages"
	@$(PIP) --require-hashes --only-binary :all: -r requirements.lock
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

$(DEV): requirements-dev.lock $(RUN)
	@echo "Installing the locked packages for tests"
	@$(PIP) --require-hashes --only-binary :all: -r requirements-dev.lock
	@touch $@

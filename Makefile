# Every target sets up .venv by itself; what it needs is python3 (3.11 or newer) with venv, make and git.
# `make test ARGS='-k order'` passes ARGS on to pytest.

.DEFAULT_GOAL := help
.PHONY: help demo test lint bench torture requirements clean
.DELETE_ON_ERROR:
# Each target uses every core by itself, and two pips must not write to one venv.
.NOTPARALLEL:

VENV := .venv
BIN := $(VENV)/bin
PYTHON := $(BIN)/python
PIP := $(PYTHON) -m pip --disable-pip-version-check -qq
# A venv holds absolute paths: in a moved or copied folder the stamps do not count.
STAMPS := $(VENV)/stamps-$(shell pwd | cksum | cut -d ' ' -f 1)

help: ## say what there is to make
	@awk -F ':[^#]*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

demo: $(STAMPS)/run ## a sandbox portal from first plan to "No changes.", in seconds
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh examples/demo.sh

test: $(STAMPS)/test ## the tests, in parallel
	@$(PYTHON) -m pytest -n auto -m 'not torture' $(ARGS)

lint: $(STAMPS)/lint ## style, types and import rules
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/mypy
	@$(BIN)/lint-imports

torture: $(STAMPS)/fuzz ## every fault at every request, and the fuzz targets; minutes
	@$(PYTHON) -m pytest -n auto -m torture $(ARGS)

bench: $(STAMPS)/bench ## measure side by side; ONLY="help validate" for some of it, ONLY=--write for docs
	@$(PYTHON) -m benchmarks $(ONLY)

requirements: $(STAMPS)/run ## write .ci/requirements.txt again: what the action installs, by hash
	@$(PIP) install 'uv>=0.13,<1'
	@{ echo '# What the action and the pipeline install, and hatchling to build this project; make requirements writes it.'; \
	  $(PYTHON) -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")' \
	  | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate pyproject.toml -; \
	} > $(STAMPS)/requirements && mv $(STAMPS)/requirements .ci/requirements.txt

clean: ## remove .venv and every cache
	@rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

$(STAMPS)/venv:
	@for python in $${PYTHON3:-} python3 python3.15 python3.14 python3.13 python3.12 python3.11; do \
	  if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$$python; break; fi; \
	done; \
	if [ -z "$${found:-}" ]; then echo 'Python 3.11 or newer is needed, as python3 or python3.11 to python3.15.' >&2; exit 1; fi; \
	echo "Setting up $(VENV) with $$("$$found" --version)" >&2; \
	"$$found" -m venv --clear $(VENV) || { echo 'python3 lacks its venv module; on Debian and Ubuntu: apt-get install python3-venv' >&2; exit 1; }
	@$(PIP) install 'pip>=25.1' # the first to know dependency groups
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/run: pyproject.toml $(STAMPS)/venv
	@echo 'Installing reconciler' >&2
	@$(PIP) install --editable .
	@touch $@

$(STAMPS)/test: $(STAMPS)/run
	@echo 'Installing the test group' >&2
	@$(PIP) install --group test
	@touch $@

$(STAMPS)/fuzz: $(STAMPS)/test
	@echo 'Installing the fuzz group' >&2
	@$(PIP) install --group fuzz
	@touch $@

$(STAMPS)/lint: $(STAMPS)/test
	@echo 'Installing the lint group' >&2
	@$(PIP) install --group lint
	@touch $@

$(STAMPS)/bench: $(STAMPS)/run
	@echo 'Installing the bench group' >&2
	@$(PIP) install --group bench
	@touch $@

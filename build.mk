# What `sam build` runs, one target per function (template.yaml: BuildMethod makefile).
# Included by the Makefile, and run in its folder (samconfig.toml: build_in_source). An artifact holds core/,
# the function's own folder and its dependencies, made for the Lambda runtime whatever Python this machine has.

BUILD_UV = $(or $(shell command -v uv),.venv/bin/uv)

BUILDS = build-SubmitterFunction build-WebhookReceiverFunction build-SweeperFunction build-NotifierFunction \
         build-WebhookSenderFunction

.PHONY: $(BUILDS)

# Each function takes the packages that it imports and no others. requests reads answers with chardet or
# charset_normalizer, whichever is there. pypdf's bytecode is as large as all else, and it is rarely needed.
FOR_REQUESTS = requests urllib3 certifi idna

build-SubmitterFunction:       ARTIFACT_FOLDER = submitter
build-SubmitterFunction:       USES = $(FOR_REQUESTS) chardet pypdf
build-WebhookReceiverFunction: ARTIFACT_FOLDER = webhook_receiver
build-WebhookReceiverFunction: USES = $(FOR_REQUESTS) charset_normalizer
build-SweeperFunction:         ARTIFACT_FOLDER = sweeper
build-SweeperFunction:         USES = $(FOR_REQUESTS) charset_normalizer
build-NotifierFunction:        ARTIFACT_FOLDER = notifier
build-NotifierFunction:        USES =
build-WebhookSenderFunction:   ARTIFACT_FOLDER = webhook_sender
build-WebhookSenderFunction:   USES = urllib3 certifi standardwebhooks

# Only the submitter reads transcripts.
LEAVES_OUT = core/transcripts/formats core/transcripts/reader.py core/transcripts/encodings.py
build-SubmitterFunction:       LEAVES_OUT =

EACH_USES = aws_lambda_powertools jmespath typing_extensions

# Lambda can't keep bytecode beside the code, so without it each new environment compiles everything anew,
# which is half of a cold start. It is made by a Python of the runtime's version, whichever one this is run
# with; another one's would be ignored. Unchecked: an archive does not keep the times that a check compares.
# That Python is one of the PATH, or that pyenv or uv keeps, or RUNTIME_PYTHON. BYTECODE=no leaves it out.
PYTHONS = $(RUNTIME_PYTHON) python3.13 $(wildcard $(or $(PYENV_ROOT),$(HOME)/.pyenv)/versions/3.13.*/bin/python \
          $(HOME)/.local/share/uv/python/cpython-3.13.*/bin/python3.13)

# compiled,FOLDER,PARTS: the bytecode of parts of a folder that becomes /var/task, or of nothing
define compiled
cd "$(1)" && for python in $(if $(filter no,$(BYTECODE)),,$(PYTHONS)); do \
  "$$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null || continue; \
  exec "$$python" -m compileall -q --invalidation-mode unchecked-hash -x 'pypdf/' -p /var/task $(2); \
done; \
[ "$(BYTECODE)" = no ] || echo "No Python 3.13 is here: without its bytecode a function starts half a second later." >&2
endef

# Fetched once, so that a build asks nobody: a stack comes up without a network, and sooner.
# --require-hashes with --no-deps: requirements/runtime.txt is the whole list. uv compiles no bytecode.
$(PACKAGES)/ready: requirements/runtime.txt
	@rm -rf $(PACKAGES)
	@"$(BUILD_UV)" pip install --quiet --link-mode copy --only-binary :all: --require-hashes --no-deps \
	  --python-version 3.13 --python-platform aarch64-manylinux_2_28 \
	  --target $(PACKAGES)/python --requirements requirements/runtime.txt
	@touch $@

# By itself, for the local stack does without, and whoever deploys afterwards must not.
$(PACKAGES)/compiled: $(PACKAGES)/ready
	@$(call compiled,$(PACKAGES)/python,.)
	@touch $@

# METADATA stays, so that vulnerability scanners recognise what is inside. Of Powertools the logger and the
# metrics are used; its other parts are four fifths of it. chardet and charset_normalizer bring compiled
# twins of their modules, which double them and fit one machine only. `[!_jt]*` leaves of Powertools' utilities
# what the logger imports: jmespath_utils and typing.
NOT_USED = *.so chardet/models/training_metadata.yaml aws_lambda_powertools/event_handler \
           aws_lambda_powertools/utilities/[!_jt]* aws_lambda_powertools/utilities/__pycache__/[!_]* \
           $(addprefix *.dist-info/,RECORD WHEEL INSTALLER REQUESTED entry_points.txt top_level.txt sboms)

# tar, and not cp: bytecode comes and goes while tests run beside a build.
$(BUILDS): $(PACKAGES)/$(if $(filter no,$(BYTECODE)),ready,compiled)
	cd $(PACKAGES)/python && tar $(foreach each,$(NOT_USED),--exclude '$(each)') -cf - \
	  $(foreach name,$(EACH_USES) $(USES),$$(ls -d $(name) $(name).py __pycache__/$(name).*.pyc $(name)-*.dist-info 2>/dev/null)) \
	  | tar -C "$(ARTIFACTS_DIR)" -xf -
	tar $(addprefix --exclude ,__pycache__ $(LEAVES_OUT)) -cf - core "$(ARTIFACT_FOLDER)" | tar -C "$(ARTIFACTS_DIR)" -xf -
	@$(call compiled,$(ARTIFACTS_DIR),core "$(ARTIFACT_FOLDER)")

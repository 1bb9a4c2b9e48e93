# What `sam build` runs, one target per function (template.yaml: BuildMethod makefile).
# Included by the Makefile, and run in its folder (samconfig.toml: build_in_source). An artifact holds core/,
# the function's own folder and its dependencies, made for the Lambda runtime whatever Python this machine has.

BUILD_UV = $(or $(shell command -v uv),.venv/bin/uv)

BUILDS = build-SubmitterFunction build-WebhookReceiverFunction build-SweeperFunction build-NotifierFunction \
         build-WebhookSenderFunction

.PHONY: $(BUILDS)

build-SubmitterFunction:       ARTIFACT_FOLDER = submitter
build-WebhookReceiverFunction: ARTIFACT_FOLDER = webhook_receiver
build-SweeperFunction:         ARTIFACT_FOLDER = sweeper
build-NotifierFunction:        ARTIFACT_FOLDER = notifier
build-WebhookSenderFunction:   ARTIFACT_FOLDER = webhook_sender

# Fetched once, so that a build asks nobody: a stack comes up without a network, and sooner.
# --require-hashes with --no-deps: requirements/runtime.txt is the whole list. uv compiles no bytecode.
$(PACKAGES)/ready: requirements/runtime.txt
	@rm -rf $(PACKAGES)
	@"$(BUILD_UV)" pip install --quiet --link-mode copy --only-binary :all: --require-hashes --no-deps \
	  --python-version 3.13 --python-platform aarch64-manylinux_2_28 \
	  --target $(PACKAGES)/python --requirements requirements/runtime.txt
	@touch $@

# METADATA stays, so that vulnerability scanners recognise what is inside. The Swagger pages of
# Powertools' event handler are a quarter of the archive and nothing here serves them. chardet and
# charset_normalizer bring compiled twins of their modules, which double it and fit one machine only.
# tar, and not cp: bytecode comes and goes while tests run beside a build.
$(BUILDS): $(PACKAGES)/ready
	tar -C $(PACKAGES)/python -cf - . | tar -C "$(ARTIFACTS_DIR)" -xf -
	cd "$(ARTIFACTS_DIR)" && rm -rf bin .lock \
	  *.dist-info/RECORD *.dist-info/WHEEL *.dist-info/INSTALLER *.dist-info/REQUESTED \
	  *.dist-info/entry_points.txt *.dist-info/top_level.txt \
	  aws_lambda_powertools/event_handler/openapi/swagger_ui/*.js \
	  aws_lambda_powertools/event_handler/openapi/swagger_ui/*.css \
	  chardet/models/training_metadata.yaml
	find "$(ARTIFACTS_DIR)" -name '*.so' -delete
	tar --exclude __pycache__ -cf - core "$(ARTIFACT_FOLDER)" | tar -C "$(ARTIFACTS_DIR)" -xf -

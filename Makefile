# The two commands of this project are `make run` and `make test`; `make help` lists the rest.

PYTHON ?= python3
PORT ?= 8080
MLFLOW_PORT ?= 5000
NAME := mnist

# Two environments: one that trains and tests, and one that serves, with no TensorFlow in it.
VENV ?= .venv
VENV_SERVE ?= .venv-serve

# What the tests leave for each other: the model that they train, and pytest laid beside the
# serving environment, so that its tests run in exactly what is shipped.
BUILD := build
PYTEST_BESIDE := $(BUILD)/pytest
TEST_MODELS := $(BUILD)/test-models

LOCK := $(VENV)/bin/uv pip compile --universal --generate-hashes --no-header --no-annotate \
	--no-emit-index-url --fork-strategy fewest --python-version 3.11 --quiet $(LOCK_OPTIONS)

, := ,

.DEFAULT_GOAL := help
.PHONY: help setup run model mlflow test test-export test-others images test-images bench-quick lint lock clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/.installed $(VENV_SERVE)/.installed ## make both environments from the hash-pinned requirements

run: $(VENV_SERVE)/.installed ## serve on PORT (8080); train and export first where there is no model yet
	@ls models/$(NAME)/*/model.onnx > /dev/null 2>&1 || $(MAKE) --no-print-directory model
	@printf '\nOnce it serves, ask it from another terminal:\n\n  curl --json "@%s" http://127.0.0.1:%s/predict\n\n' \
		'$(CURDIR)/examples/digits.json' '$(PORT)'
	@exec $(VENV_SERVE)/bin/python -m serve --name $(NAME) --port $(PORT)

model: $(VENV)/.installed ## train a model and publish it as the next version
	$(VENV)/bin/python -m train
	$(VENV)/bin/python -m export --best --name $(NAME)

mlflow: $(VENV)/.installed ## show all runs in MLflow's own pages on MLFLOW_PORT (5000)
	@case "$$MLFLOW_TRACKING_URI" in http*) \
		echo "MLflow is served already: $$MLFLOW_TRACKING_URI"; exit 1;; esac
	@MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false exec $(VENV)/bin/mlflow ui --workers 1 --port $(MLFLOW_PORT) \
		--backend-store-uri "$${MLFLOW_TRACKING_URI:-sqlite:///mlflow.db}"

# Those of export beside all others, for each alone leaves half of a CPU idle; those of training and of
# serve, where processes wait for each other, alone. They share no files at the same time.
test: setup $(PYTEST_BESIDE)/.installed $(BUILD)/clients/.installed $(BUILD)/mlserver/.installed ## run all tests, those of serve and bundle without TensorFlow
	rm -rf $(TEST_MODELS) $(TEST_MODELS)-export
	$(VENV)/bin/python -m pytest --repository=$(TEST_MODELS) tests/train tests/tracking
	$(MAKE) --no-print-directory --jobs=2 --output-sync=target test-export test-others
	PYTHONPATH=$(PYTEST_BESIDE) $(VENV_SERVE)/bin/python -m pytest --repository=$(TEST_MODELS) \
		tests/bundle tests/serve

test-export:
	$(VENV)/bin/python -m pytest --repository=$(TEST_MODELS)-export tests/export

test-others:
	$(VENV)/bin/python -m pytest --repository=$(TEST_MODELS) --ignore=tests/bundle --ignore=tests/serve \
		--ignore=tests/train --ignore=tests/tracking --ignore=tests/export

images: ## build the images onnxlet-serve and onnxlet-train; CA_FILE=FILE for a firm's own certificates
	for image in serve train; do \
		DOCKER_BUILDKIT=1 docker build --file Dockerfile.$$image --tag onnxlet-$$image \
			--build-arg COMMIT=$$(git describe --always --dirty) $(if $(CA_FILE),--secret id=ca$(,)src=$(CA_FILE)) . \
			|| exit; \
	done

test-images: setup $(BUILD)/clients/.installed ## build both images and test them; needs root, or an engine that runs
	$(VENV)/bin/python -m pytest --repository=$(TEST_MODELS) --images -s tests/images

bench-quick: setup ## has the server become slower? three minutes; BENCH_OPTIONS=--help for more
	$(VENV)/bin/python -m benchmarks guard $(BENCH_OPTIONS)

lint: $(VENV)/.installed ## check format, style and types
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy

lock: $(VENV)/.installed ## compile requirements/ anew from pyproject.toml; LOCK_OPTIONS=--upgrade for newer ones
	$(LOCK) --group pyproject.toml:dev -o requirements/dev.txt
	for group in serve train export pytest peer-fastapi load; do \
		$(LOCK) --group pyproject.toml:$$group -c requirements/dev.txt -o requirements/$$group.txt; \
	done
	for group in clients mlserver sbom peer-bentoml peer-course peer-litserve peer-mlflow peer-mosec \
		peer-naive peer-ray; do \
		$(LOCK) --group pyproject.toml:$$group -o requirements/$$group.txt; \
	done

clean: ## remove environments and caches; data, runs and models stay
	rm -rf $(VENV) $(VENV_SERVE) $(BUILD) .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -prune -exec rm -rf {} +

$(VENV)/.installed: requirements/dev.txt
	$(call install,$(VENV),$<)

$(VENV_SERVE)/.installed: requirements/serve.txt
	$(call install,$(VENV_SERVE),$<)

$(PYTEST_BESIDE)/.installed: requirements/pytest.txt $(VENV_SERVE)/.installed
	rm -rf $(PYTEST_BESIDE)
	$(VENV_SERVE)/bin/pip install --quiet --require-hashes --target $(PYTEST_BESIDE) -r $<
	@touch $@

$(BUILD)/clients/.installed $(BUILD)/mlserver/.installed: $(BUILD)/%/.installed: requirements/%.txt
	$(call install,$(BUILD)/$*,$<)

$(BUILD)/peers/%/.installed: requirements/peer-%.txt
	$(call install,$(BUILD)/peers/$*,$<)

# install(environment, requirements)
define install
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || { \
		echo "onnxlet needs Python 3.11 to 3.13, but $(PYTHON) is $$($(PYTHON) --version 2>&1);" \
			"name another: make PYTHON=python3.13 ..." >&2; exit 1; }
	@test -x $(1)/bin/pip || $(PYTHON) -m venv --clear $(1) || { \
		echo "no environment could be made; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@echo "installing $(2) into $(1) ..."
	$(1)/bin/pip install --quiet --require-hashes -r $(2)
	@touch $@
endef

# The two commands of this project are `make run` and `make test`; `make help` lists the rest.

PYTHON ?= python3
export PYTHON
PORT ?= 8080
MLFLOW_PORT ?= 5000
NAME := mnist

# Two environments: one that trains and tests, and one that serves, with no TensorFlow in it.
VENV ?= .venv
VENV_SERVE ?= .venv-serve

# What the tests leave, and the environments that only they and the benchmarks use.
BUILD := build

NUMBER_KERNEL := serve/protocols/number_kernel

# Every package that users run has hashes; peers and the clients of tests have exact versions only.
LOCK := requirements/uv pip compile --universal --no-header --no-annotate \
	--no-emit-index-url --fork-strategy fewest --python-version 3.11 --quiet $(LOCK_OPTIONS)
HASHED := serve train export cluster fuzz load pytest sbom uv
UNHASHED := audit clients manifests mlserver peer-asgi peer-bentoml peer-course peer-fastapi peer-litserve \
	peer-mlflow peer-mosec peer-naive peer-ray

, := ,

.DEFAULT_GOAL := help
.PHONY: help setup run model mlflow test test-fresh images bench-quick lint lock audit clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/.installed-dev $(VENV_SERVE)/.installed $(NUMBER_KERNEL)/kernel.so ## make both environments, with all that tests and benchmarks need

run: $(VENV_SERVE)/.installed $(NUMBER_KERNEL)/kernel.so ## serve on PORT (8080); train and export first where there is no model yet
	@ls models/$(NAME)/*/model.onnx > /dev/null 2>&1 || $(MAKE) --no-print-directory model
	@printf '\nOnce it serves, ask it from another terminal:\n\n  curl -d "@%s" http://127.0.0.1:%s/predict\n\n' \
		'$(CURDIR)/examples/digits.json' '$(PORT)'
	@exec $(VENV_SERVE)/bin/python -m serve --default-model $(NAME) --port $(PORT)

model: $(VENV)/.installed ## train a model and publish it as the next version
	$(VENV)/bin/python -m train
	$(VENV)/bin/python -m export --best --name $(NAME)

mlflow: $(VENV)/.installed ## show all runs in MLflow's own pages on MLFLOW_PORT (5000)
	@case "$$MLFLOW_TRACKING_URI" in http*) \
		echo "MLflow is served already: $$MLFLOW_TRACKING_URI"; exit 1;; esac
	@MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false exec $(VENV)/bin/mlflow ui --workers 1 --port $(MLFLOW_PORT) \
		--backend-store-uri "$${MLFLOW_TRACKING_URI:-sqlite:///mlflow.db}"

test: ## set up all that the tests need, and run them; TESTS="serving images" runs two of the groups
	@$(PYTHON) -m tests.suite $(TESTS)

test-fresh: ## run `make run`, the request and `make test` on bare Debian machines; needs root
	@tests/fresh/all

images: ## build the images onnxlet-serve and onnxlet-train; CA_FILE=FILE for a firm's own certificates
	for image in serve train; do \
		DOCKER_BUILDKIT=1 docker build --file Dockerfile.$$image --tag onnxlet-$$image \
			--build-arg COMMIT=$$(git describe --always --dirty) $(if $(CA_FILE),--secret id=ca$(,)src=$(CA_FILE)) . \
			|| exit; \
	done

bench-quick: setup ## has the server become slower? three minutes; BENCH_OPTIONS=--help for more
	$(VENV)/bin/python -m benchmarks regress $(BENCH_OPTIONS)

lint: $(VENV)/.installed-dev ## check format, style, security and types
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/bandit --quiet --configfile pyproject.toml --recursive \
		bundle cli tracking train export serve benchmarks deploy
	$(VENV)/bin/mypy

lock: ## compile requirements/ anew from pyproject.toml; LOCK_OPTIONS=--upgrade for newer versions
	$(LOCK) --generate-hashes --group pyproject.toml:dev -o requirements/dev.txt
	for group in $(HASHED); do \
		$(LOCK) --generate-hashes --group pyproject.toml:$$group -c requirements/dev.txt \
			-o requirements/$$group.txt || exit; \
	done
	for group in $(UNHASHED); do \
		$(LOCK) --group pyproject.toml:$$group -o requirements/$$group.txt || exit; \
	done

audit: $(BUILD)/audit/.installed $(VENV)/.installed-dev ## list outdated packages, and known vulnerabilities in what users run
	requirements/uv pip list --outdated --python $(VENV)
	for group in serve train export cluster load; do \
		$(BUILD)/audit/bin/pip-audit --strict --disable-pip --require-hashes -r requirements/$$group.txt || failed=1; \
	done; exit $${failed:-0}

clean: ## remove environments and caches; data, runs and models stay
	rm -rf $(VENV) $(VENV_SERVE) $(BUILD) $(NUMBER_KERNEL)/kernel.so .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -prune -exec rm -rf {} +

# What training and exporting import. `make setup` adds what tests, benchmarks and `make lint` need.
$(VENV)/.installed: requirements/train.txt requirements/export.txt
	@requirements/install $(VENV) $^
	@touch $@

$(VENV)/.installed-dev: requirements/dev.txt
	@requirements/install $(VENV) $^
	@touch $(VENV)/.installed $@

$(VENV_SERVE)/.installed: requirements/serve.txt
	@requirements/install $(VENV_SERVE) $^
	@touch $@

# The server works without it: where there is no C compiler, this says so, and make goes on.
$(NUMBER_KERNEL)/kernel.so: $(addprefix $(NUMBER_KERNEL)/,kernel.c decimal.h build.py library.py) | $(VENV_SERVE)/.installed
	@$(VENV_SERVE)/bin/python -m serve.protocols.number_kernel.build || true

# The serving environment and pytest: what tests of serve/ and bundle/ run in.
$(BUILD)/serve-tests/.installed: requirements/serve.txt requirements/pytest.txt
	@requirements/install $(@D) $^
	@touch $@

# The same with atheris, for python -m tests.reliability.fuzz.
$(BUILD)/fuzz/.installed: requirements/serve.txt requirements/fuzz.txt
	@requirements/install $(@D) $^
	@touch $@

# MLServer has no release for Python 3.13.
$(BUILD)/mlserver/.installed: override PYTHON = $(shell requirements/uv python find --no-python-downloads '>=3.11,<3.13')
$(addprefix $(BUILD)/,$(addsuffix /.installed,audit clients manifests mlserver)): $(BUILD)/%/.installed: requirements/%.txt
	@requirements/install $(@D) $^
	@touch $@

$(BUILD)/peers/%/.installed: requirements/peer-%.txt
	@requirements/install $(@D) $^
	@touch $@

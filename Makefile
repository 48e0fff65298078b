# Makul. On a fresh machine with Python 3.11 (or 3.12, 3.13) and make, `make demo` alone sets up and runs the main job.
PYTHON  ?= python3.11
# Another Python has its environment elsewhere: make test PYTHON=python3.13 VENV=build/python3.13
VENV    ?= .venv
BIN     := $(VENV)/bin
READY   := $(VENV)/.ready
LOCKS   := requirements
# Packages without a wheel are built with the tools of requirements/build.txt: an environment that pip made
# for a build would take them from the index, without their hashes.
INSTALL := -m pip install --quiet --disable-pip-version-check --require-hashes --no-build-isolation --requirement
TOOLS   := build/tools

# An environment is of the Python that made it. A caller that names another Python must name another environment.
VERSION = import sys; print(*sys.version_info[:2], sep=".")
ifneq ($(origin PYTHON),file)
ifneq ($(wildcard $(BIN)/python),)
ifneq ($(shell $(PYTHON) -c '$(VERSION)' 2>/dev/null),$(shell $(BIN)/python -c '$(VERSION)'))
$(error $(VENV) was not made by $(PYTHON). Name an environment for it: make VENV=build/$(notdir $(PYTHON)))
endif
endif
endif

# These tests do not depend on the database (signatures, channels, clients, telemetry), or start their own server: they run once.
STORELESS := $(patsubst %,--ignore=tests/e2e/test_%.py,any_user channel_matrix client_cases client_consents client_oversight corpus corpus_messages \
	database_roles key_compromise mtls_direct mtls_nginx nginx_limits no_personal_data_in_telemetry operating_files \
	slow_peers tampered_answers timestamps_in_service xroad_front)

# Tests that run only a part of their cases in `make test` (makul_testing.exhaustive).
EXHAUSTIVE := $(shell grep -rlE 'makul_testing.exhaustive|THOROUGH|contents_for' tests --include='test_*.py')

# Tests start Python a hundred times. If the environment forbids bytecode files, each start would compile again.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-deps check format interop interop-deps corpus test-exhaustive fuzz bench serve sandbox catalogs lock wheel sbom release clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 20

$(READY): setup.cfg pyproject.toml $(LOCKS)/build.txt $(LOCKS)/dev.txt
	@$(PYTHON) -c '' 2>/dev/null || { echo "Makul needs Python 3.11, 3.12 or 3.13: install one, or name it with make PYTHON=/path/to/python3.11"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python $(INSTALL) $(LOCKS)/build.txt
	$(BIN)/python $(INSTALL) $(LOCKS)/dev.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@mkdir -p $(VENV)/packages && ln -sfn ../../wsdl $(VENV)/packages/makul_wsdl && ln -sfn ../../schemas $(VENV)/packages/makul_schemas
	@touch $@

setup: $(READY) ## install everything, pinned, into .venv

demo: $(READY) ## start a sandbox and run the main use case over SOAP
	$(BIN)/makul demo

test: $(READY) ## run all tests, and the end-to-end tests again on PostgreSQL
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder --database postgresql tests/e2e $(STORELESS)

test-deps: ## install nginx, xmlsec1, SoftHSM2, openssl, systemd, Chromium, Poppler and Pango for some tests; without permission, print the command
	tests/deps.sh

interop-deps: ## install PHP's SoapClient, gSOAP and g++, which `make interop` needs besides Node.js, Java and Maven
	tests/deps.sh --interop

interop: $(READY) ## test other software with a sandbox: Node.js, Java, CXF, DSS, xades4j, PHP, gSOAP; needs node 20, npm, Java 17, Maven
	MAKUL_INTEROP=1 $(BIN)/python -m pytest tests/interop

corpus: $(READY) ## write the attack corpus as files, with the expected answers; ARGS="--dir build/corpus"
	PYTHONPATH=tests $(BIN)/python -m vectors.generate $(ARGS)

test-exhaustive: $(READY) ## run all cases of the tests of which `make test` runs a part
	MAKUL_EXHAUSTIVE=1 $(BIN)/python -m pytest $(EXHAUSTIVE)

fuzz: $(READY) ## fuzz for FUZZ_SECONDS (60), repeatable with FUZZ_SEED; findings go to build/fuzz
	PYTHONPATH=tests $(BIN)/python -m fuzz $(ARGS)

check: $(READY) ## check style, types, layers of packages, and the documents against the programs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --package makul --package makul_sandbox --package makul_client --package makul_language --package makul_wsdl --package makul_schemas
	$(BIN)/lint-imports --no-logo --no-cache
	$(BIN)/python tests/contract/check_documents.py
	$(BIN)/python tests/contract/check_catalogs.py

catalogs: $(READY) ## the translations of messages and help: what is missing; ARGS=--update adds new messages to them
	$(BIN)/python tests/contract/check_catalogs.py $(ARGS)

format: $(READY) ## format the code
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

bench: $(READY) ## measure the cost of a disclosure and the throughput; ARGS="--only http,peer"; writes build/bench.json
	PYTHONPATH=tests $(BIN)/python -m bench $(ARGS)

sandbox: $(READY) ## run a service with synthetic citizens, for any SOAP stack; ARGS="--port 8080 --dir build/sandbox"
	$(BIN)/makul sandbox $(ARGS)

serve: $(READY) ## run the service; ARGS="--config FILE"
	$(BIN)/makul $(ARGS) serve

$(TOOLS)/.ready: $(LOCKS)/build.txt $(LOCKS)/release.txt
	$(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/python $(INSTALL) $(LOCKS)/build.txt
	$(TOOLS)/bin/python $(INSTALL) $(LOCKS)/release.txt
	@touch $@

# For every Python of setup.cfg and every platform. What is locked stays, unless setup.cfg or ARGS say otherwise.
# The locks of less than dev.txt have its versions.
COMPILE = $(TOOLS)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--annotation-style line --custom-compile-command "make lock" $(ARGS)
lock: $(TOOLS)/.ready ## lock every package with its hashes; ARGS="--upgrade", or ARGS="--upgrade-package lxml"
	$(COMPILE) --extra dev setup.cfg --output-file $(LOCKS)/dev.txt
	$(COMPILE) --constraint $(LOCKS)/dev.txt --extra service setup.cfg --output-file $(LOCKS)/service.txt
	$(COMPILE) --constraint $(LOCKS)/dev.txt --extra report setup.cfg --output-file $(LOCKS)/report.txt
	$(COMPILE) --constraint $(LOCKS)/dev.txt setup.cfg --output-file $(LOCKS)/client.txt
	$(COMPILE) --constraint $(LOCKS)/dev.txt $(LOCKS)/build.in --output-file $(LOCKS)/build.txt
	$(COMPILE) --constraint $(LOCKS)/dev.txt $(LOCKS)/release.in --output-file $(LOCKS)/release.txt

wheel: $(READY) ## build the wheel twice, and compare: build/wheel
	.ci/wheel $(BIN)/python

# Of the locks: what production and a recipient install, on every platform. The time in them is that of the commit.
SBOM = PYTHONWARNINGS=ignore SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(TOOLS)/bin/cyclonedx-py requirements --output-reproducible \
	--validate --pyproject build/sbom/pyproject.toml
sbom: $(TOOLS)/.ready ## what is installed with makul[service], with makul[report] and with the client alone, as CycloneDX: build/sbom
	mkdir -p build/sbom
	printf '[project]\nname = "makul"\nversion = "%s"\n' $$(sed -n 's/^version = //p' setup.cfg) > build/sbom/pyproject.toml
	$(SBOM) --output-file build/sbom/makul-service.cdx.json $(LOCKS)/service.txt
	$(SBOM) --output-file build/sbom/makul-report.cdx.json $(LOCKS)/report.txt
	$(SBOM) --output-file build/sbom/makul-client.cdx.json $(LOCKS)/client.txt

release: ## the wheel, its SBOMs and their digests, in dist; only of a clean tree, tagged with its version
	.ci/release

clean: ## remove build results and the environment
	rm -rf build dist $(VENV) clients/node/node_modules clients/java/target tests/interop/java/target

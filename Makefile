# The two commands of the README are `make demo` and `make test`; the rest are their parts.
SHELL := /bin/bash -euo pipefail
.DEFAULT_GOAL := help
PYTHON ?= python3
UV := .venv-tools/bin/uv
ES_VERSIONS := $(shell sed 's/ .*//' plugin/elasticsearch/versions)
ES ?= $(lastword $(ES_VERSIONS))
ASSETS := plugin/bicross/local/assets
# `verify` also formats, lints and tests the plugin's code; `zip` only builds it.
PLUGIN_GOAL ?= zip
MATRIX := onnx_export/tests/matrix

.PHONY: help env env-serving demo demo-down test lint unit architectures unit-serving node-tests integration \
  matrix interchange fuzz zip assets lock release constraints

help:  ## these lines
	@sed -n 's/^\([a-z-]*\):.*##/\1\t/p' $(MAKEFILE_LIST) | sort | expand -t16

# --- environments: one with torch, one without, installed once -------------------------------
$(UV):
	$(PYTHON) -m venv .venv-tools
	.venv-tools/bin/pip install --quiet uv

.venv/.done: constraints.txt pyproject.toml | $(UV)
	$(UV) venv --quiet --allow-existing --python $(PYTHON) .venv
	$(UV) pip install --quiet --python .venv/bin/python -c constraints.txt -e . --group dev
	touch $@

.venv-serving/.done: constraints.txt pyproject.toml | $(UV)
	$(UV) venv --quiet --allow-existing --python $(PYTHON) .venv-serving
	$(UV) pip install --quiet --python .venv-serving/bin/python -c constraints.txt -e . --group test
	touch $@

env: .venv/.done  ## the environment with torch, .venv
env-serving: .venv-serving/.done  ## the environment without torch, .venv-serving

# --- the main job -----------------------------------------------------------------------------
demo: env env-serving $(ASSETS)/$(ES)/.done  ## one real node, two models (BI=, CROSS=), real text, the table
	.venv/bin/python -m demo up $(if $(BI),--bi "$(BI)") $(if $(CROSS),--cross "$(CROSS)")

demo-down:  ## end what the demo left running
	.venv/bin/python -m demo down

# --- tests ------------------------------------------------------------------------------------
test: env env-serving  ## everything that CI runs
	$(MAKE) -j2 --output-sync=target lint assets architectures unit unit-serving PLUGIN_GOAL=verify
	$(MAKE) -j2 --output-sync=target integration-$(ES) $(ES_VERSIONS:%=integration-%) node-tests

lint: env  ## ruff, mypy, import-linter
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports

unit: env  ## Python tests without a node that need torch, or what makes bundles
	.venv/bin/pytest -q -m "not elasticsearch" --ignore=$(MATRIX) onnx_export/tests demo/tests benchmarks/tests
	.venv/bin/pytest -q -m "torch and not elasticsearch" plugin/tests

architectures: env  ## each architecture and head of the matrix once, in float32
	.venv/bin/pytest -q $(MATRIX)

unit-serving: env-serving  ## the rest, where torch is not installed
	.venv-serving/bin/pytest -q -m "not elasticsearch and not torch" plugin/tests

node-tests: env assets  ## each room's own tests on real nodes
	.venv/bin/pytest -q -m elasticsearch plugin/tests

integration: integration-$(ES)  ## the whole path on a real node, ES=version

integration-%: env env-serving $(ASSETS)/%/.done
	.venv/bin/pytest -q --timeout=900 --es=$* integration_tests

# --- what takes too long for every change ------------------------------------------------------
matrix: env  ## each architecture in every precision; writes docs/models.json and docs/models.md
	.venv/bin/python -m onnx_export.tests.matrix.record

interchange: env  ## bundles in sentence-transformers' ONNX backend and in fastembed, an environment for each
	.venv/bin/python integration_tests/interchange/make_bundles.py .interchange/bundles
	$(MAKE) .interchange/sentence-transformers.done .interchange/fastembed.done

.interchange/%.done: integration_tests/interchange/%.txt
	$(UV) venv --quiet --allow-existing --python $(PYTHON) .interchange/$*
	$(UV) pip install --quiet --python .interchange/$*/bin/python -r $<
	BICROSS_BUNDLES=.interchange/bundles .interchange/$*/bin/python -m pytest -q \
	  -c integration_tests/interchange/pytest.toml --rootdir=integration_tests/interchange \
	  integration_tests/interchange/test_$(subst -,_,$*).py

fuzz: env  ## mutated bundles, graphs and folders, at length
	BICROSS_FUZZ_EXAMPLES=5000 .venv/bin/pytest -q --timeout=7200 plugin/tests/runtime/test_fuzz.py plugin/tests/bundle/test_fuzz.py
	BICROSS_FUZZ_EXAMPLES=500 .venv/bin/pytest -q --timeout=7200 onnx_export/tests/adopt/test_fuzz.py

# --- what the node loads ----------------------------------------------------------------------
zip:  ## the plugin for one Elasticsearch version, ES=version
	$(MAKE) -C plugin/elasticsearch zip ES=$(ES)

assets: $(ES_VERSIONS:%=$(ASSETS)/%/.done)  ## zip, launcher and stand-ins of each tested version

JAVA_SOURCES := $(shell find plugin/elasticsearch plugin/protocol -type f -not -path '*/target/*' 2>/dev/null)

$(ASSETS)/%/.done: $(JAVA_SOURCES) | .venv/.done
	$(MAKE) -C plugin/elasticsearch $(PLUGIN_GOAL) ES=$*
	$(MAKE) -C plugin/elasticsearch/local-node ES=$*
	cp plugin/elasticsearch/target/$*/bicross-*-es$*.zip $(ASSETS)/$*/bicross.zip
	touch $@

lock: env  ## the local node's jars of one version, by coordinates and sha256
	.venv/bin/python -m bicross.local.lock $(ES)

# --- release ----------------------------------------------------------------------------------
release: env assets  ## dist/: wheel, sdist, plugin zips, checksums
	rm -rf dist && mkdir dist
	.venv/bin/python -m build --sdist --wheel --outdir dist
	cp $(ES_VERSIONS:%=plugin/elasticsearch/target/%/bicross-*-es*.zip) dist/
	cd dist && sha256sum * > SHA256SUMS && cat SHA256SUMS

constraints: env  ## write constraints.txt from .venv
	$(UV) pip freeze --python .venv/bin/python --exclude-editable > constraints.txt

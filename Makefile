# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Everything runs in .venv, which scripts/setup creates and refreshes. See docs/development.md.

.DEFAULT_GOAL := help
SHELL := /bin/bash
check := .venv/bin/python -m scripts.check

test_steps := simulator unit modules lint sanity
check_steps := long integration molecule awx eda docs build audit compatibility
real_steps := studio

.PHONY: help setup demo test check soak real sbom release lock $(test_steps) $(check_steps) $(real_steps) bench coverage format clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 22

setup: ## create or refresh .venv
	@scripts/setup

demo: ## see the collection work against simulated systems
	@scripts/setup demo
	@.venv/bin/python -m tests.demo

test: setup ## test the whole behaviour on one ansible-core: the steps simulator to sanity
	@$(check) $(or $(STEPS),test)

check: setup ## run everything that `make test` leaves out: the steps long to compatibility
	@$(check) check

soak: setup ## run the long tests with so many repetitions that they take four hours or more
	@.venv/bin/python -m pytest --soak -n2 --dist=worksteal tests/unit tests/module

real: setup ## run the Crafter scenarios against a real Crafter Studio, which is downloaded and started
	@$(check) real

$(test_steps) $(check_steps) $(real_steps): setup
	@$(check) $@

unit: ## run the unit tests
simulator: ## run the tests of the simulator
modules: ## run the tests of modules and roles against the simulator
lint: ## run the linters, type check, docs and licence checks
sanity: ## run ansible-test sanity on one ansible-core
long: ## run the long tests
integration: ## run the integration targets
molecule: ## run the molecule scenarios
awx: ## apply the kit for AWX to an emulated AWX
eda: ## run the rulebooks with ansible-rulebook
docs: ## build the documentation site, and look at it in a browser
build: ## build the collection into dist/, check it as Galaxy would, install it
audit: ## look for known faults: in the code that is shipped (bandit), in the packages of the environments (pip-audit)
compatibility: ## run ansible-test sanity on the other supported ansible-core releases
studio: ## run the Crafter scenarios against a real Crafter Studio

sbom: setup ## write bills of materials (CycloneDX): what the collection runs on, and what it is developed with
	@.venv/bin/python -m scripts.check.sbom

release: setup ## prepare a release (VERSION=2.0.0), then build what is published of it into dist/
	@.venv/bin/python -m scripts.release "$(VERSION)"

lock: setup ## write requirements-*.txt: the packages in requirements-*.in with the hashes of all of their files
	@scripts/lock

bench: setup ## measure what the collection costs, next to what one would use without it
	@.venv/bin/python -m tests.bench

coverage: setup ## run the unit and module tests with branch coverage
	@.venv/bin/python -m pytest -n2 --cov --cov-report=term tests/unit tests/module

format: setup ## format the code and fix what ruff can fix
	@.venv/bin/ruff check --fix .
	@.venv/bin/ruff format .

clean: ## remove environments, caches and results
	rm -rf .venv .cache .ansible .hypothesis .mypy_cache .pytest_cache .ruff_cache .coverage* dist tests/output
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

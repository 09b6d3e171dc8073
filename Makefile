# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Everything runs in .venv, which scripts/setup creates and refreshes. docs/development.md tells more.

.DEFAULT_GOAL := help
SHELL := /bin/bash
check := .venv/bin/python -m scripts.check

.PHONY: help setup demo test unit modules lint sanity integration molecule build bench coverage format changelog clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 22

setup: ## create or refresh .venv
	@scripts/setup

demo: ## see the collection work against simulated systems
	@scripts/setup demo
	@.venv/bin/python -m tests.demo

test: setup ## run every check (what CI runs)
	@$(check) $(STEPS)

unit modules lint sanity integration molecule: setup
	@$(check) $@

build: setup ## build the collection into dist/, check it as Galaxy would, install it
	@$(check) build

unit: ## run the unit tests
modules: ## run the module tests against the simulator
lint: ## run the linters, type check, docs and licence checks
sanity: ## run ansible-test sanity on every supported ansible-core
integration: ## run the integration targets
molecule: ## run the molecule scenarios

bench: setup ## measure bulk syncs beside a loop of uri tasks
	@.venv/bin/python -m tests.bench

coverage: setup ## run the unit and module tests with branch coverage
	@.venv/bin/python -m pytest -n2 --cov --cov-report=term tests/unit tests/module

format: setup ## fix what ruff can fix
	@.venv/bin/ruff check --fix .

changelog: setup ## turn the fragments into the changelog of the version in galaxy.yml
	@PATH="$(CURDIR)/.venv/bin:$$PATH" antsibull-changelog release

clean: ## remove environments, caches and results
	rm -rf .venv .cache .ansible .hypothesis .mypy_cache .pytest_cache .ruff_cache .coverage* dist tests/output
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

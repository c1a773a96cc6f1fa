# Everything starts from a clone: each target sets up what it needs by itself.
#
#   make demo                 the same program in the terminal and in a page
#   make demo ARGS=--check    both without a person; fails if either does
#   make check                lint, types and the unit tests, in under a minute
#   make test                 lint, types, all tests

PYTHON ?= python3
export VENV ?= .venv
ARGS ?=

BIN = $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
RUN = $(BIN)/python -m

.PHONY: help setup demo check test test-browsers lint types format compliance test-pythons soak bench wheel clean

help: ## show this
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22

setup: ## make the virtual environment and install all that development needs
	@$(PYTHON) -m tools.setup dev

demo: ## run the same program in the terminal and in a page (ARGS=--check: by itself)
	@$(PYTHON) -m tools.setup demo
	@$(RUN) tools.demo $(ARGS)

check: setup ## lint, types and the unit tests, in under a minute
	@$(RUN) tools.check --quick

test: setup ## lint, types and all tests
	@$(RUN) tools.check $(ARGS)

test-browsers: setup ## the tests inside Pyodide in every browser there is, and heavy runs
	@$(RUN) tools.browsers

lint: setup ## ruff and import-linter alone
	@$(RUN) tools.check --only lint

types: setup ## mypy and pyright alone
	@$(RUN) tools.check --only types

format: setup ## format the code, and fix what can be fixed
	@$(RUN) ruff format .
	@$(RUN) ruff check --fix .

compliance: setup ## the whole Autobahn suite, half an hour (ARGS=--quick: 247 cases)
	@$(RUN) tools.compliance $(ARGS)

test-pythons: setup ## the native suite on every Python, old and new websockets, uvloop, eager tasks
	@$(RUN) tools.pythons $(ARGS)

soak: setup ## ten minutes of random faults (ARGS="--seconds 30" for a try)
	@$(RUN) tests.bench.soak $(ARGS)

bench: setup ## speed beside websockets and aiohttp (ARGS="--against COMMIT", --quick)
	@$(RUN) tests.bench.speed $(ARGS)

wheel: setup ## build the wheel into build/wheel
	@$(RUN) tools.assets

clean: ## remove everything that was made or downloaded, the environment too
	@rm -rf build .cache dist "$(VENV)"
	@find src tests tools web-demo -name __pycache__ -type d -prune -exec rm -rf {} +

# Every target works in a fresh clone: it installs what it needs by itself.
#
#   make demo                 run the same program in the terminal and in a page
#   make demo ARGS=--check    run both without a person, and fail if one of them fails
#   make check                run the linters, type checkers and unit tests (under a minute)
#   make test                 run the linters, type checkers and all tests

# tools/setup.py reads VENV from the environment, hence the export.
PYTHON ?= python3
export VENV ?= .venv
ARGS ?=

BIN = $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
RUN = $(BIN)/python -m

.PHONY: help setup demo check test test-browsers lint types format compliance test-pythons soak bench wheel clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22

setup: ## make the virtual environment and install everything for development
	@$(PYTHON) -m tools.setup dev

demo: ## run the same program in the terminal and in a page (ARGS=--check: without a person)
	@$(PYTHON) -m tools.setup demo
	@$(RUN) tools.demo $(ARGS)

check: setup ## run the linters, type checkers and unit tests, in under a minute
	@$(RUN) tools.check --quick

test: setup ## run the linters, type checkers and all tests
	@$(RUN) tools.check $(ARGS)

test-browsers: setup ## run the tests inside Pyodide in every available browser, and heavy loads
	@$(RUN) tools.browsers

lint: setup ## run only ruff and import-linter
	@$(RUN) tools.check --only lint

types: setup ## run only mypy and pyright
	@$(RUN) tools.check --only types

format: setup ## format the code and apply the automatic fixes
	@$(RUN) ruff format .
	@$(RUN) ruff check --fix .

compliance: setup ## run the whole Autobahn suite, half an hour (ARGS=--quick: 247 cases)
	@$(RUN) tools.compliance $(ARGS)

test-pythons: setup ## run the native tests on every Python, old and new websockets, uvloop, eager tasks
	@$(RUN) tools.pythons $(ARGS)

soak: setup ## cause random faults for ten minutes (ARGS="--seconds 30": for half a minute)
	@$(RUN) tests.bench.soak $(ARGS)

bench: setup ## compare the speed with websockets and aiohttp (ARGS="--against COMMIT", --quick)
	@$(RUN) tests.bench.speed $(ARGS)

wheel: setup ## build the wheel into build/wheel
	@$(RUN) tools.assets

clean: ## remove everything that was built or downloaded, and the environment
	@rm -rf build .cache dist "$(VENV)"
	@find src tests tools web-demo -name __pycache__ -type d -prune -exec rm -rf {} +

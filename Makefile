# SPDX-License-Identifier: GPL-2.0-only
#
#   make check   check every scenario and mutant in specs/
#   make test    test the code (without the slow tests)
#   make prove   prove the 2008 protocol for every size, write the certificate into build/, and recheck it with cvc5
#   make lint    types, style, layout of the .kvm files
#   make slow    the tests that `make test` leaves out
#   make nightly   check specs at larger sizes (tests/nightly/sizes.toml); not for every push
#   make bench   measure beside SPIN and Rumur, into bench/results (an hour; needs the network once, for the extra `bench`)
#   make wheel   build dist/kvmcheck-*.whl
#   make report  write an HTML page on specs/ to build/report.html: every verdict, every run to step through
#   make pages   put the real output into the console blocks of the pages, and the mutants into the table of properties;
#                read the diff
#   make constraints   pin the newest versions anew (needs the network)
#   make clean   remove what was built (.venv stays; remove it by hand)
#
# Each target prepares .venv by itself.  The second time that costs nothing.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet install -c constraints.txt
# Two workers: the suite has many short processes, and the smallest machine that we test on has two cores.
JOBS   ?= 2

# Pages whose console blocks are run.
PAGES   = README.md $(shell find docs -name '*.md' | sort)

.PHONY: check prove test slow nightly lint bench wheel report pages constraints clean
.DEFAULT_GOAL := check

check: $(READY)
	@begin=$$(date +%s); $(BIN)/kvmcheck specs/; status=$$?; \
	echo "make check: $$(($$(date +%s) - begin)) s"; exit $$status

prove: $(READY)
	@begin=$$(date +%s); \
	$(BIN)/kvmcheck prove --parametric --seconds 300 --only protocol_2008 --certificate build/proofs specs/proofs/protocol_2008.kvm && \
	$(BIN)/kvmcheck recheck build/proofs/protocol_2008; status=$$?; \
	echo "make prove: $$(($$(date +%s) - begin)) s"; exit $$status

test: $(READY)
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m "not slow"

slow: $(READY)
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m slow

nightly: $(READY)
	$(BIN)/python -m tests.support.nightly

lint: $(READY)
	$(BIN)/mypy
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/kvmcheck fmt --check model specs tests/docs/everything

bench: $(READY)
	$(PIP) --no-build-isolation -e '.[dev,bench]'
	$(BIN)/python -m bench

wheel: $(READY)
	$(BIN)/python -m hatchling build -t wheel

# Written whatever the verdicts are; its exit status is theirs.
report: $(READY)
	mkdir -p build
	$(BIN)/kvmcheck --quiet --timings --html build/report.html specs/

pages: $(READY)
	$(BIN)/python -m tests.support.kills
	$(BIN)/python -m tests.support.console $(PAGES)

constraints:
	rm -rf build/pins
	$(PYTHON) -m venv build/pins
	build/pins/bin/python -m pip --quiet install hatchling
	build/pins/bin/python -m pip --quiet install --no-build-isolation -e '.[dev,bench]'
	sed -n '/^#/p' constraints.txt > build/constraints.txt
	build/pins/bin/python -m pip freeze --exclude-editable | grep -v -e '^pip==' -e '^setuptools==' >> build/constraints.txt
	mv build/constraints.txt constraints.txt

clean:
	rm -rf build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find bench checker tests -name __pycache__ -type d -prune -exec rm -rf {} +

# hatchling first, then no build isolation: the build uses the pinned version too.
$(READY): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) hatchling
	$(PIP) --no-build-isolation -e '.[dev]'
	touch $@

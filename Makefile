# Every target makes .venv first if it is missing or out of date. `make help` lists them.
# Another interpreter: make PYTHON=python3.13 ...   One unit: make grade UNIT=optimizers

PYTHON ?=
UNIT ?=
SINCE ?= HEAD
ARGS ?=
PYTEST_ARGS ?=
NOTEBOOKS = course/lessons assignments/source
BIN := .venv/bin
# Jupyter refuses root (in a container, say) unless told.
ALLOW_ROOT = $(if $(filter 0,$(shell id -u)),--allow-root)
# A student has no nbgrader: `make lab` leaves its server parts out.
WITHOUT_NBGRADER = $(foreach part,formgrader course_list assignment_list validate_assignment,\
        --ServerApp.jpserver_extensions nbgrader.server_extensions.$(part)=False)
# Many tests wait, for a browser, a kernel or a time limit: one process more than there are cores.
TESTERS := $(shell expr `getconf _NPROCESSORS_ONLN` + 1)
export PATH := $(CURDIR)/$(BIN):$(PATH)

# Small networks gain nothing from a second thread, and lose much where cores are shared.
test check soak bench: export OMP_NUM_THREADS = 1
test check soak bench: export OPENBLAS_NUM_THREADS = 1

.PHONY: help setup demo check test lab grade release bench soak verify doctor lint types format notebooks \
        refresh bundle lock system clean
.DEFAULT_GOAL := help

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup:
	@PYTHON="$(PYTHON)" tools/setup-venv

demo: setup  ## grade an invented class: scores, what went wrong, feedback under demo/
	@$(BIN)/descent demo $(ARGS)

check: setup system lint types  ## every day: style, types, the tests of what changed (SINCE=HEAD)
	@$(BIN)/python tools/check.py $(SINCE)

test: setup system lint types  ## style, types and every test; ends with what was skipped, and why
	@$(BIN)/pytest -n $(TESTERS) --dist loadfile --no-loadscope-reorder \
		--durations 15 --durations-min 2 $(PYTEST_ARGS)

lab: setup  ## JupyterLab on a copy of the student's bundle, dist/lab
	@$(BIN)/descent release $(UNIT)
	@$(BIN)/python -m descent_autograder.publishing.bundle $(UNIT) --lab dist/lab
	@$(BIN)/jupyter lab --ServerApp.root_dir=$(CURDIR)/dist/lab $(ALLOW_ROOT) \
		$(WITHOUT_NBGRADER) $(ARGS)

release: setup  ## make the students' notebooks (UNIT=optimizers for one unit)
	@$(BIN)/descent release $(UNIT) $(ARGS)

grade: setup  ## grade what lies in assignments/submitted: make grade UNIT=gradient-checks
	@test -n "$(UNIT)" || { echo "Which unit? make grade UNIT=gradient-checks" >&2; exit 2; }
	@$(BIN)/descent grade $(UNIT) $(ARGS)

bundle: setup  ## dist/student and its zip: all that a student gets
	@$(BIN)/descent release $(UNIT) --bundle dist

bench: setup  ## what counts, measured side by side; writes bench.json
	@tools/setup-bench
	@$(BIN)/descent bench $(ARGS)

soak: setup system  ## the long tests: a thousand submissions, two hundred kills, fuzzing
	@$(BIN)/pytest -m soak $(PYTEST_ARGS)

verify: setup  ## prove the grader: references pass, mistakes are named (UNIT=adam for one question)
	@$(BIN)/descent verify $(UNIT)

doctor: setup  ## which sandbox this machine can build, and what it lacks
	@$(BIN)/descent doctor

lint: setup  ## style of Python and JavaScript, who imports whom, notebooks' canonical form
	@tools/setup-js
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports --no-logo
	@[ ! -d tools/js/node_modules ] || npm --prefix tools/js run -s lint
	@$(BIN)/python -m descent_autograder.publishing.canonical $(NOTEBOOKS)

types: setup  ## mypy
	@$(BIN)/mypy

format: setup  ## put code and notebooks in their canonical form
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format --quiet .
	@$(BIN)/python -m descent_autograder.publishing.canonical --write $(NOTEBOOKS)
	@tools/setup-js
	@[ ! -d tools/js/node_modules ] || npm --prefix tools/js run -s format

refresh: setup  ## write anew what follows from references and assignments
	@$(BIN)/descent refresh $(UNIT) $(ARGS)

system: setup
	@tests/setup-system

lock: setup  ## resolve the requirements anew (needs uv)
	@$(BIN)/python tools/environment.py lock

clean:  ## remove everything that was made, but not assignments' grades
	@rm -rf tools/js/node_modules .venv demo dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

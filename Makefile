# The course in two commands: `make lab` opens the lessons, `make test` checks everything.
# `make help` lists the targets. Written for GNU make 3.81 and newer (macOS still has 3.81).

PYTHON ?= python3
LESSON ?=
LAB_ARGS ?=
PIP_ARGS ?=
PYTEST_ARGS ?=
WHEELS ?=

VENV := .venv
PY := $(VENV)/bin/python
# Holds this folder's path, and is written as the last step of an install. So an interrupted install, a
# checkout that was moved, and an environment whose Python is gone are all built anew.
MARKER := $(VENV)/.complete
READY := $(shell test -x $(PY) && cat $(MARKER) 2>/dev/null)

# Jupyter, IPython, matplotlib and the course keep their files here instead of in the home folder, so that
# nobody's own settings change what a lesson shows, and nothing is left behind outside this folder.
HPT_CACHE_DIR ?= $(CURDIR)/build/cache
export HPT_CACHE_DIR
export JUPYTER_CONFIG_DIR := $(CURDIR)/$(VENV)/jupyter/config
export JUPYTER_DATA_DIR := $(CURDIR)/$(VENV)/jupyter/data
export JUPYTER_RUNTIME_DIR := $(CURDIR)/$(VENV)/jupyter/runtime
export IPYTHONDIR := $(CURDIR)/$(VENV)/jupyter/ipython
export MPLCONFIGDIR := $(CURDIR)/$(VENV)/matplotlib

.DEFAULT_GOAL := help
.PHONY: help venv lab lab-executed reset test lint types unit test-cluster test-classroom test-environment test-installs test-wheels check-all check-changed fix notebooks bench clean handouts test-handouts test-instructor workshop timings table testbed FORCE

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' Makefile

venv: $(MARKER) ## build the environment in .venv, if it is not there or out of date (PYTHON=python3.12)

ifneq ($(READY),$(CURDIR))
$(MARKER): FORCE
endif

$(MARKER): pyproject.toml constraints.txt
	@if [ "$(READY)" != "$(CURDIR)" ]; then \
	    $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	        echo "The course needs Python 3.11 or newer, and $(PYTHON) is not: try make $(MAKECMDGOALS) PYTHON=python3.12" >&2; \
	        exit 1; }; \
	    echo "Creating $(VENV) with $$($(PYTHON) --version)"; \
	    $(PYTHON) -m venv --clear $(VENV) || exit 1; \
	fi
	@rm -f $(MARKER)
	@echo "Installing the course's packages: this takes some minutes the first time."
	$(PY) -m pip install $(if $(READY),--quiet) $(PIP_ARGS) --constraint constraints.txt --editable ".[lab,ray,test]"
	@mkdir -p $(VENV)/share/jupyter/lab/settings $(VENV)/jupyter
	@echo '{"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": false}}' \
	    > $(VENV)/share/jupyter/lab/settings/overrides.json
	@$(PY) -c "import matplotlib.font_manager"  # builds the list of fonts, which a lesson would report on stderr
	@echo "$(CURDIR)" > $(MARKER)

lab: venv ## open the lessons in JupyterLab, on your copies in my_notebooks (LAB_ARGS="--no-browser --port 8899")
	@$(PY) tools/my_notebooks.py copy
	@$(JUPYTERLAB) --ServerApp.root_dir=my_notebooks $(LAB_ARGS)

lab-executed: venv ## open the executed lessons, with all their results (a copy: changes are not kept)
	@$(PY) tools/my_notebooks.py executed
	@$(JUPYTERLAB) --ServerApp.root_dir=build/executed $(LAB_ARGS)

# Reachable from this machine only, with a token, and what goes between it and the kernels is encrypted, which
# matters on a shared machine. Without --allow-root it would not start in a container. The address is printed at
# every log level.
JUPYTERLAB = echo "Starting JupyterLab; stop it with Control-C."; $(PY) -m tools.start_lab --allow-root --log-level=WARN --ServerApp.ip=127.0.0.1 \
    --LabApp.default_url=/lab/tree/00_start_here.ipynb --LabApp.extension_manager=readonly \
    --LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate \
    --MappingKernelManager.transport_encryption=auto

reset: venv ## give one lesson a fresh copy, keeping yours as .bak (LESSON=02)
	@$(PY) tools/my_notebooks.py reset $(LESSON)

# A file is one worker's, and files are taken in the order in which they stand here: the lessons come first, the
# last of them, which trains most, before the others, so that both workers end at the same time.
LESSONS = $(shell ls -r notebooks/*.ipynb)
PYTEST := $(PY) -m pytest -n 2 --dist loadfile --no-loadscope-reorder

test: lint types ## check the code and its types, run all tests, and compare every lesson with its stored results
	$(PYTEST) --nbval --nbval-current-env --nbval-cell-timeout=300 $(LESSONS) tests hpt_helpers $(PYTEST_ARGS)

unit: venv ## all tests but the lessons: what `make test` runs after them
	$(PYTEST) tests hpt_helpers $(PYTEST_ARGS)

lint: venv ## check style and layout of the code
	$(PY) -m ruff check
	$(PY) -m ruff format --check

# What only this check needs is installed when it first runs, and again when the environment is.
TYPES := $(VENV)/.types
$(TYPES): $(MARKER)
	$(PY) -m pip install --quiet $(PIP_ARGS) --constraint constraints.txt --editable ".[types]"
	@touch $(TYPES)

types: venv $(TYPES) ## check the package's types with pyright, but for the lessons' folders
	$(PY) -m pyright --pythonpath $(PY)

test-cluster: venv ## run searches on a Ray of two nodes, some of which are killed (5 minutes; `make test` does not)
	$(PY) -m pytest tests/cluster $(PYTEST_ARGS)

# What only these checks need is installed when they first run, and again when the environment is.
BROWSING := $(VENV)/.classroom
$(BROWSING): $(MARKER)
	$(PY) -m pip install --quiet $(PIP_ARGS) --constraint constraints.txt --editable ".[classroom]"
	@touch $(BROWSING)

# With a cache of its own, because its first pass computes everything with other processor instructions.
test-classroom: venv $(BROWSING) ## try each lesson in JupyterLab, offline, in any order, interrupted (CHROMIUM=/path/to/it)
	HPT_TESTS_CACHE= $(PY) -m pytest -n 2 --dist loadscope tests/classroom $(PYTEST_ARGS)

test-instructor: venv ## make each live edit of the instructor's guide
	$(PY) -m pytest -n 2 --dist load tests/instructor/test_live_edits.py $(PYTEST_ARGS)

# What changes rarely, and the files that decide it. When `make check-all` passes it notes in .ci/all_checked what
# was in them: commit that. As long as they are the same, .ci/run need not run it again.
RARELY := Makefile pyproject.toml setup.py MANIFEST.in constraints.txt environment.yml tools/workshop.py \
    tests/environment.py tests/installs/*.py tests/instructor/test_wheelhouse.py hpt_helpers/classroom/room_check.py
OTHER_PYTHON ?= python3.13
RARELY_DIGEST = cat $(sort $(wildcard $(RARELY))) | git hash-object --stdin

check-all: ## check what changes rarely: installs of all kinds, wheels offline, other processors, another Python
	@$(MAKE) --no-print-directory test-environment
	@$(MAKE) --no-print-directory workshop WHEELS=1
	@$(MAKE) --no-print-directory test-wheels
	@$(MAKE) --no-print-directory test-installs
	.ci/other_processors
	.ci/other_python $(OTHER_PYTHON)
	@$(RARELY_DIGEST) > .ci/all_checked

check-changed: ## the same, where something that decides it has changed since it last passed
	@if [ "$$($(RARELY_DIGEST))" = "$$(cat .ci/all_checked 2>/dev/null)" ]; then \
	    echo "Nothing that make check-all looks at has changed since it last passed."; \
	else $(MAKE) --no-print-directory check-all; fi

test-wheels: venv ## install the workshop's wheels without a network, and check the room there
	$(PY) -m pytest tests/instructor/test_wheelhouse.py $(PYTEST_ARGS)

test-environment: venv ## install environment.yml's pip section into a new environment, and train there
	$(PY) -m tests.environment $(PIP_ARGS)

INSTALLING := $(VENV)/.installs
$(INSTALLING): $(MARKER)
	$(PY) -m pip install --quiet $(PIP_ARGS) --constraint constraints.txt --editable ".[installs]"
	@touch $(INSTALLING)

test-installs: venv $(INSTALLING) ## try the wheel, the oldest releases, an environment like Colab's, other systems' wheels
	$(PY) -m pytest tests/installs $(PYTEST_ARGS)

fix: venv ## let ruff put right what it can, and lay out the code
	$(PY) -m ruff check --fix
	$(PY) -m ruff format

notebooks: venv ## build and execute the lessons from notebooks/source (LESSON=01 for one of them)
	$(PY) -m tools.build_notebooks $(LESSON)

# What only the handouts need is installed when they are first built, and again when the environment is.
EXTRAS := $(VENV)/.handouts
$(EXTRAS): $(MARKER)
	$(PY) -m pip install --quiet $(PIP_ARGS) --constraint constraints.txt --editable ".[handouts]"
	@touch $(EXTRAS)

handouts: venv $(EXTRAS) ## build the handouts, PDF and HTML, into build/handouts
	$(PY) -m tools.build_handouts

test-handouts: handouts ## check the handouts, their web pages in headless Chromium (CHROMIUM=/path/to/it)
	$(PY) -m pytest -n 2 --dist loadfile tests/handouts $(PYTEST_ARGS)

workshop: handouts ## pack notebooks, handouts and guide into build/workshop and a zip (WHEELS=1: to install offline)
	$(PY) -m tools.workshop $(if $(WHEELS),--wheels) -- $(PIP_ARGS)

timings: venv ## measure the time and memory of each lesson into docs/timings.md (LESSON=01 for one of them)
	$(PY) -m tools.timings $(LESSON)

table: venv ## train the testbed's tables anew (some hours; an interrupted build goes on)
	$(PY) -m tools.build_table

testbed: venv ## race the searches on the tables and live, and write docs/testbed.md (it takes long)
	$(PY) -m tools.testbed

bench: venv ## measure the speed of training
	$(PY) -m benchmarks.training

clean: ## remove .venv, build and caches; your copies in my_notebooks stay
	rm -rf $(VENV) build hpt_helpers.egg-info .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

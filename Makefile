# `make` alone lists the targets. Each builds .venv first when it is missing or was built from another lock file.

# Python 3.11 or newer; only used to build .venv.
PYTHON ?= python3
# The parameter file of `reproduce` and `publish`.
PARAMS ?= params/quick.yaml
# Where torch alone comes from, when not from pip's own places: https://download.pytorch.org/whl/cpu is small and
# needs no GPU. Only used to build .venv; `make distclean` first to change it.
TORCH_INDEX ?=
# pytest's workers, and what they run: make test TESTS=tests/test_pieces.py
WORKERS ?= 2
TESTS ?= tests
# `make lock UPGRADE=1` takes the newest versions instead of keeping those in the lock.
UPGRADE ?=

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
export PYTHON TORCH_INDEX
# Someone's own PYTHONPATH would come before the locked packages.
unexport PYTHONPATH

RUN := .venv/bin/python
# The lock file that .venv was built from, put there last. Compared by content, because the times of files say little
# after a clone, a switch of branches or a restored cache.
BUILT := .venv/requirements.lock
ifneq ($(shell cmp -s requirements.lock $(BUILT) && echo same),same)
.PHONY: $(BUILT)
endif

.PHONY: help reproduce verify publish benchmark test test-kill check lint lab lock clean distclean

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' Makefile | while IFS= read -r line; do \
	    printf '  make %-10s %s\n' "$${line%%:*}" "$${line#*## }"; done

$(BUILT):
	@.ci/environment.sh build

reproduce: $(BUILT) ## compute a parameter file's runs and execute its notebooks into build/ (PARAMS=params/quick.yaml)
	@$(RUN) -m ases reproduce $(PARAMS)

verify: $(BUILT) ## hold what `make reproduce` made against the published results, table by table
	@$(RUN) -m ases verify $(PARAMS)

publish: $(BUILT) ## renew notebooks/ and figures/ from what `make reproduce` made
	@$(RUN) -m ases publish $(PARAMS)

benchmark: PARAMS = params/benchmark.yaml
benchmark: $(BUILT) ## measure speed and memory, renew 09_performance and its figures (PARAMS=params/benchmark.yaml)
	@$(RUN) -m ases benchmark $(PARAMS)

# The notebooks are run at their smallest size first: some tests read what that leaves in build/.
test: export OMP_NUM_THREADS := 1
test: export TOKENIZERS_PARALLELISM := false
# Nothing is downloaded once .venv is there, and the tests prove it.
test: export HF_HUB_OFFLINE := 1
test: $(BUILT) ## run the notebooks at their smallest size, then all tests
	@mkdir -p build
	@echo "running the notebooks at their smallest size (output in build/smoke.log) ..."
	@$(RUN) -m ases reproduce params/smoke.yaml >build/smoke.log 2>&1 </dev/null || { \
	    tail -n 60 build/smoke.log >&2; echo "the notebooks failed: the whole output is in build/smoke.log" >&2; exit 1; }
	@$(RUN) -m pytest $(TESTS) -q -n $(WORKERS) --dist loadscope \
	    --nbval --nbval-cell-timeout=120 --nbval-sanitize-with tests/sanitize.cfg

test-kill: export OMP_NUM_THREADS := 1
test-kill: export HF_HUB_OFFLINE := 1
test-kill: $(BUILT) ## kill a real workflow ten times, and see that nothing is lost (ten minutes)
	@$(RUN) -m pytest tests/test_kill.py -m kill -q -s

check: $(BUILT) ## prove the installation: versions, modules, and the method once with a known result (a minute)
	@$(RUN) -m ases check

lint: $(BUILT) ## look the code over with ruff
	@$(RUN) -m ruff check .

lab: $(BUILT) ## open the notebooks in JupyterLab
	@$(RUN) -m jupyterlab notebooks

lock: ## write requirements.lock anew from pyproject.toml (UPGRADE=1: with the newest versions)
	@.ci/environment.sh lock $(if $(UPGRADE),upgrade)

clean: ## remove what was computed: build/ and .snakemake/
	rm -rf build .snakemake

distclean: clean ## remove .venv/ too
	rm -rf .venv ases.egg-info

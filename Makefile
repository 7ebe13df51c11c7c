# make run: the site.  make test: what CI runs.  Set-up happens once and again when requirements.txt changes.

VENV := .venv
PYTHON := $(VENV)/bin/python
READY := $(VENV)/.ready
export HF_HUB_OFFLINE := 1

.PHONY: run test test-all bench lint setup browser

run: $(READY)
	@exec $(PYTHON) manage.py up

setup: $(READY)

$(READY): requirements.txt
	@test -x $(PYTHON) || python3 -m venv $(VENV)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed.")'
	@# torch first and alone: a package below must not pull another build of it
	$(PYTHON) -m pip install --quiet "$$(grep '^torch==' requirements.txt)"
	$(PYTHON) -m pip install --quiet -r requirements.txt
	@touch $@

# The browser tests need a Chromium: Debian's, where apt may install it.
browser:
	@command -v chromium >/dev/null || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null \
	  && (apt-get update -qq; DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
	      chromium fonts-noto-cjk >/dev/null); } \
	  || echo "No Chromium here: the browser tests will be skipped. On Debian: apt-get install chromium"

# Two files of tests at a time, in their order, so that none of the long browser tests is left to run alone at the end;
# most of them wait for another process. With a thread each, and threads that sleep while
# they wait, they do not take the processors from each other.
test: export OMP_NUM_THREADS := 1
test: export OMP_WAIT_POLICY := PASSIVE
test: $(READY) browser
	$(PYTHON) -m ruff check .
	$(PYTHON) -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not slow"

test-all: $(READY) browser
	$(PYTHON) -m ruff check .
	$(PYTHON) -m pytest

bench: $(READY)
	$(PYTHON) -m tests.benchmarks

lint: $(READY)
	$(PYTHON) -m ruff check .

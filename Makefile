# What people type. `make` alone lists it. All that is made lies in .venv/ (programs) and var/ (data).

.DEFAULT_GOAL := help
.PHONY: help run stop test check bench doctor venv venv-dev lock messages clean reset
STARTED := $(shell date +%s.%N)

PORT ?= 8000
PYTHON := .venv/bin/python
LOCK := uv pip compile --quiet --universal --generate-hashes --python-version 3.12 --no-header --no-annotate
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|' 2>/dev/null || cat $(MAKEFILE_LIST)

run: venv ## start everything with a demo county; Ctrl-C stops it (PORT=8000, RUN="--no-demo")
	@exec $(PYTHON) -m incubator.embedded.runner --port $(PORT) --with-parent --since $(STARTED) $(RUN)

stop: ## stop what `make run` started elsewhere
	@test -x $(PYTHON) || { echo "Nothing runs."; exit 0; }; exec $(PYTHON) -m incubator.embedded.runner --stop

test: venv-dev ## run the tests, a process a core, each on servers of its own (ARGS="-k name")
	@$(PYTHON) -m pytest --numprocesses auto --maxprocesses 4 --dist loadgroup $(ARGS)

check: venv-dev ## style, types, arrows between the rooms, templates, migrations
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	git ls-files -z '*.html' | xargs -0 --no-run-if-empty .venv/bin/djade --check --target-version 5.2
	$(PYTHON) -m mypy .
	.venv/bin/lint-imports
	$(PYTHON) -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run

bench: venv-dev ## measure, on servers of its own (ONLY=name, SCALE=small); results in var/bench/results.json
	@$(PYTHON) -m tests.bench --only "$(ONLY)" --scale "$(or $(SCALE),full)"

doctor: venv ## say what is wrong with this installation, and what to do
	@$(PYTHON) manage.py doctor

venv: ## make .venv with what the product runs on, if the lock file changed
	@$(call install,requirements.lock)

venv-dev: ## the same, with what developing and testing need
	@$(call install,requirements-dev.lock)

lock: ## write the lock files anew (needs uv)
	@command -v uv >/dev/null || { echo "uv is needed: https://docs.astral.sh/uv/"; exit 1; }
	$(LOCK) $(UPGRADE) requirements.in --output-file requirements.lock
	$(LOCK) $(UPGRADE) requirements-dev.in --output-file requirements-dev.lock

messages: venv-dev ## collect and compile the Chinese sentences (needs gettext); the English ones stand in the source
	$(PYTHON) manage.py makemessages --locale zh_Hans --ignore tests --ignore .venv --ignore var --no-location --no-obsolete
	$(PYTHON) manage.py compilemessages --locale zh_Hans --ignore .venv --ignore var

clean: stop ## remove .venv and caches; data in var/ stays
	rm -rf .venv staticfiles .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

reset: stop ## remove all data in var/: the next start begins anew
	rm -rf var

# $(call install,LOCKFILE): a .venv that runs, with exactly the locked packages. A copy of the lock file in .venv says
# that it was installed to the end.
define install
set -e; \
if ! $(PYTHON) -c 'import sys, pip; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; then \
	found=$$(sh incubator/embedded/find_python.sh); \
	echo "Making .venv with $$found"; \
	rm -rf .venv; "$$found" -m venv .venv; \
fi; \
if ! cmp -s $(1) .venv/$(1); then \
	echo "Installing $(1)"; \
	$(PYTHON) -m pip install -qq --no-compile --require-hashes -r $(1) || \
		{ echo "Installing $(1) failed; the reason stands above. Is there a network, and space on the disk?"; exit 1; }; \
	cp $(1) .venv/$(1); \
fi
endef

# Everything runs in .venv, which each command builds first. `make help` lists the commands.
.DEFAULT_GOAL := default
PYTHON_BIN := .venv/bin/python
STAMP := .venv/.installed

# Inputs reach the program through its environment, as they are: neither make nor a shell expands what stands in them.
INPUTS := PROFILE SUITE USERS DURATION_S ENGINE GENERATORS TARGET IGNORE_BLACKOUT CONFIRM_PRODUCTION AIRFLOW_PORT ONLY DIR CASES SEEDS RECORD BUNDLES SAMPLES
$(foreach name,$(INPUTS),$(eval override $(name) := $$(value $(name))))
export $(INPUTS)

# GNU make turns every failure into exit code 2, but a verdict other than PASS and WARN is exit code 1. In question mode
# (-q) a `+` line that exits with 1 makes make exit with 1, silently, and 2 stays 2. Only `+` lines run in that mode and
# prerequisites do not, so these two commands build .venv in a `+` line, with a make that does not inherit the mode.
ifneq (,$(filter run demo,$(MAKECMDGOALS)))
MAKEFLAGS += -q
endif
BUILD_VENV = env -u MAKEFLAGS -u MFLAGS $(MAKE) --no-print-directory --silent venv || exit 1

.PHONY: default help venv demo up down run test prove bench backtest check audit lock system-deps clean

default: venv help

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

venv: $(STAMP) ## Install the locked packages into .venv

demo: ## Start everything, run a short load test through Airflow, show it live, stop everything
	+@$(BUILD_VENV)
	+@$(PYTHON_BIN) -m include.embedded demo

up: $(STAMP) ## Start Airflow and the demo target, or use LOAD_TEST_BASE_URL as the target [AIRFLOW_PORT=8080]
	@$(PYTHON_BIN) -m include.embedded up

down: ## Stop what `make up` started
	@if [ -e $(STAMP) ]; then $(PYTHON_BIN) -m include.embedded down; else echo "nothing is running"; fi

run: ## Run and follow a load test: PROFILE=name or path [USERS= DURATION_S= ENGINE= GENERATORS= TARGET= IGNORE_BLACKOUT=yes CONFIRM_PRODUCTION=host], or SUITE=name
	+@$(BUILD_VENV)
	+@$(PYTHON_BIN) -m include.embedded run

# Bytecode that is kept saves a sixth of all CPU: uv leaves a new .venv without any, and images for CI often forbid to
# write it. Four workers on two cores, since most tests wait half of their time; tests/conftest.py orders the files.
test: $(STAMP) system-deps ## Run the tests [LONG=yes: also three stories through the scheduler whose parts are tested in process]
	@env -u PYTHONDONTWRITEBYTECODE $(PYTHON_BIN) -m pytest -n 4 --dist loadfile --no-loadscope-reorder -m "$(if $(LONG),,not long)"

prove: $(STAMP) ## Show what is claimed by real runs, a line for each claim [ONLY=faults,profiles,walk,freeze,censored,validity,aa,regression,confirm,kill9,calendar,lock,parity,italian,release,parse,collectors,alerts,dashboards,bottleneck,llm,capacity,tickets,outbox,selftest,pages,live_page,report,pages_speed,screens,generators,upkeep,security,compose,fresh SEEDS=5 RECORD=dir BUNDLES=dir]
	@$(PYTHON_BIN) -m experiments

bench: $(STAMP) ## Show speed and memory beside named peers, as ratios, a line for each measure [ONLY=recording,k6,memory,workers,analysis,verdict,graph,parse,monitors SAMPLES=20000]
	@$(PYTHON_BIN) -m experiments.bench

backtest: ## Judge recorded histories by the change test: CSV on standard output, DIR= [CASES= PROFILE=]
	@$(MAKE) --no-print-directory --silent venv >&2
	@$(PYTHON_BIN) -m include.loadtest.backtest

check: $(STAMP) ## Lint, types, import contracts
	.venv/bin/ruff check
	.venv/bin/mypy
	.venv/bin/lint-imports

audit: $(STAMP) ## Look for known vulnerabilities of the locked packages
	@$(PYTHON_BIN) .github/scripts/audit.py requirements.txt

lock: $(STAMP) ## Compile requirements.in to requirements.txt, with hashes, for Python 3.11 to 3.13
	.venv/bin/uv pip compile --quiet --system-certs --universal --python-version 3.11 --generate-hashes \
		--custom-compile-command "make lock" --output-file requirements.txt requirements.in

system-deps: ## Install the Debian packages that only tests need (root)
	@.ci/system-deps

clean: down ## Stop everything and remove .venv and .embedded; results stay
	rm -rf .venv .embedded .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# uv, itself pinned by hash in requirements.txt, installs in seconds what takes pip minutes; where it cannot run,
# pip does it. With the system's certificates it works behind a company's proxy as pip does.
$(STAMP): requirements.txt
	@set -e; started=$$(date +%s); \
	supported='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'; \
	if ! $(PYTHON_BIN) -c "$$supported" 2>/dev/null; then \
		found=; \
		for candidate in python3.13 python3.12 python3.11 python3; do \
			if $$candidate -c "$$supported" 2>/dev/null; then found=$$candidate; break; fi; \
		done; \
		if [ -z "$$found" ]; then \
			echo "no Python 3.11, 3.12 or 3.13 found (tried python3.13, python3.12, python3.11, python3): install one" >&2; \
			exit 1; \
		fi; \
		rm -rf .venv; \
		$$found -m venv .venv || { rm -rf .venv; echo "$$found cannot make a .venv: install its venv module" >&2; exit 1; }; \
	fi; \
	pip="$(PYTHON_BIN) -m pip --quiet --disable-pip-version-check"; \
	awk '/^uv==/ { inside = 1 } inside { print; if (!/\\$$/) exit }' requirements.txt > .venv/uv.txt; \
	if ! $$pip install --require-hashes -r .venv/uv.txt || ! .venv/bin/uv pip install --quiet --system-certs \
			--python $(PYTHON_BIN) --require-hashes -r requirements.txt; then \
		echo "uv cannot install here: pip does it, which takes minutes"; \
		$$pip install --require-hashes -r requirements.txt; \
	fi; \
	touch $@; echo "packages installed        $$(($$(date +%s) - started)) s"

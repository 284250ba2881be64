# One virtual environment for everything; made when absent, remade when what it is made of changes.
PYTHON ?= python3.11
VENV   := .venv
STAMP  := $(VENV)/.stamp
BIN    := $(VENV)/bin
JOBS   ?= 2
# Tests of the soak that wait for a line in real time leave their core to one worker more.
SOAK_JOBS ?= 3
# Each worker begins with a part of the list, long files first, and takes over from the others.
SHARED := --dist worksteal
# Compiled modules are kept: workers, and the commands that tests start, would compile all anew.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test soak check bench format
$(STAMP): pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt setuptools wheel
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt \
	  --no-build-isolation --editable '.[dev]'
	@touch $(STAMP)

demo: $(STAMP)
	$(BIN)/smetsbench demo --out runs/demo

test: $(STAMP)
	$(BIN)/python -m compileall -q -j $(JOBS) device_profiles emulator firmware_images harness hil
	SMETSBENCH_SAMPLE=1 $(BIN)/python -m pytest -n $(JOBS) $(SHARED)

soak: $(STAMP)
	SMETSBENCH_SAMPLE=soak $(BIN)/python -m pytest -n $(SOAK_JOBS) $(SHARED) -m soak --timeout 3000

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(STAMP)
	@for file in benchmarks/bench_*.py; do $(BIN)/python $$file || exit 1; done

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

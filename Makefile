# One virtual environment for everything; made when absent, remade when what it is made of changes.
PYTHON ?= python3.11
VENV   := .venv
STAMP  := $(VENV)/.stamp
BIN    := $(VENV)/bin
JOBS   ?= 2
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
	SMETSBENCH_SAMPLE=1 $(BIN)/python -m pytest -n $(JOBS)

soak: $(STAMP)
	SMETSBENCH_SAMPLE=soak $(BIN)/python -m pytest -n $(JOBS) -m soak --timeout 3000

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

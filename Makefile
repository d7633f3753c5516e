# Two commands: `make demo` audits the embedded model, `make test` passes the tests. Each sets up what it needs.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
export HF_HUB_OFFLINE = 1

.PHONY: demo test test-lowest check bench validation clean

demo: $(STAMP)
	$(BIN)/clipaudit run demo --model reference --out runs/demo
	@echo "open runs/demo/report.html in a browser"

test: $(STAMP)
	$(BIN)/python -m pytest -n auto --dist loadgroup

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The lowest release of each dependency, on a Python of its own (3.11): `make test-lowest PYTHON=python3.11`.
# Older pandas leaves the files that it read to be closed later, of which Python warns.
LEFT_OPEN = -W ignore::pytest.PytestUnraisableExceptionWarning
test-lowest:
	$(PYTHON) -m venv $(VENV)-lowest
	$(VENV)-lowest/bin/python -m pip install --quiet --upgrade pip packaging
	$(VENV)-lowest/bin/python tests/lowest.py all > $(VENV)-lowest/constraints.txt
	$(VENV)-lowest/bin/python -m pip install --quiet --constraint $(VENV)-lowest/constraints.txt --editable '.[all]' \
		captum hatchling hypothesis jsonschema pytest pytest-xdist
	$(VENV)-lowest/bin/python -m pytest -n auto --dist loadgroup $(LEFT_OPEN) tests/unit tests/contract

# Ours and theirs in turns, with the ratio's spread and the share of the machine's peak; about ten minutes.
bench: $(STAMP)
	$(BIN)/python -m pip install --quiet --editable '.[benchmarks]'
	$(BIN)/python tests/benchmarks --json build/bench.json

# The figures that the audits carry: of all, or of AUDITS="one another". Exit code 1 of validate says that some leave their
# band, which the figures tell.
validation: $(STAMP)
	mkdir -p build/validation
	cp audits/clipaudit_audits/validation.json build/validation/
	$(BIN)/clipaudit validate $(AUDITS) --jobs 2 --out build/validation || [ $$? = 1 ]
	cp build/validation/validation.json audits/clipaudit_audits/

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $(STAMP)

clean:
	rm -rf $(VENV) $(VENV)-lowest build dist

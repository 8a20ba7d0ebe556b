# Two commands do everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test check lint format docs clean

demo: .venv/ready
	$(BIN)/ecglipse demo --out demo

test: .venv/ready check
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist worksteal

check: .venv/ready lint
	$(BIN)/mypy

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

format: .venv/ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: .venv/ready
	$(BIN)/python -c 'from ecglipse.cli import app; print(app.generate_docs(output_format="markdown").rstrip())' > docs/cli.md

# Made again when the dependencies change; the package itself is installed editable.
.venv/ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "ecglipse needs Python 3.11 or newer; try `make PYTHON=python3.12 ...`")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
	touch .venv/ready

clean:
	rm -rf .venv demo dist build .pytest_cache .mypy_cache .ruff_cache

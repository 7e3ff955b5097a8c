# The index of everything a person types here: `make help`. Belongs here: names for commands, what each needs
# first. Not here: logic (scripts/, python -m loaders, dbt, Dagster).

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
BIN := .venv/bin
export BDGD SAFRA
# Dagster and dbt start in half the time from compiled modules; some containers switch them off.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help: ## this list
	@echo "make TARGET, where TARGET is"
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-12s %s\n", $$1, $$2}' Makefile

.PHONY: run
run: venv db ## land a BDGD, build and test the warehouse: a synthetic one, or BDGD="a.gdb.zip b.gdb"
	@# A list of files takes no spaces in their names; one file alone may have them.
	@if [ -e "$$BDGD" ]; then exec $(BIN)/python -m dagster_pipeline.run "$$BDGD"; else exec $(BIN)/python -m dagster_pipeline.run $$BDGD; fi

.PHONY: build
build: venv db ## build, test and publish what is pending; SAFRA="401-2024" builds that one again
	@$(BIN)/python -m dagster_pipeline.run --construir $$SAFRA

.PHONY: test
test: lint ## lint, then the tests, on a PostgreSQL/PostGIS of their own; make faults has the rest
	$(BIN)/python -m pytest tests -m 'not faults'

.PHONY: faults lint unit integration
faults: venv ## kills, races, disk full, TLS, roles: a quarter of an hour and more
	$(BIN)/python -m pytest tests -m faults

lint: venv ## ruff and sqlfluff, changing nothing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@# sqlfluff compiles by dbt, which wants some database.
	$(PYTHON) -m scripts.postgres throwaway $(BIN)/sqlfluff lint dbt_project

unit: venv ## the tests that need no database
	$(BIN)/python -m pytest tests/unit

integration: venv ## the tests on a PostgreSQL/PostGIS of their own
	$(BIN)/python -m pytest tests/integration

.PHONY: mutants
mutants: venv ## planta uma falha por vez e diz as que nenhum teste nota; uma hora: make mutants MUTANTS="--only cep() --limit 50"
	$(BIN)/python -m tests.mutants $(MUTANTS)

.PHONY: bench
bench: venv ## measure it against ogr2ogr, pandas and bare SQL; an hour or more: make bench BENCH="--so landing"
	$(BIN)/python -m scripts.bench $(BENCH)

.PHONY: dev
dev: venv db ## Dagster's web page, and what runs schedules and sensors
	@exec $(BIN)/python -m dagster_pipeline.dev

.PHONY: status
status: venv db ## what is landed, held, published; last runs, inbox, backup, disk; what to type next
	@$(BIN)/python -m dagster_pipeline.status

.PHONY: docs
docs: venv db ## dbt's docs, the data dictionary, as one file
	$(BIN)/python -m scripts.docs_site
	$(BIN)/python -m scripts.pagina_qualidade

.PHONY: db db-url psql db-stop db-status clean-db
db: venv ## start this clone's PostgreSQL/PostGIS (nothing is started when DATABASE_URL or PGHOST is set)
	@$(PYTHON) -m scripts.postgres up

db-url: ## print its address, for psql, a BI tool, R: make -s db-url
	@$(PYTHON) -m scripts.postgres url

psql: ## a psql on it
	@$(PYTHON) -m scripts.postgres psql

db-status: ## where it is and whether it runs
	@$(PYTHON) -m scripts.postgres status

db-stop: ## stop it; the data stay
	@$(PYTHON) -m scripts.postgres stop

clean-db: ## stop it and delete all its data: make clean-db CONFIRM=yes
	@[ "$(CONFIRM)" = yes ] || { echo "this deletes the database of this clone: make clean-db CONFIRM=yes" >&2; exit 2; }
	@$(PYTHON) -m scripts.postgres remove

.PHONY: backup restore
export DEST FILE NOVO
backup: venv db ## dump the warehouse into a checksummed folder, keep the newest 7: make backup [DEST=folder]
	@$(BIN)/python -m scripts.backup create $${DEST:+"$$DEST"}

restore: venv db ## verify a backup and restore it: make restore FILE=folder [NOVO=database]
	@[ -n "$$FILE" ] || { echo "which backup? make restore FILE=.local/backups/…" >&2; exit 2; }
	@$(BIN)/python -m scripts.backup restore "$$FILE" $${NOVO:+--novo "$$NOVO"}

.PHONY: roles
roles: venv db ## create the database's roles, passwords from the environment (docs/security.md)
	@$(BIN)/python -m scripts.roles create

.PHONY: venv lock clean
venv: ## .venv with exactly requirements.lock
	@$(PYTHON) -m scripts.venv
	@mkdir -p .local/dagster && ln -sfn ../../dagster.yaml .local/dagster/dagster.yaml

lock: venv ## resolve requirements.lock again from pyproject.toml
	UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile -q pyproject.toml requirements.in --extra dev \
		--universal --python-version 3.11 --generate-hashes --no-emit-index-url -o requirements.lock

clean: ## delete .venv, caches and dbt's target; never the database
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis build logs target *.egg-info dbt_project/target dbt_project/logs
	find . -name __pycache__ -type d -not -path './.local/*' -prune -exec rm -rf {} +

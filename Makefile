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
help: ## esta lista
	@echo "make ALVO, onde ALVO é"
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-12s %s\n", $$1, $$2}' Makefile

.PHONY: run
run: venv db ## aterrissa uma BDGD, constrói, testa e publica: um exemplo inventado, ou BDGD="a.gdb.zip b.gdb" (e COMPLEMENTO=1, SEM_CAMADA=UCBT: docs/runbook.md)
	@# A list of files takes no spaces in their names; one file alone may have them.
	@run="$(BIN)/python -m dagster_pipeline.run $(if $(COMPLEMENTO),--complemento) $(addprefix --sem-camada=,$(SEM_CAMADA))"; \
	if [ -e "$$BDGD" ]; then exec $$run "$$BDGD"; else exec $$run $$BDGD; fi

.PHONY: build
build: venv db ## constrói, testa e publica o que está pendente; SAFRA="401-2024" refaz essa
	@$(BIN)/python -m dagster_pipeline.run --construir $$SAFRA

.PHONY: backfill
export INTEL_SEGUIR ?= $(SEGUIR)
backfill: venv db ## busca, aterrissa e publica safras, as mais novas primeiro; repetido, continua: make backfill SAFRAS="401-2024 86-2023"|TODAS [ENSAIO=1]
	@$(BIN)/python -m dagster_pipeline.backfill $(if $(ENSAIO),--ensaio) $(SAFRAS)

.PHONY: test
test: venv ## lint e testes, dois a dois, cada um num PostgreSQL/PostGIS só dele; o resto está em make faults
	@$(MAKE) -j2 lint unit integration

.PHONY: faults lint unit integration
faults: venv ## quedas, corridas, disco cheio, TLS, papéis: um quarto de hora ou mais
	$(BIN)/python -m pytest tests -m faults

lint: venv ## ruff e sqlfluff, sem mudar nada
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@# sqlfluff compiles by dbt, which wants some database.
	$(PYTHON) -m server.postgres throwaway $(BIN)/sqlfluff lint dbt_project

unit: venv ## os testes que não precisam de banco
	$(BIN)/python -m pytest tests/unit

integration: venv ## os testes, em dois processos, cada um num PostgreSQL/PostGIS só dele
	$(BIN)/python -m pytest tests/integration -m 'not faults' -n 2 --dist loadfile --durations=25

.PHONY: test-painel
test-painel: venv ## o painel num navegador de verdade, numa API e num banco só dele; uns minutos
	$(BIN)/python -m pytest tests/browser

.PHONY: test-bi
test-bi: venv ## os painéis do Superset num navegador de verdade, no exemplo e numa base: uns minutos: make test-bi [BDGD=a.gdb.zip]
	@$(PYTHON) -m scripts.venv bi
	$(BIN)/python -m pytest tests/bi

.PHONY: bi-figuras
bi-figuras: venv ## refaz as figuras de docs/bi.md, de uma base de verdade: make bi-figuras BDGD=a.gdb.zip
	@$(PYTHON) -m scripts.venv bi
	$(BIN)/python -m pytest -q tests/bi/pictures.py

.PHONY: painel-figuras
painel-figuras: venv ## refaz as figuras de docs/painel.md, de dados inventados
	$(BIN)/python -m pytest -q tests/browser/pictures.py

.PHONY: mutants
mutants: venv ## planta uma falha por vez e diz as que nenhum teste nota; uma hora: make mutants MUTANTS="--only cep() --limit 50"
	$(BIN)/python -m tests.mutants $(MUTANTS)

.PHONY: bench
bench: venv ## mede contra ogr2ogr, pandas e SQL puro; uma hora ou mais: make bench BENCH="--so landing"
	$(BIN)/python -m bench $(BENCH)

.PHONY: anomalies
anomalies: venv ## mede o que se acha das anomalias plantadas, num banco só para isso: make anomalies BENCH="--ucs 5000"
	$(PYTHON) -m server.postgres throwaway $(BIN)/python -m bench.anomalies $(BENCH)

.PHONY: forecasts
forecasts: venv ## mede quanto as previsões demoram e erram, num banco só para isso: make forecasts BENCH="--tres 5000"
	$(PYTHON) -m server.postgres throwaway $(BIN)/python -m bench.forecasts $(BENCH)

.PHONY: profiles
profiles: venv db ## refaz os perfis de consumo (seeds/perfil_centro.csv) das safras publicadas; depois make build
	@$(BIN)/python -m scripts.profile_centres

.PHONY: learn
learn: venv db ## aprende os pesos do score dos resultados carregados (loaders resultados); depois make build
	@$(BIN)/python -m learning aprender

.PHONY: dev
dev: venv db ## a página do Dagster, e o que roda agendas e sensores
	@exec $(BIN)/python -m dagster_pipeline.dev

.PHONY: status
status: venv db ## o que aterrissou, está retido, publicado; execuções, caixa de entrada, cópia, disco; o próximo passo
	@$(BIN)/python -m dagster_pipeline.status

.PHONY: health
health: venv db ## o que está errado, por quê, e o que digitar; AVISAR=1 avisa também quem está em INTEL_AVISOS
	@$(BIN)/python -m health $(if $(AVISAR),--avisar)

.PHONY: alerts
alerts: venv db ## julga as regras de alerta e envia o que está na hora (docs/alertas.md)
	@# A rule that cannot be judged keeps nobody from what the others found.
	@code=0; $(BIN)/python -m alerts julgar || code=$$?; $(BIN)/python -m alerts enviar || code=$$?; exit $$code

.PHONY: api
api: venv db ## a API REST, no endereço que diz; antes, uma vez: make roles e python -m api usuario criar (docs/api.md)
	@exec $(BIN)/python -m api servir

.PHONY: painel
painel: venv db ## monta o painel (web/dist), que make api serve no mesmo endereço; antes: make run e make roles (docs/painel.md)
	@$(BIN)/python -m scripts.panel

.PHONY: bi bi-stop bi-export bi-lock
export INTEL_BI_SENHA
bi: venv db ## painéis do Superset sobre os marts, no endereço que diz (docs/bi.md): make bi [INTEL_BI_SENHA=…] [DESCARTAR=1]
	@$(PYTHON) -m scripts.venv bi
	@$(BIN)/python -m bi ligar $(if $(DESCARTAR),--descartar)

bi-stop: venv ## desliga o Superset; o que é dele fica
	@$(BIN)/python -m bi parar

bi-export: venv db ## traz para dashboards/ o que foi mudado à mão no Superset
	@$(BIN)/python -m bi exportar

bi-lock: venv ## resolve bi/requirements.lock de novo
	UV_CUSTOM_COMPILE_COMMAND="make bi-lock" $(BIN)/uv pip compile -q bi/requirements.in \
		--universal --python-version 3.11 --generate-hashes --no-strip-extras --no-emit-index-url -o bi/requirements.lock

.PHONY: report
export PERIODO
report: venv db ## relatórios em HTML e PDF da safra mais nova de cada distribuidora: make report [SAFRA=401-2024] [PERIODO=diario|semanal|mensal] [MUNICIPIO=4320909] [OFERTA=arbitragem] [SECAO="ligar leads"]
	@$(BIN)/python -m reports $$SAFRA --periodo "$${PERIODO:-safra}" $(addprefix --municipio=,$(MUNICIPIO)) \
		$(addprefix --oferta=,$(OFERTA)) $(addprefix --secao=,$(SECAO))

.PHONY: screenshots
screenshots: venv db ## refaz as figuras do README, de uma safra publicada: make screenshots SAFRA=401-2024
	@$(BIN)/python -m scripts.screenshots "$${SAFRA:-401-2024}"

.PHONY: docs
docs: venv db ## o dicionário de dados (dbt docs) num arquivo, e a página de qualidade
	$(BIN)/python -m dagster_pipeline.docs_site
	$(BIN)/python -m scripts.quality_page

.PHONY: db db-url psql db-stop db-status clean-db
db: venv ## liga o PostgreSQL/PostGIS deste clone; com DATABASE_URL ou PGHOST, confere esse servidor
	@$(PYTHON) -m server.postgres up

db-url: ## o endereço dele, para psql, BI, R: make -s db-url
	@$(PYTHON) -m server.postgres url

psql: ## um psql nele
	@$(PYTHON) -m server.postgres psql

db-status: ## onde está e se está ligado
	@$(PYTHON) -m server.postgres status

db-stop: ## desliga; os dados ficam
	@$(PYTHON) -m server.postgres stop

clean-db: ## desliga e apaga todos os dados: make clean-db CONFIRM=yes
	@[ "$(CONFIRM)" = yes ] || { echo "isto apaga o banco deste clone: make clean-db CONFIRM=yes" >&2; exit 2; }
	@$(PYTHON) -m server.postgres remove

.PHONY: backup restore
export DEST FILE NOVO
backup: venv db ## copia o armazém para uma pasta com somas; ficam as 7 mais novas: make backup [DEST=pasta]
	@$(BIN)/python -m server.backup create $${DEST:+"$$DEST"}

restore: venv db ## confere uma cópia e a restaura: make restore FILE=pasta [NOVO=banco]
	@[ -n "$$FILE" ] || { echo "qual cópia? make restore FILE=.local/backups/…" >&2; exit 2; }
	@$(BIN)/python -m server.backup restore "$$FILE" $${NOVO:+--novo "$$NOVO"}

.PHONY: export
export: venv db ## tabelas de marts em GeoParquet/Parquet, por safra (docs/bi.md): make export [SAFRA=401-2024] [DEST=pasta] [COMPLETO=1] [ENSAIO=1]
	@$(BIN)/python -m exports $$SAFRA $${DEST:+--destino "$$DEST"} $(if $(COMPLETO),--completo) $(if $(ENSAIO),--ensaio)

.PHONY: servico
export USUARIO MQTT
servico: ## serviços do systemd, que voltam depois de uma queda: sudo make servico [USUARIO=intel] [MQTT="broker:8883 --tls"] [ENSAIO=1] [ATIVAR=1] [REMOVER=1]
	@$(BIN)/python -m server.services $${USUARIO:+--usuario "$$USUARIO"} $${MQTT:+--mqtt "$$MQTT"} $${DEST:+--destino "$$DEST"} \
		$(if $(ENSAIO),--ensaio) $(if $(ATIVAR),--ativar) $(if $(REMOVER),--remover)

.PHONY: drill
drill: venv db ## restaura a cópia mais nova num banco à parte, confere e diz se serve
	@$(BIN)/python -m server.drill $${DEST:+"$$DEST"}

.PHONY: roles
roles: venv db ## cria os papéis do banco, com senhas do ambiente (docs/security.md)
	@$(BIN)/python -m server.roles create

.PHONY: venv lock clean
venv: ## .venv exatamente como requirements.lock
	@$(PYTHON) -m scripts.venv
	@mkdir -p .local/dagster && ln -sfn ../../dagster.yaml .local/dagster/dagster.yaml

lock: venv ## resolve requirements.lock de novo a partir de pyproject.toml
	UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile -q pyproject.toml requirements.in --extra dev \
		--universal --python-version 3.11 --generate-hashes --no-strip-extras --no-emit-index-url -o requirements.lock

clean: ## apaga .venv, caches e o target do dbt; nunca o banco
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis build logs target *.egg-info dbt_project/target dbt_project/logs
	find . -name __pycache__ -type d -not -path './.local/*' -prune -exec rm -rf {} +

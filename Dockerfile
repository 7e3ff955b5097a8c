# The image of every service of compose.yaml but the database's: this clone with its environment.
# Belongs here: what the image holds. Not here: what a container of it runs (compose.yaml).
# Docker's engine was never at hand where this was written: docs/runbook.md says what was tried instead.
FROM python:3.11-slim-bookworm AS environment
WORKDIR /srv/intel-lead
# Only what says which packages: a change of the code installs none again.
COPY requirements.lock ./
COPY scripts/venv.py scripts/
COPY server/system_packages.py server/
RUN python3 -m scripts.venv

FROM python:3.11-slim-bookworm
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        fonts-dejavu-core libharfbuzz-subset0 libpango-1.0-0 libpangoft2-1.0-0 postgresql-client-15 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --create-home intel
WORKDIR /srv/intel-lead
COPY --from=environment /srv/intel-lead/.venv .venv
COPY . .
# What a container writes is in .local and relatorios, which compose.yaml keeps in volumes; a new volume
# takes its content and its owner from here.
RUN mkdir -p .local/dagster .local/inbox relatorios \
    && ln -s ../../dagster.yaml .local/dagster/dagster.yaml \
    && .venv/bin/python -m compileall -q -x '/[.]venv/' . \
    && chown -R intel:intel .local relatorios
ENV DBT_LOG_PATH=/srv/intel-lead/.local/dbt/logs \
    DBT_TARGET_PATH=/srv/intel-lead/.local/dbt \
    PATH=/srv/intel-lead/.venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001
CMD ["python", "-m", "dagster_pipeline.run", "--help"]

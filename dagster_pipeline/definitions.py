"""Dagster's code location: what workspace.yaml opens and scripts/run.py executes."""

import dagster as dg

from dagster_pipeline import manifest
from dagster_pipeline.defs import backup, checks, dbt, jobs, raw, resources, schedules, sensors


@dg.definitions
def defs() -> dg.Definitions:
    """Everything Dagster knows of; parses the dbt project if it changed."""
    return dg.Definitions(
        assets=[*raw.FILES, raw.raw_bdgd, raw.raw_aicss, *dbt.assets(manifest.prepare())],
        asset_checks=[
            checks.energia_publicada_igual_a_do_arquivo,
            checks.leads_da_safra_localizados,
            checks.portao_de_entrada,
        ],
        jobs=[jobs.safra, jobs.marts, jobs.aicss, backup.job],
        schedules=[schedules.daily, backup.schedule],
        sensors=[sensors.caixa_de_entrada, sensors.follow_publications],
        resources={"dbt": resources.dbt(), "banco": resources.Banco()},
        # One process a run: a process a step would import all of this again each time (30 s).
        executor=dg.in_process_executor,
    )

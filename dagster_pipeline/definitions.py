"""Dagster's code location: what workspace.yaml opens and dagster_pipeline/run.py executes."""

import warnings

import dagster as dg

# What the library may change some day is not for who reads a terminal.
warnings.filterwarnings("ignore", category=dg.BetaWarning)
warnings.filterwarnings("ignore", category=dg.PreviewWarning)

from dagster_pipeline import manifest  # noqa: E402
from dagster_pipeline.defs import (  # noqa: E402
    alerts,
    backup,
    companies,
    dbt,
    exchange,
    forecasts,
    jobs,
    learned_weights,
    open_data,
    raw,
    reports,
    resources,
    retention,
    safras,
    schedules,
    sensors,
    vintages,
    watch,
)

ENGINEERS = "team:engenharia"


def owned(spec: dg.AssetSpec) -> dg.AssetSpec:
    """Who answers for what dbt says nothing of (``meta.dono``): who runs the warehouse."""
    return spec if spec.owners else spec.replace_attributes(owners=[ENGINEERS])


def keys_of(asset: dg.AssetsDefinition | dg.AssetSpec) -> set[dg.AssetKey]:
    """What a definition makes."""
    return {asset.key} if isinstance(asset, dg.AssetSpec) else set(asset.keys)


@dg.definitions
def defs() -> dg.Definitions:
    """Everything Dagster knows of; parses the dbt project if it changed."""
    path = manifest.prepare()
    batch = safras.job(path)
    assets = [
        *raw.FILES,
        *vintages.ASSETS,
        safras.assets(path),
        raw.raw_aicss,
        companies.registry,
        *open_data.assets,
        dbt.published_assets(path),
        forecasts.forecasts,
        learned_weights.OUTCOMES,
        learned_weights.learned_weights,
        exchange.exported,
        exchange.predicted,
    ]
    made = {key for asset in assets for key in keys_of(asset)}
    read = [spec for spec in dbt.sources(path) if spec.key not in made]
    return dg.Definitions(
        assets=list(dg.map_asset_specs(owned, [*assets, *read])),
        jobs=[
            batch,
            vintages.job(path),
            jobs.safra,
            jobs.marts,
            jobs.aicss,
            backup.job,
            backup.drill_job,
            retention.job,
            companies.job,
            alerts.judging,
            alerts.sending,
            reports.reporting,
            *open_data.jobs,
        ],
        schedules=[
            *(
                schedules.daily,
                vintages.schedule,
                backup.schedule,
                backup.drill_schedule,
                retention.schedule,
                companies.schedule,
                alerts.daily,
                alerts.due,
            ),
            *reports.schedules,
            *open_data.schedules,
        ],
        asset_checks=[watch.published],
        sensors=[
            sensors.inbox_sensor(batch, path),
            sensors.follow_publications,
            watch.watch,
            watch.on_failure,
        ],
        resources={"banco": resources.Database()},
        # One process a run: a process a step would import all of this again each time (30 s).
        executor=dg.in_process_executor,
    )

"""Open data as assets: one for each declaration, with its schedule, its freshness and its checks.

Belongs here: the factory. Not here: declarations, landing (loaders/open_data), dbt's tables.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import psycopg
from pydantic import Field

from dagster_pipeline.defs.resources import Database
from loaders.errors import LoadError
from loaders.open_data.dataset import Dataset
from loaders.open_data.errand import Errand, run
from loaders.open_data.landing import kept_rows, landed_at, landed_rows
from loaders.open_data.registry import DATASETS

COUNTED, FRESH = "linhas_conferem", "em_dia"


class OpenDataFile(dg.Config):
    """What to land; as the options of ``python -m loaders aberto``."""

    arquivo: str = Field(default="", description="Arquivo já baixado; vazio: busca na fonte.")
    desde: int = Field(default=0, description="Primeiro ano a buscar; 0: o ano passado.")
    forcar: bool = Field(default=False, description="Aterrissa de novo o que já está.")
    endereco: str = Field(default="", description="Outro endereço da fonte: um espelho.")


def key(dataset: Dataset) -> dg.AssetKey:
    """The raw table: dbt's source names the same key."""
    return dg.AssetKey(["raw", dataset.table])


def _said(dataset: Dataset) -> str:
    return (
        f"{dataset.title}. Fonte: {dataset.publisher}, {dataset.licence}. Período:"
        f" {dataset.period}. Ressalva: {dataset.caveat}"
    )


def _asset(dataset: Dataset) -> dg.AssetsDefinition:
    checks = [
        dg.AssetCheckSpec(
            COUNTED,
            asset=key(dataset),
            description="A tabela tem as linhas que o registro de arquivos diz que aterrissaram.",
        ),
        dg.AssetCheckSpec(
            FRESH,
            asset=key(dataset),
            description=f"O que aterrissou tem no máximo {dataset.fresh_days} dias.",
        ),
    ]

    @dg.multi_asset(
        name=f"raw_{dataset.table}",
        specs=[
            dg.AssetSpec(
                key(dataset),
                group_name="dados_abertos",
                kinds={"python", "postgres"},
                description=_said(dataset),
                metadata={
                    "pagina": dg.MetadataValue.url(dataset.page),
                    "licenca": dataset.licence,
                    "periodo": dataset.period,
                },
                freshness_policy=dg.FreshnessPolicy.time_window(
                    fail_window=timedelta(days=dataset.fresh_days)
                )
                if dataset.fresh_days
                else None,
            )
        ],
        check_specs=checks if dataset.fresh_days else checks[:1],
    )
    def landed(
        context: dg.AssetExecutionContext, config: OpenDataFile, banco: Database
    ) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        errand = Errand(
            Path(config.arquivo) if config.arquivo else None,
            config.desde or None,
            config.forcar,
            config.endereco or None,
        )
        with banco.connect() as conn:
            errors = _bring(context, conn, dataset, errand)
            yield dg.MaterializeResult(
                key(dataset), metadata={"dagster/row_count": kept_rows(conn, dataset)}
            )
            yield from _judged(conn, dataset)
        if errors:
            raise dg.Failure("\n".join(errors), allow_retries=False)

    return landed


def _bring(
    context: dg.AssetExecutionContext, conn: psycopg.Connection, dataset: Dataset, errand: Errand
) -> list[str]:
    """Land, saying each file in the run's log; why files were refused."""
    errors = []
    try:
        for outcome in run(conn, dataset, errand):
            if isinstance(outcome, LoadError):
                errors.append(str(outcome))
            else:
                context.log.info(str(outcome))
    except LoadError as error:
        errors.append(str(error))
    return errors


def _judged(conn: psycopg.Connection, dataset: Dataset) -> Iterator[dg.AssetCheckResult]:
    kept, noted = kept_rows(conn, dataset), landed_rows(conn, dataset, made_up=True)
    yield dg.AssetCheckResult(
        passed=kept == noted,
        asset_key=key(dataset),
        check_name=COUNTED,
        metadata={"na_tabela": kept, "no_registro": noted},
    )
    if not dataset.fresh_days:
        return
    last = landed_at(conn, dataset)
    age = (datetime.now(UTC) - last).days if last else None
    yield dg.AssetCheckResult(
        passed=age is not None and age <= dataset.fresh_days,
        asset_key=key(dataset),
        check_name=FRESH,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"dias": age if age is not None else "nunca aterrissou"},
    )


assets = [_asset(dataset) for dataset in DATASETS.values()]
selection = dg.AssetSelection.assets(*map(key, DATASETS.values()))
jobs = [
    dg.define_asset_job(
        f"aberto_{dataset.id}",
        selection=dg.AssetSelection.assets(key(dataset)),
        description=f"Aterrissa {dataset.title} ({dataset.publisher}).",
    )
    for dataset in DATASETS.values()
]
schedules = [
    dg.ScheduleDefinition(
        name=f"aberto_{dataset.id}",
        job_name=f"aberto_{dataset.id}",
        cron_schedule=dataset.cron,
        execution_timezone="America/Sao_Paulo",
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description=f"{dataset.title}: {dataset.period}.",
    )
    for dataset in DATASETS.values()
    if dataset.cron
]

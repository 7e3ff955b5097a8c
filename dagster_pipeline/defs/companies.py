"""The CNPJ registry as assets: what a month's delivery lands.

Belongs here: which folder is looked at, events, the schedule. Not here: landing
(loaders/companies), candidates (dbt; the next batch builds the safras that became pending).
"""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg

from dagster_pipeline.defs.resources import Database
from loaders.companies import addresses, delivery, download, landing, scope
from loaders.errors import LoadError

ASSETS = {
    dg.AssetKey(["raw", "empresa_estabelecimento"]): (
        "Estabelecimentos de pessoas jurídicas do cadastro CNPJ, dos municípios e atividades dos"
        " leads. Fonte: dados abertos da Receita Federal, mensais; uso livre com citação da fonte."
    ),
    dg.AssetKey(["raw", "empresa_pessoas"]): (
        "Quantos estabelecimentos de pessoas físicas há em cada CEP; deles nada mais fica."
    ),
    dg.AssetKey(["raw", "empresa_semelhanca"]): (
        "Quanto o endereço de cada unidade coincide com o de cada empresa do seu CEP e número."
    ),
    dg.AssetKey(["controle", "enriquecimento_da_safra"]): (
        "De que cada etapa do enriquecimento de uma safra é feita, e se foi desfeita."
    ),
}


class Files(dg.Config):
    """What to land."""

    caminhos: list[str] = []
    """Folders or files; empty: the folders of INTEL_EMPRESAS, else of .local/empresas."""
    baixar: str = ""
    """A month (``2026-06``, ``ultimo``) to be had from the Receita's share first; empty: none."""


@dg.multi_asset(
    name="raw_empresas",
    specs=[
        dg.AssetSpec(key, group_name="empresas", kinds={"python", "postgres"}, description=text)
        for key, text in ASSETS.items()
    ],
)
def registry(
    context: dg.AssetExecutionContext, config: Files, banco: Database
) -> Iterator[dg.MaterializeResult]:
    """Land what is in the folder; the same delivery again changes nothing.

    Raises:
        dg.Failure: a delivery cannot be landed; what was there stays.
    """
    landed = 0
    try:
        if config.baixar:
            share = download.Share()
            month = share.month(config.baixar)
            share.fetch(month, download.folder(), landing.silent)
        kept = download.folder()
        paths = [Path(path) for path in config.caminhos] or sorted(kept.glob("*"))
        with banco.connect() as conn:
            found = delivery.find(paths) if paths else []
            wanted = scope.of_leads(conn) if found else None
            for one in found:
                counts = landing.land(conn, one, wanted)
                landed += counts.landed if counts else 0
                context.log.info("entrega %s: %s", f"{one.month:%Y-%m}", counts or "já carregada")
            addresses.compare(conn, say=context.log.info)
    except LoadError as error:
        raise dg.Failure(str(error), allow_retries=False) from None
    if not paths:
        context.log.info("nada em %s", kept)
    for key in ASSETS:
        yield dg.MaterializeResult(key, metadata={"estabelecimentos": landed})


job = dg.define_asset_job(
    "empresas",
    selection=dg.AssetSelection.assets(*ASSETS),
    description="A entrega do mês do cadastro CNPJ; o próximo lote acha as candidatas.",
)
schedule = dg.ScheduleDefinition(
    name="empresas_mensal",
    job=job,
    cron_schedule="0 4 20 * *",
    execution_timezone="America/Sao_Paulo",
    run_config={"ops": {"raw_empresas": {"config": {"baixar": download.NEWEST}}}},
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="Todo dia 20, o mês mais novo: a Receita o publica por volta do dia 15.",
)

"""Our own asset checks: per safra, of what is published.

Belongs here: checks that dbt's tests cannot be, because Dagster stores those without their
partition (the last safra's result would stand for all); Great Expectations suites go here too.
Not here: what guards publication (dbt's tests).
"""

import warnings

import dagster as dg

from dagster_pipeline.defs.dbt import PUBLISHED
from dagster_pipeline.defs.partitions import SAFRA
from dagster_pipeline.defs.resources import Banco
from loaders.safra import Safra

warnings.filterwarnings("ignore", message=".*partitions_def.*", category=dg.PreviewWarning)

ENERGIA = """
    select
        coalesce((
            select sum(energia_kwh) from intel_lead.carga_resumo
            where ano = %(ano)s and distribuidora_id = %(dist)s
        ), 0),
        coalesce((
            select sum(energia_total) from intel_lead.lead_energia_mensal
            where ano = %(ano)s and distribuidora_id = %(dist)s
        ), 0)
"""
LOCALIZADOS = """
    select
        count(*),
        count(*) filter (where resultado <> 'failed'),
        count(*) filter (where resultado = 'partial')
    from intel_lead.lead_enrichment_log
    where etapa = 'coordenada' and ano = %(ano)s and distribuidora_id = %(dist)s
"""


def _one(banco: Banco, query: str, chave: str) -> tuple:
    safra = Safra.de_chave(chave)
    with banco.conectar() as conn:
        return conn.execute(query, {"ano": safra.ano, "dist": safra.distribuidora_id}).fetchone()


@dg.asset_check(asset=PUBLISHED, partitions_def=SAFRA)
def energia_publicada_igual_a_do_arquivo(
    context: dg.AssetCheckExecutionContext, banco: Banco
) -> dg.AssetCheckResult:
    """A energia publicada da safra é a do arquivo, a menos de 1 kWh."""
    of_file, published = _one(banco, ENERGIA, context.partition_key)
    return dg.AssetCheckResult(
        passed=abs(of_file - published) < 1,
        metadata={"arquivo_kwh": of_file, "publicada_kwh": published},
    )


@dg.asset_check(asset=PUBLISHED, partitions_def=SAFRA)
def leads_da_safra_localizados(
    context: dg.AssetCheckExecutionContext, banco: Banco
) -> dg.AssetCheckResult:
    """Todo lead publicado da safra tem um ponto no mapa."""
    leads, located, by_municipio = _one(banco, LOCALIZADOS, context.partition_key)
    return dg.AssetCheckResult(
        passed=leads == located,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"leads": leads, "localizados": located, "pelo_municipio": by_municipio},
    )

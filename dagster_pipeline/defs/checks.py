"""Our own asset checks: per safra, of what landed and of what is published.

Belongs here: checks that dbt's tests cannot be, because Dagster stores those without their
partition (the last safra's result would stand for all). Not here: what guards publication (dbt's
tests), the landing gate (loaders/gate).
"""

import warnings
from collections.abc import Iterator

import dagster as dg

from dagster_pipeline.defs.dbt import PUBLISHED
from dagster_pipeline.defs.partitions import SAFRA
from dagster_pipeline.defs.resources import Banco
from loaders.camadas import CAMADAS
from loaders.erros import EntregaRetida, ErroDeCarga
from loaders.gate import hold, verdict
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


def _specs() -> Iterator[dg.AssetCheckSpec]:
    claims = {
        "estrutura": "O que aterrissou tem a forma da camada; senão a safra é retida.",
        "plausibilidade": "Os valores que aterrissaram são plausíveis.",
    }
    for camada in CAMADAS:
        for severity, claim in claims.items():
            yield dg.AssetCheckSpec(
                severity,
                asset=["raw", camada.tabela],
                description=claim,
                # The hold in the database is what stops a safra, whoever runs dbt;
                # blocking makes dbt wait for the verdict.
                blocking=severity == "estrutura",
                partitions_def=SAFRA,
            )


@dg.multi_asset_check(specs=list(_specs()), name="portao_de_entrada")
def portao_de_entrada(
    context: dg.AssetCheckExecutionContext, banco: Banco
) -> Iterator[dg.AssetCheckResult]:
    """Great Expectations on the safra's raw layers, in SQL."""
    try:
        with banco.conectar() as conn:
            seen = verdict.judge(conn, context.partition_key)
    except ErroDeCarga as erro:
        raise dg.Failure(str(erro), allow_retries=False) from erro
    error, warn = dg.AssetCheckSeverity.ERROR, dg.AssetCheckSeverity.WARN
    levels = {"estrutura": error if seen.held else warn, "plausibilidade": warn}
    for camada in CAMADAS:
        for severity, level in levels.items():
            judged = [r for r in seen.of(camada.nome) if r.regra.severidade == severity]
            failed = [r for r in judged if not r.sucesso]
            yield dg.AssetCheckResult(
                asset_key=["raw", camada.tabela],
                check_name=severity,
                passed=not failed,
                severity=level,
                description="; ".join(f"{r.regra.nome} {r.regra.coluna} {r}" for r in failed),
                metadata={"expectativas": len(judged), "falhas": len(failed)},
            )
    if seen.held:
        chave = context.partition_key
        text = f"safra {chave} retida: {seen.held}; {hold.remedio(chave)}"
        raise dg.Failure(text, allow_retries=False) from EntregaRetida(text)

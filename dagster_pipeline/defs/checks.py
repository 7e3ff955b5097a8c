"""Asset checks of a safra: of what landed, of what dbt tested, of what is published.

Belongs here: their specs and evaluations, each with its partition. One per table for dbt's tests
of it: one event for each test and each safra would be 150 a safra. Not here: what guards
publication (dbt's tests), the landing gate (loaders/gate), checks without partition (dbt.py).
"""

import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import dagster as dg
import psycopg

from dagster_pipeline.batch import Build
from dagster_pipeline.defs import dbt
from dagster_pipeline.defs.partitions import SAFRA
from loaders.bdgd.layers import ALL_LAYERS
from loaders.gate.verdict import Verdict
from loaders.safra import Safra

warnings.filterwarnings("ignore", message=".*partitions_def.*", category=dg.PreviewWarning)

GATE = "portao"
TESTED, ENERGY, LOCATED = "testes_da_tabela", "energia_igual_a_do_arquivo", "leads_localizados"
RAN = ("pass", "warn", "fail")
ERROR, WARN = dg.AssetCheckSeverity.ERROR, dg.AssetCheckSeverity.WARN


def specs(manifest: Mapping[str, Any]) -> list[dg.AssetCheckSpec]:
    """All checks that have a partition per safra."""
    found = [
        dg.AssetCheckSpec(
            GATE,
            asset=["raw", layer.table],
            description=(
                "O que aterrissou tem a forma da camada (senão a safra é retida: erro) e valores"
                " plausíveis (senão é um aviso)."
            ),
            partitions_def=SAFRA,
        )
        for layer in ALL_LAYERS
    ]
    for asset, tests in _tests(manifest).items():
        claims = sorted({dbt.claim(test) for test in tests})
        text = f"Os {len(tests)} testes do dbt desta tabela passaram na safra: {'; '.join(claims)}."
        found.append(dg.AssetCheckSpec(TESTED, asset=asset, description=text, partitions_def=SAFRA))
    published = {
        ENERGY: "A energia publicada da safra é a do arquivo, a menos de 1 kWh.",
        LOCATED: "Todo lead publicado da safra tem um ponto no mapa.",
    }
    return found + [
        dg.AssetCheckSpec(name, asset=dbt.PUBLISHED, description=text, partitions_def=SAFRA)
        for name, text in published.items()
    ]


def _tests(manifest: Mapping[str, Any]) -> dict[dg.AssetKey, list[Mapping[str, Any]]]:
    """Table of a safra → the dbt tests of it."""
    found: dict[dg.AssetKey, list[Mapping[str, Any]]] = {}
    tables = set(dbt.tables_of_a_safra(manifest))
    for node in manifest["nodes"].values():
        key = dbt.check_key(manifest, node)
        if key and key.asset_key in tables:
            found.setdefault(key.asset_key, []).append(node)
    return found


def of_the_gate(verdicts: Sequence[Verdict]) -> Iterator[dg.AssetCheckEvaluation]:
    """What the gate saw of each layer."""
    for seen in verdicts:
        for layer in ALL_LAYERS:
            judged = seen.of(layer.name)
            failed = [r for r in judged if not r.ok]
            against = [f for f in seen.findings if (f.where or layer.name).startswith(layer.name)]
            broken = against or any(r.rule.severity == "estrutura" for r in failed)
            texts = [
                *(f.text for f in against),
                *(f"{r.rule.name} {r.rule.column} {r}" for r in failed),
            ]
            yield dg.AssetCheckEvaluation(
                dg.AssetKey(["raw", layer.table]),
                GATE,
                not texts,
                {"expectativas": len(judged), "falhas": len(failed)},
                severity=ERROR if broken and seen.held else WARN,
                description="; ".join(texts),
                partition=seen.safra.key,
            )


def of_dbt(manifest: Mapping[str, Any], build: Build) -> Iterator[dg.AssetCheckEvaluation]:
    """Of each table: whether its tests passed in each safra that was published or failed."""
    status = {node.id: node.status for node in build.nodes}
    of_tables = _tests(manifest)
    for asset, tests in of_tables.items():
        ran = [t for t in tests if status.get(t["unique_id"]) in RAN]
        warned = [t["name"] for t in ran if status[t["unique_id"]] == "warn"]
        names = {t["name"] for t in tests}
        for key in [*build.published, *build.failed]:
            failed = [f for f in build.failed.get(key, []) if f.where in names]
            if not ran or (key in build.failed and not failed):
                continue
            yield dg.AssetCheckEvaluation(
                asset,
                TESTED,
                not failed,
                {"testes": len(ran), "avisos_no_lote": len(warned)},
                description="; ".join(map(str, failed)),
                partition=key,
            )
    for node in build.nodes:
        props = manifest["nodes"].get(node.id)
        key = dbt.check_key(manifest, props) if props else None
        if key and key.asset_key not in of_tables and node.status in RAN:
            yield dg.AssetCheckEvaluation(
                key.asset_key,
                key.name,
                node.status == "pass",
                {"estado": node.status},
                severity=dbt.severity(props),
            )


PUBLISHED = """
    select
        coalesce((
            select sum(energia_kwh) from intel_lead.carga_resumo
            where ano = %(ano)s and distribuidora_id = %(dist)s
        ), 0),
        coalesce((
            select sum(energia_total) from intel_lead.lead_energia_mensal
            where ano = %(ano)s and distribuidora_id = %(dist)s
        ), 0),
        count(*),
        count(*) filter (where resultado <> 'failed'),
        count(*) filter (where resultado = 'partial')
    from intel_lead.lead_enrichment_log
    where etapa = 'coordenada' and ano = %(ano)s and distribuidora_id = %(dist)s
"""


def of_the_published(
    conn: psycopg.Connection, keys: Collection[str]
) -> Iterator[dg.AssetCheckEvaluation]:
    """What readers see of each safra: its file's energy, all its leads on the map."""
    for key in keys:
        safra = Safra.from_key(key)
        of_file, published, leads, located, by_municipio = conn.execute(
            PUBLISHED, {"ano": safra.ano, "dist": safra.distribuidora_id}
        ).fetchone()
        yield dg.AssetCheckEvaluation(
            dbt.PUBLISHED,
            ENERGY,
            abs(of_file - published) < 1,
            {"arquivo_kwh": of_file, "publicada_kwh": published},
            partition=key,
        )
        yield dg.AssetCheckEvaluation(
            dbt.PUBLISHED,
            LOCATED,
            leads == located,
            {"leads": leads, "localizados": located, "pelo_municipio": by_municipio},
            severity=WARN,
            partition=key,
        )

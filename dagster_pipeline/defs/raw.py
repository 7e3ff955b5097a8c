"""Landing: files to schema raw, as assets.

Belongs here: which file an execution lands, and what Dagster is told of it. Not here: how a file
is read and landed (loaders/).
"""

from collections.abc import Iterator
from datetime import timedelta
from os import environ
from pathlib import Path

import dagster as dg
import psycopg
from psycopg import sql

from dagster_pipeline.defs.partitions import SAFRA
from dagster_pipeline.defs.resources import Banco
from dagster_pipeline.manifest import CLONE
from loaders import aicss, bdgd
from loaders.camadas import CAMADAS, Camada
from loaders.erros import EntradaInvalida, ErroDeCarga
from loaders.leitura_aicss import dispositivo_do_nome
from loaders.safra import Safra

ARQUIVO = dg.AssetKey(["arquivo", "bdgd"])
BOOKKEEPING = (dg.AssetKey(["raw", "rejeitado"]), dg.AssetKey(["controle", "import_status"]))
AICSS = dg.AssetKey(["raw", "aicss_leitura"])
AICSS_DISPOSITIVO = dg.AssetKey(["raw", "aicss_dispositivo"])


def inbox() -> Path:
    """The folder that the sensor watches: INTEL_INBOX, else .local/inbox."""
    return Path(environ.get("INTEL_INBOX") or CLONE / ".local" / "inbox")


class ArquivoBdgd(dg.Config):
    """Which file to land, and how; as the options of ``python -m loaders bdgd``."""

    arquivo: str = ""
    """Path of a .gdb, .gdb.zip or u??t_pj CSV; empty: the newest one registered for the safra."""
    forcar: bool = False
    substituir: bool = False


class ArquivosAicss(dg.Config):
    """Which readings to land."""

    caminhos: list[str] = []
    """Files or folders; empty: folder ``aicss`` of the inbox."""


def registered(path: Path, safra: str) -> dg.AssetMaterialization:
    """The event that says which file a safra comes from."""
    return dg.AssetMaterialization(
        asset_key=ARQUIVO,
        partition=safra,
        metadata={"caminho": dg.MetadataValue.path(path), "arquivo": path.name},
    )


def newest_file(instance: dg.DagsterInstance, safra: str) -> Path:
    """The path last registered for a safra.

    Raises:
        dg.Failure: none is, or it is not there any more.
    """
    found = instance.fetch_materializations(
        dg.AssetRecordsFilter(asset_key=ARQUIVO, asset_partitions=[safra]), limit=1
    ).records
    if not found:
        raise dg.Failure(
            f"safra {safra}: no file is registered. Put it in {inbox()}, or give `arquivo` in the"
            " run's configuration, or run make run BDGD=FILE",
            allow_retries=False,
        )
    path = Path(found[0].asset_materialization.metadata["caminho"].value)
    if not path.exists():
        raise dg.Failure(
            f"safra {safra}: {path} is not there any more. Give `arquivo` in the run's"
            " configuration, or leave the raw assets out: what has landed can be rebuilt without",
            allow_retries=False,
        )
    return path


def _camada_spec(camada: Camada) -> dg.AssetSpec:
    return dg.AssetSpec(
        ["raw", camada.tabela],
        deps=[ARQUIVO],
        group_name="raw",
        kinds={"python", "postgres"},
        description=f"Camada {camada.nome} da BDGD, como veio do arquivo; uma partição por safra.",
    )


@dg.multi_asset(
    name="raw_bdgd", specs=[_camada_spec(camada) for camada in CAMADAS], partitions_def=SAFRA
)
def raw_bdgd(
    context: dg.AssetExecutionContext, config: ArquivoBdgd, banco: Banco
) -> Iterator[dg.MaterializeResult | dg.AssetMaterialization]:
    """Land one safra's file: all layers in one transaction, so always all of them."""
    chave = context.partition_key
    path = Path(config.arquivo) if config.arquivo else newest_file(context.instance, chave)
    opcoes = bdgd.Opcoes(
        safra=Safra.de_chave(chave),
        esperar=True,
        substituir=config.substituir,
        forcar=config.forcar,
    )
    try:
        bdgd.carregar(path, opcoes)
    except ErroDeCarga as erro:
        raise dg.Failure(str(erro), allow_retries=False) from erro
    yield registered(path.resolve(), chave)
    with banco.conectar() as conn:
        for camada in CAMADAS:
            yield dg.MaterializeResult(
                asset_key=["raw", camada.tabela], metadata=_metadata(conn, camada, chave)
            )
    yield from (dg.AssetMaterialization(key) for key in BOOKKEEPING)


def _metadata(conn: psycopg.Connection, camada: Camada, chave: str) -> dict[str, object]:
    """What a person wants to know of a landed layer: the ledger's newest row, the leaf's rows."""
    safra = Safra.de_chave(chave)
    leaf = f"{camada.tabela}_{safra.distribuidora_id}_{safra.ano}"
    (rows,) = conn.execute(
        sql.SQL("select count(*) from {}").format(sql.Identifier("raw_safra", leaf))
    ).fetchone()
    found = conn.execute(
        "select import_id, arquivo, sha256, linhas_rejeitadas, data_fim - data_inicio, observacoes"
        " from intel_lead.import_status where (ano, distribuidora_id) = (%s, %s)"
        " and camada::text = %s and status = 'completed' order by import_id desc limit 1",
        [safra.ano, safra.distribuidora_id, camada.nome],
    ).fetchone()
    names = ("import_id", "arquivo", "sha256", "linhas_rejeitadas", "segundos", "observacoes")
    ledger = dict(zip(names, found or (), strict=False))
    if isinstance(ledger.get("segundos"), timedelta):
        ledger["segundos"] = ledger["segundos"].total_seconds()
    known = {name: value for name, value in ledger.items() if value is not None}
    return known | {"linhas": rows, "dagster/partition_row_count": rows}


@dg.multi_asset(
    name="raw_aicss",
    specs=[
        dg.AssetSpec(
            AICSS,
            group_name="aicss",
            kinds={"python", "postgres"},
            description="Leituras dos dispositivos AICSS, como chegaram.",
        ),
        dg.AssetSpec(
            AICSS_DISPOSITIVO,
            group_name="aicss",
            kinds={"python", "postgres"},
            description="Dispositivos AICSS já ouvidos.",
        ),
    ],
)
def raw_aicss(
    context: dg.AssetExecutionContext, config: ArquivosAicss, banco: Banco
) -> Iterator[dg.MaterializeResult]:
    """Land AICSS readings; a bad file fails the run after the others have landed."""
    counts, errors = dict.fromkeys(aicss.CONTAS, 0), []
    with banco.conectar() as conn:
        for path in _aicss_files(config.caminhos):
            try:
                counts = _land_aicss(context, conn, path, counts)
            except EntradaInvalida as erro:
                errors.append(str(erro))
    if errors:
        raise dg.Failure("\n".join(errors), allow_retries=False)
    yield dg.MaterializeResult(asset_key=AICSS, metadata=counts)
    yield dg.MaterializeResult(asset_key=AICSS_DISPOSITIVO)


def _aicss_files(paths: list[str]) -> list[Path]:
    """The files to land; an inbox without readings is no error."""
    if paths:
        return list(aicss.arquivos(map(Path, paths)))
    folder = inbox() / "aicss"
    return list(aicss.arquivos([folder])) if folder.is_dir() and any(folder.iterdir()) else []


def _land_aicss(
    context: dg.AssetExecutionContext, conn: psycopg.Connection, path: Path, counts: dict[str, int]
) -> dict[str, int]:
    with path.open("rb") as opened:
        done = aicss.carregar(conn, opened, nome=str(path), padrao=dispositivo_do_nome(path))
    context.log.info("%s: %s", path, "already landed" if done.ja_carregado else done)
    return {name: counts[name] + new for name, new in zip(aicss.CONTAS, done.contas, strict=True)}


FILES = [
    dg.AssetSpec(
        ARQUIVO,
        group_name="raw",
        partitions_def=SAFRA,
        kinds={"file"},
        description="O arquivo da BDGD de onde vem a safra (geodatabase da ANEEL, ou CSV _pj).",
    ),
    dg.AssetSpec(
        BOOKKEEPING[0],
        deps=[["raw", camada.tabela] for camada in CAMADAS],
        group_name="raw",
        kinds={"postgres"},
        description="Linhas de arquivo que não puderam ser usadas, com o motivo.",
    ),
    dg.AssetSpec(
        BOOKKEEPING[1],
        deps=[["raw", camada.tabela] for camada in CAMADAS],
        group_name="raw",
        kinds={"postgres"},
        description="O registro das importações, escrito pelo carregador.",
    ),
]
"""Nodes of the lineage that no asset function writes by itself."""

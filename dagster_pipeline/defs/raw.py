"""Landing: files to schema raw, as assets.

Belongs here: which file an execution lands, and what Dagster is told of it. Not here: how a file
is read and landed (loaders/).
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal

import dagster as dg
import psycopg

from dagster_pipeline.defs.partitions import SAFRA
from dagster_pipeline.defs.resources import Database
from loaders import inbox
from loaders.aicss import command, landing
from loaders.aicss.reading import device_of_name
from loaders.bdgd.layers import ALL_LAYERS, COMPLEMENT, Layer
from loaders.catalogue.archive import Copy
from loaders.errors import InvalidInput

FILE = dg.AssetKey(["arquivo", "bdgd"])
BOOKKEEPING = (dg.AssetKey(["raw", "rejeitado"]), dg.AssetKey(["controle", "import_status"]))
AICSS = dg.AssetKey(["raw", "aicss_leitura"])
AICSS_DISPOSITIVO = dg.AssetKey(["raw", "aicss_dispositivo"])


class BdgdFile(dg.Config):
    """Which file to land, and how; as the options of ``python -m loaders bdgd``."""

    arquivo: str = ""
    """Path of a .gdb, .gdb.zip or u??t_pj CSV; empty: the newest one registered for the safra."""
    forcar: bool = False
    substituir: bool = False
    complemento: bool = False
    """The CSV lands beside the geodatabase of its safra."""
    milhar: Literal["", "ponto", "virgula", "nao"] = ""
    """What groups thousands where a CSV's column does not tell; empty: such a file is refused."""
    sem_camada: list[str] = []
    """Layers of which the copy of a geodatabase has no data, and a person knows it."""


class AicssFiles(dg.Config):
    """Which readings to land."""

    caminhos: list[str] = []
    """Files or folders; empty: folder ``aicss`` of the inbox."""


def registered(path: Path, safra: str) -> dg.AssetMaterialization:
    """The event that says which file a safra comes from."""
    return dg.AssetMaterialization(
        asset_key=FILE,
        partition=safra,
        metadata={"caminho": dg.MetadataValue.path(path), "arquivo": path.name},
    )


def newest_file(instance: dg.DagsterInstance, safra: str, copies: Mapping[str, Copy]) -> Path:
    """The path last registered for a safra, else its copy in the archive.

    Raises:
        dg.Failure: none is, or it is not there any more, and there is no copy.
    """
    found = instance.fetch_materializations(
        dg.AssetRecordsFilter(asset_key=FILE, asset_partitions=[safra]), limit=1
    ).records
    path = Path(found[0].asset_materialization.metadata["caminho"].value) if found else None
    if path and path.exists():
        return path
    if safra in copies:
        return copies[safra].named
    if not path:
        raise dg.Failure(
            f"safra {safra}: nenhum arquivo conhecido. Ponha-o em {inbox.folder()}, ou dê `arquivo`"
            " na configuração da execução, ou rode make run BDGD=ARQUIVO, ou make backfill"
            f" SAFRAS={safra}",
            allow_retries=False,
        )
    raise dg.Failure(
        f"safra {safra}: {path} não está mais lá. Dê `arquivo` na configuração da execução, ou"
        " deixe os assets de raw de fora: o que aterrissou se reconstrói sem o arquivo",
        allow_retries=False,
    )


def _layer_spec(spec: Layer) -> dg.AssetSpec:
    return dg.AssetSpec(
        ["raw", spec.table],
        deps=[FILE],
        group_name="raw",
        kinds={"python", "postgres"},
        description=f"Camada {spec.name} da BDGD, como veio do arquivo; uma partição por safra.",
    )


LAYERS = [_layer_spec(spec) for spec in ALL_LAYERS]


def materialized(conn: psycopg.Connection, keys: list[str]) -> Iterator[dg.AssetMaterialization]:
    """What landed of these safras: layer by layer, each with its ledger's counts."""
    if not keys:
        return
    rows = conn.execute(
        "select distribuidora_id || '-' || ano, e.camada, linhas, import_id, arquivo, sha256,"
        " linhas_rejeitadas, extract(epoch from data_fim - data_inicio)::float8"
        " from controle.entrega as e left join intel_lead.import_status as i"
        "  using (import_id, ano, distribuidora_id)"
        " where distribuidora_id || '-' || ano = any(%s) order by e.aceita desc",
        [keys],
    ).fetchall()
    names = ("linhas", "import_id", "arquivo", "sha256", "linhas_rejeitadas", "segundos")
    found = {(key, layer): dict(zip(names, rest, strict=True)) for key, layer, *rest in rows}
    for spec in ALL_LAYERS:
        for key in keys:
            known = {k: v for k, v in found.get((key, spec.name), {}).items() if v is not None}
            if "linhas" in known:
                known["dagster/partition_row_count"] = known["linhas"]
            yield dg.AssetMaterialization(["raw", spec.table], partition=key, metadata=known)


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
    context: dg.AssetExecutionContext, config: AicssFiles, banco: Database
) -> Iterator[dg.MaterializeResult]:
    """Land AICSS readings; a bad file fails the run after the others have landed."""
    yield from land_aicss(context, banco, config.caminhos)


def land_aicss(
    context: dg.OpExecutionContext, banco: Database, paths: list[str]
) -> Iterator[dg.MaterializeResult]:
    """Land readings, those of the inbox where no path is given.

    Raises:
        dg.Failure: a file is bad; the others have landed.
    """
    counts, errors = dict.fromkeys(landing.COUNTS, 0), []
    with banco.connect() as conn:
        for path in _aicss_files(paths):
            try:
                counts = _land_aicss(context, conn, path, counts)
            except InvalidInput as error:
                errors.append(str(error))
    if errors:
        raise dg.Failure("\n".join(errors), allow_retries=False)
    yield dg.MaterializeResult(asset_key=AICSS, metadata=counts)
    yield dg.MaterializeResult(asset_key=AICSS_DISPOSITIVO)


def found(
    conn: psycopg.Connection, assets: Iterable[dg.AssetKey]
) -> Iterator[dg.AssetMaterialization]:
    """What there is of tables that commands fill: a build reads whatever has landed."""
    for asset in assets:
        (rows,) = conn.execute(
            "select greatest(reltuples, 0)::bigint from pg_class where oid = %s::regclass",
            [".".join(asset.path)],
        ).fetchone()
        yield dg.AssetMaterialization(asset, metadata={"linhas_estimadas": rows})


def _aicss_files(paths: list[str]) -> list[Path]:
    """The files to land; an inbox without readings is no error."""
    if paths:
        return list(command.files(map(Path, paths)))
    folder = inbox.folder() / inbox.AICSS
    return list(command.files([folder])) if folder.is_dir() and any(folder.iterdir()) else []


def _land_aicss(
    context: dg.OpExecutionContext, conn: psycopg.Connection, path: Path, counts: dict[str, int]
) -> dict[str, int]:
    with path.open("rb") as opened:
        done = landing.land(conn, opened, name=str(path), default=device_of_name(path))
    context.log.info("%s: %s", path, "already landed" if done.already_landed else done)
    return {name: counts[name] + new for name, new in zip(landing.COUNTS, done.counts, strict=True)}


FILES = [
    dg.AssetSpec(
        FILE,
        deps=[["controle", "dataset_catalogo"]],
        group_name="raw",
        partitions_def=SAFRA,
        kinds={"file"},
        description="O arquivo da BDGD de onde vem a safra (geodatabase da ANEEL, ou CSV _pj).",
    ),
    dg.AssetSpec(
        ["raw", COMPLEMENT.table],
        group_name="raw",
        kinds={"postgres"},
        description="Linhas de CSV _pj postas ao lado da geodatabase, cada uma com a sua unidade.",
    ),
    dg.AssetSpec(
        ["raw", "malha_municipio"],
        group_name="raw",
        kinds={"postgres"},
        description="Polígonos dos municípios, da malha do IBGE que alguém aterrissou.",
    ),
    dg.AssetSpec(
        ["raw", "malha_simplificada"],
        deps=[["raw", "malha_municipio"]],
        group_name="raw",
        kinds={"postgres"},
        description="Os mesmos, simplificados juntos para mapas de longe.",
    ),
    dg.AssetSpec(
        ["app", "regra_alerta"],
        group_name="alertas",
        kinds={"postgres"},
        description="Regras de alerta, editadas por pessoas (docs/alertas.md).",
    ),
    dg.AssetSpec(
        ["app", "alerta"],
        deps=[["app", "regra_alerta"]],
        group_name="alertas",
        kinds={"postgres"},
        description="Alertas abertos e fechados, julgados depois de cada publicação e todo dia.",
    ),
    dg.AssetSpec(
        BOOKKEEPING[0],
        deps=[["raw", spec.table] for spec in ALL_LAYERS],
        group_name="raw",
        kinds={"postgres"},
        description="Linhas de arquivo que não puderam ser usadas, com o motivo.",
    ),
    dg.AssetSpec(
        BOOKKEEPING[1],
        deps=[["raw", spec.table] for spec in ALL_LAYERS],
        group_name="raw",
        kinds={"postgres"},
        description="O registro das importações, escrito pelo carregador.",
    ),
]
"""Nodes of the lineage that no asset function writes by itself."""

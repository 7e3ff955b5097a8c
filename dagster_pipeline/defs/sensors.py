"""What runs because something happened: a file in the inbox, a published safra.

Belongs here: noticing, and what is asked for. Not here: the work itself.
"""

import json
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg

from dagster_pipeline.defs import jobs
from dagster_pipeline.defs.partitions import SAFRA
from dagster_pipeline.defs.raw import inbox, registered
from dagster_pipeline.defs.resources import end_dead_runs
from loaders import arquivos, bdgd, conexao, registro
from loaders.erros import EntradaInvalida, ErroDeCarga

Seen = dict[str, list[int]]
"""File's path in the inbox → size and time (ns), as a JSON cursor can hold them."""


def stamp(path: Path) -> list[int]:
    """Size and newest time of a file, or of a geodatabase folder's files."""
    files = [path] if path.is_file() else [item for item in path.iterdir() if item.is_file()]
    stats = [file.stat() for file in files]
    return [sum(s.st_size for s in stats), max((s.st_mtime_ns for s in stats), default=0)]


def present(folder: Path, passed_over: dict[str, str]) -> Seen:
    """The files in the inbox that the loader can land; why not the others goes to ``passed_over``.

    Readings of sensors, in folder ``aicss``, are another loader's.
    """

    def note(path: Path, reason: str) -> None:
        name = path.relative_to(folder)
        if name.parts[0] != "aicss":
            passed_over[name.as_posix()] = reason

    if not folder.is_dir():
        return {}
    try:
        paths = arquivos.achar(folder, passed_over=note)
    except EntradaInvalida:  # nothing in it
        return {}
    return {path.relative_to(folder).as_posix(): stamp(path) for path in paths}


def next_file(found: Seen, last: Seen, done: Seen) -> str | None:
    """A file that did not grow since the last look and was not dealt with as it stands."""
    ready = (n for n, s in found.items() if s[0] and last.get(n) == s and done.get(n) != s)
    return next(ready, None)


def run_request(path: Path, safra: str) -> dg.RunRequest:
    """Land this file as this safra, build and publish it."""
    config = {"arquivo": str(path)}
    return dg.RunRequest(
        partition_key=safra,
        run_config={"ops": {"raw_bdgd": {"config": config}}},
        tags={"arquivo": path.name},
    )


@dg.sensor(
    job=jobs.safra,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Um arquivo novo e completo na caixa de entrada vira uma execução da sua safra.",
)
def caixa_de_entrada(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """One file a look, because opening one may take a while; a bad one is noted once and left."""
    folder = inbox()
    cursor: Mapping[str, Any] = json.loads(context.cursor or "{}")
    passed: dict[str, str] = {}
    found, done = present(folder, passed), dict(cursor.get("done", {}))
    for other in passed.keys() - {*cursor.get("passed", ())}:
        context.log.warning(f"passed over: {passed[other]}")
    name = next_file(found, cursor.get("last", {}), done)
    with closing(conexao.conectar()) as conn:
        conexao.preparar(conn)
        safras, problem = _open(conn, folder / name) if name else ([], None)
        landed, removed = landed_safras(conn), removed_safras(conn)
        for run_id in end_dead_runs(context.instance, conn):
            context.log.warning(f"run {run_id}: its process was killed")
    if name:
        done[name] = found[name]
    if problem:
        context.log.error(problem)
    for safra in safras:
        context.instance.report_runless_asset_event(registered(folder / name, safra))
    keys = set(context.instance.get_dynamic_partitions(SAFRA.name))
    known, gone = {*safras, *landed} - keys, keys & removed - {*safras}
    changes = [SAFRA.build_add_request(sorted(known))] if known else []
    changes += [SAFRA.build_delete_request(sorted(gone))] if gone else []
    return dg.SensorResult(
        run_requests=[run_request(folder / name, safra) for safra in safras],
        dynamic_partitions_requests=changes,
        skip_reason=None if safras else problem or f"nothing new in {folder}",
        cursor=json.dumps(
            {
                "last": found,
                "done": {n: s for n, s in done.items() if n in found},
                "passed": sorted(passed),
            }
        ),
    )


def landed_safras(conn: psycopg.Connection) -> list[str]:
    """Keys of all landed safras: the command line may have landed some that Dagster never saw."""
    rows = conn.execute("select distribuidora_id || '-' || ano from controle.safra_importada")
    return [chave for (chave,) in rows]


def removed_safras(conn: psycopg.Connection) -> set[str]:
    """Keys of the safras that a person, or the first real file, took out and that are not back."""
    rows = conn.execute(
        "select distinct distribuidora_id || '-' || ano from intel_lead.import_status as i"
        " where removida_em is not null and not exists (select from intel_lead.import_status as n"
        "  where (n.ano, n.distribuidora_id) = (i.ano, i.distribuidora_id)"
        "   and n.import_id > i.import_id and n.removida_em is null)"
    )
    return {chave for (chave,) in rows}


def _open(conn: psycopg.Connection, path: Path) -> tuple[list[str], str | None]:
    """Safras of a file that is not landed yet; or what is wrong with it, which the ledger keeps."""
    sha256 = None
    try:
        sha256 = arquivos.somar_sha256(path)
        if chaves := registro.ja_carregado(conn, sha256, None):
            return [], f"{path.name}: already landed as {', '.join(chaves)}"
        with bdgd.abrir(path, None) as fonte:
            return [safra.chave for safra in fonte.safras], None
    except ErroDeCarga as erro:
        registro.registrar_falha(conn, [None], arquivo=path.name, sha256=sha256, erro=str(erro))
        return [], str(erro)


follow_publications = dg.AutomationConditionSensorDefinition(
    "segue_publicacoes",
    target=dg.AssetSelection.all(),
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=60,
    description="Resumos e marts depois de cada safra publicada; leituras depois de cada carga.",
)

"""``python -m server.drill``: restore the newest backup beside the warehouse and compare.

Belongs here: the trial, when it last went well. Not here: backing up, restoring (backup.py,
restore.py), the clock (dagster_pipeline/defs/backup.py).
What is compared is what the backup says of itself (``contents`` of backup.json, asked while
publications waited) with the restored tables: units and energy of each safra, counted anew.
Exit: 0 it serves, 2 usage, 3 it does not, 4 database, 130 interrupted.
"""

import json
import math
import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import psycopg
import typer
from psycopg import sql

from loaders import usage
from loaders.errors import InvalidInput
from server import backup
from server.dump import connection, log, write
from server.restore import restore

DONE = "ensaio.json"
"""In the folder of all backups: the newest trial that went well."""
SCRATCH = "intel_lead_ensaio"
KWH = 1e-6
"""Of a safra's energy, relative: a sum in another order."""
_COUNTED = """
    select distribuidora_id || '-' || ano, count(*), coalesce(sum(energia_anual_kwh), 0)
    from intel_lead.lead_resumo_anual group by distribuidora_id, ano"""

app = usage.App()


@dataclass(frozen=True)
class Trial:
    """A backup that was restored and is what it says."""

    folder: str
    at: datetime
    seconds: float
    safras: int


def last(dest: Path = backup.DEST) -> Trial | None:
    """The newest one that went well; None: there was none."""
    try:
        said = json.loads((dest / DONE).read_text(encoding="utf-8"))
        at = datetime.fromisoformat(said["em"])
        return Trial(said["copia"], at, said["segundos"], said["safras"])
    except (OSError, ValueError, KeyError):
        return None


def run(dest: Path = backup.DEST) -> Trial:
    """Restore the newest backup into a database of its own, compare, drop it, date it.

    Raises:
        InvalidInput: there is no backup, or it does not hold what it says.
        DatabaseFailure: the database refuses: no right to make another, no room.
    """
    found = backup.made(dest)
    if not found:
        raise InvalidInput(f"não há cópia em {dest}: make backup faz uma")
    newest, start = found[0], time.monotonic()
    with connection(os.environ["PGDATABASE"]) as admin:
        _drop(admin)
        try:
            restore(newest.folder, new=SCRATCH, dry_run=False)
            with connection(SCRATCH) as conn:
                wrong = differences(conn, newest.facts.get("contents", {}))
        finally:
            _drop(admin)
    if wrong:
        raise InvalidInput(f"{newest.folder.name} não é o que diz: {'; '.join(wrong)}")
    seconds, safras = time.monotonic() - start, len(newest.facts.get("contents", {}))
    trial = Trial(newest.folder.name, datetime.now(UTC), seconds, safras)
    said = {"copia": trial.folder, "em": trial.at.isoformat(timespec="seconds")}
    said |= {"segundos": round(seconds, 1), "safras": safras}
    write(dest / DONE, json.dumps(said, indent=2) + "\n")
    return trial


def _drop(admin: psycopg.Connection) -> None:
    name = sql.Identifier(SCRATCH)
    admin.execute(sql.SQL("drop database if exists {} with (force)").format(name))


def differences(conn: psycopg.Connection, expected: dict[str, dict[str, float]]) -> list[str]:
    """What the restored tables hold otherwise than the backup says; one line a safra."""
    there = conn.execute("select to_regclass('intel_lead.lead_resumo_anual')").fetchone()[0]
    rows = conn.execute(_COUNTED).fetchall() if there else []
    counted = {key: (units, energy) for key, units, energy in rows}
    wrong = []
    for key in sorted(expected.keys() | counted.keys()):
        units, energy = counted.get(key, (0, 0.0))
        said = expected.get(key, {"leads": 0, "energia_kwh": 0.0})
        if units != said["leads"] or not math.isclose(energy, said["energia_kwh"], rel_tol=KWH):
            wrong.append(
                f"safra {key}: {units} unidades e {energy:.0f} kWh restaurados, e diz"
                f" {said['leads']} e {said['energia_kwh']:.0f}"
            )
    return wrong


@app.command(
    help="Restaura a cópia mais nova num banco à parte e compara com o que ela diz de si."
    " Saída: 0 serve, 3 não serve, 4 banco."
)
def command(
    dest: Annotated[
        Path, typer.Argument(file_okay=False, help="Pasta de todas as cópias.")
    ] = backup.DEST,
) -> None:
    """Try the newest backup."""
    with backup.exit_codes():
        trial = run(dest)
        log.info("%s serve: %d safras, %.0f s", trial.folder, trial.safras, trial.seconds)
        typer.echo(f"{trial.folder} restaurada e conferida: {trial.safras} safras")


if __name__ == "__main__":
    usage.run(app)

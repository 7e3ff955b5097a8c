"""How many planted anomalies are found, and how much of what is marked was planted.

Belongs here: a warehouse of two made-up vintages, the comparison with the maker's list, the table.
Not here: what is planted (loaders/synthetic/anomalies.py), timing (the groups of `make bench`).
``python3 -m server.postgres throwaway .venv/bin/python -m bench.anomalies``: `make anomalies`.
"""

import csv
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import psycopg
import typer
from rich.console import Console
from rich.table import Table

from loaders import environment
from loaders.synthetic.recipe import Recipe
from loaders.synthetic.writer import list_of, write

CLONE = Path(environment.CLONE)
DBT = Path(sys.executable).with_name("dbt")
ANO, DISTRIBUIDORA = Recipe.ano, 404
MARKED = """
    select a.nivel, coalesce(l.origem::text, ''), coalesce(l.cod_id, a.serie_id), a.mes, a.tipo,
        l.municipio_id || '|' || l.bairro, l.circuito, l.municipio_id::text
    from intel_lead.anomalia as a
    left join intel_lead.lead_bruto as l using (uc_id, ano, distribuidora_id)
    where a.ano = %s and a.distribuidora_id = %s
"""
SHARES = """
    with unidades as (
        select ano, distribuidora_id, count(*) as todas,
            count(*) filter (where pac > 0) as com_demanda
        from intel_lead.lead_bruto group by ano, distribuidora_id
    )
    select a.distribuidora_id || '-' || a.ano, a.tipo, count(distinct a.uc_id),
        case t.julga when 'com_demanda' then u.com_demanda else u.todas end
    from intel_lead.anomalia as a
    inner join unidades as u using (ano, distribuidora_id)
    inner join seeds.anomalia_tipo as t using (tipo)
    where a.nivel = 'uc'
    group by a.distribuidora_id, a.ano, a.tipo, t.julga, u.todas, u.com_demanda
    order by 1, 2
"""


def _run(*command: str | Path) -> None:
    done = subprocess.run(command, cwd=CLONE, capture_output=True, text=True)
    # The loader ends with 3 where a file was refused, dbt with 1 where a test failed.
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}:\n{done.stdout[-3000:]}{done.stderr[-1000:]}")


def build(*files: Path) -> None:
    """Land, judge, build and publish these files in the database of the environment."""
    _run(sys.executable, "-m", "loaders", "bdgd", *files)
    _run(sys.executable, "-m", "loaders", "julgar")
    _run(DBT, "build", "--exclude-resource-type", "unit_test")


def score(planted: Sequence[dict[str, str]], marked: Sequence[tuple]) -> list[tuple]:
    """Kind, planted, found, marked, of which on something planted.

    Found: the same series, kind and first month. A mark is on something planted where its unit has
    any planted anomaly or lies in an area that was made to fall that month; a mark of an area,
    where it or its município was.
    """
    listed = {(p["nivel"], p["camada"], p["serie"], p["mes"], p["tipo"]) for p in planted}
    units = {(p["camada"], p["serie"]) for p in planted if p["nivel"] == "uc"}
    areas = {(p["serie"], p["mes"]) for p in planted if p["nivel"] != "uc"}
    kinds: dict[str, list[int]] = {kind: [0, 0, 0, 0] for *_, kind in sorted(listed)}
    for *_, kind in listed:
        kinds[kind][0] += 1
    for level, layer, series, month, kind, *places in marked:
        when = "" if month is None else str(month)
        row = kinds.setdefault(kind, [0, 0, 0, 0])
        row[1] += (level, layer, series, when, kind) in listed
        row[2] += 1
        inside = places if level == "uc" else [series, series.split("|")[0]]
        row[3] += (layer, series) in units or any((place, when) in areas for place in inside)
    return [(kind, *row) for kind, row in sorted(kinds.items())]


def _part(some: int, of: int) -> str:
    return f"{100 * some / of:.1f} %".replace(".", ",") if of else "-"


def main(
    ucs: Annotated[int, typer.Option(help="unidades de cada safra inventada")] = 20_000,
    base: Annotated[
        list[Path] | None, typer.Option(help="BDGD de verdade: só a parte que se marca")
    ] = None,
) -> None:
    """Measure precision and recall by kind, and the share of units that each kind marks."""
    recipe = Recipe(ucs=ucs, distribuidora=DISTRIBUIDORA, anomalias=True)
    with tempfile.TemporaryDirectory() as folder:
        before, now = (Path(folder, f"{ano}.gdb") for ano in (ANO - 1, ANO))
        write(Recipe(ucs=ucs, distribuidora=DISTRIBUIDORA, ano=ANO - 1), before)
        write(recipe, now)
        with list_of(now).open(encoding="utf-8", newline="") as file:
            planted = list(csv.DictReader(file))
        _run(sys.executable, "-m", "loaders", "init")
        # One build each: a year is compared with what is published before it.
        build(before)
        build(now)
        if base:
            build(*base)
            build(*base)
    with psycopg.connect("", autocommit=True) as conn:
        marked = conn.execute(MARKED, [ANO, DISTRIBUIDORA]).fetchall()
        shares = conn.execute(SHARES).fetchall()
    table = Table(
        "tipo", "plantadas", "achadas", "alcance", "marcas", "sobre plantadas", "precisão"
    )
    for kind, there, found, marks, hits in score(planted, marked):
        table.add_row(
            kind, str(there), str(found), _part(found, there),
            str(marks), str(hits), _part(hits, marks),
        )  # fmt: skip
    parts = Table("safra", "tipo", "unidades marcadas", "de", "parte")
    for key, kind, units, judged in shares:
        parts.add_row(key, kind, str(units), str(judged), _part(units, judged))
    console = Console(width=110)
    console.print(table)
    console.print(parts)


if __name__ == "__main__":
    typer.run(main)

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

import numpy as np
import pandas as pd
import psycopg
import typer
from rich.console import Console
from rich.table import Table
from sklearn.ensemble import IsolationForest

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
UNITS = """
    select l.origem::text as camada, l.cod_id, c.grupo, l.municipio_id, p.energia_mes,
        s.demanda_total as demanda_mes, a.energia_anual_kwh as antes, p.energia_anual_kwh as agora,
        l.uc_id in (
            select m.uc_id from intel_lead.anomalia as m where m.nivel = 'uc'
        ) as marcada
    from intel_lead.lead_bruto as l
    inner join intel_lead.lead_perfil as p using (uc_id, ano, distribuidora_id)
    inner join intel_lead.lead_serie as s using (uc_id, ano, distribuidora_id)
    left join intel_lead.classe_consumo as c on c.id = l.classe_consumo_id
    left join intel_lead.lead_bruto as la on la.ano = l.ano - 1
        and la.distribuidora_id = l.distribuidora_id and la.origem = l.origem
        and la.cod_id = l.cod_id
    left join intel_lead.lead_perfil as a on a.uc_id = la.uc_id
    where l.ano = %s and l.distribuidora_id = %s
    order by l.uc_id
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


def measures(units: pd.DataFrame) -> np.ndarray:
    """What the rules look at, of each unit: its months, runs, zeros, peers, demand, year before."""
    months = np.array(units["energia_mes"].tolist(), dtype=float)
    seen = np.where(months > 0, months, np.nan)
    usual = pd.DataFrame(seen).median(axis=1)
    # Zeros are counted by themselves: as a logarithm they would outweigh everything else.
    shape = np.log(np.where(months > 0, months / usual.to_numpy()[:, None], 1))
    same = (np.diff(months, axis=1) == 0).sum(axis=1)
    peers = usual.groupby([units["grupo"].fillna(""), units["municipio_id"]]).transform("median")
    demand = np.array([kw or [np.nan] * 12 for kw in units["demanda_mes"]], dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        hours = np.nanmax(np.where(demand > 0, months / demand, 0), axis=1)
        beside = np.log(units["agora"].astype(float) / units["antes"].astype(float))
    told = [shape, same, (months == 0).sum(axis=1), np.log(usual / peers), hours, beside]
    return np.nan_to_num(np.column_stack(told), nan=0, posinf=9, neginf=-9)


def beside_forest(
    planted: Sequence[dict[str, str]], units: pd.DataFrame
) -> list[tuple[str, int, int, int]]:
    """Kind, units with one planted, of which the rules and a forest mark, each as many units."""
    forest = IsolationForest(n_estimators=300, random_state=0)
    scores = forest.fit(told := measures(units)).score_samples(told)
    most = np.argsort(scores, kind="stable")[: int(units["marcada"].sum())]
    names = list(zip(units["camada"], units["cod_id"], strict=True))
    by_rules = {name for name, marked in zip(names, units["marcada"], strict=True) if marked}
    by_forest = {names[n] for n in most}
    kinds: dict[str, set[tuple[str, str]]] = {}
    for one in planted:
        if one["nivel"] == "uc":
            kinds.setdefault(one["tipo"], set()).add((one["camada"], one["serie"]))
    kinds["todos"] = set().union(*kinds.values())
    return [
        (kind, len(there), len(there & by_rules), len(there & by_forest))
        for kind, there in sorted(kinds.items())
    ]


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
        asked = conn.execute(UNITS, [ANO, DISTRIBUIDORA])
        units = pd.DataFrame(asked.fetchall(), columns=[c.name for c in asked.description or ()])
    table = Table(
        "tipo", "plantadas", "achadas", "alcance", "marcas", "sobre plantadas", "precisão"
    )
    for kind, there, found, marks, hits in score(planted, marked):
        table.add_row(
            kind, str(there), str(found), _part(found, there),
            str(marks), str(hits), _part(hits, marks),
        )  # fmt: skip
    parts = Table("safra", "tipo", "unidades marcadas", "de", "parte")
    for key, kind, many, judged in shares:
        parts.add_row(key, kind, str(many), str(judged), _part(many, judged))
    console = Console(width=110)
    console.print(table)
    console.print(parts)
    both = Table(
        "unidades com", "plantadas", "as regras marcam", "IsolationForest, tantas quanto elas"
    )
    for kind, there, rules, forest in beside_forest(planted, units):
        both.add_row(kind, str(there), _part(rules, there), _part(forest, there))
    console.print(both)


if __name__ == "__main__":
    typer.run(main)

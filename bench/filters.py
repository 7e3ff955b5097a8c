"""How long mart_lead's filters take with two million leads in a hundred distributors.

Belongs here: leads made of the clone's own by SQL in a database of their own, the filters, the
table. Not here: the groups of `make bench`.
``.venv/bin/python -m bench.filters``, after `make run`; the clone's database is a template only.
"""

import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import psycopg
import typer
from psycopg import sql
from rich.console import Console
from rich.table import Table

from loaders.figures import number

SCRATCH = "bench_filtros"
FIRST = 70_000
"""Distributors of this number and above are made up here."""
TOWNS = 15
"""Municípios of a distributor, all of one UF."""
PAGE = "select * from marts.mart_lead where {} order by melhor_score desc limit 100"
COUNT = "select count(*), sum(energia_anual_kwh) from marts.mart_lead where {}"
OTHER = {
    "uc_id": "gen_random_uuid()",
    "cod_id": "md5(l.cod_id || n || m.id)",
    "distribuidora_id": "%(number)s::integer",
    "ano": "2024::smallint",
    "distribuidora": "'Distribuidora ' || %(number)s",
    "municipio_id": "m.id",
    "municipio": "m.nome",
    "uf": "m.uf",
    "latitude": "m.latitude + 0.1 * (random() - 0.5)",
    "longitude": "m.longitude + 0.1 * (random() - 0.5)",
    "geom": "st_setsrid(st_makepoint(m.longitude + 0.1 * (random() - 0.5),"
    " m.latitude + 0.1 * (random() - 0.5)), 4674)",
    "energia_anual_kwh": "l.energia_anual_kwh * exp(random() - 0.5)",
    "demanda_contratada_kw": "l.demanda_contratada_kw * exp(3 * random() - 1.5)",
    "melhor_score": "(100 * random())::numeric(9, 6)",
}
"""Columns that a copy of a lead has otherwise."""

Values = dict[str, Any]
Filter = tuple[str, Callable[[random.Random, "Known"], Values]]


class Known:
    """What a filter may ask for: the values that are there."""

    def __init__(self, conn: psycopg.Connection) -> None:
        """Read them."""

        def column(query: str) -> list[Any]:
            return [row[0] for row in conn.execute(query)]

        self.states = column("select distinct uf from marts.mart_lead")
        self.towns = conn.execute(
            "select municipio_id, avg(longitude), avg(latitude) from marts.mart_lead"
            " group by municipio_id"
        ).fetchall()
        self.distributors = column("select distinct distribuidora_id from marts.mart_lead")
        self.segments = column(
            "select distinct segmento_mercado_id from marts.mart_lead"
            " where segmento_mercado_id is not null"
        )
        self.offers = column("select id from seeds.oferta")


def _box(half: float) -> Callable[[random.Random, Known], Values]:
    def around(lot: random.Random, known: Known) -> Values:
        _, x, y = lot.choice(known.towns)
        return {"a": x - half, "b": y - half, "c": x + half, "d": y + half}

    return around


def _demand(lot: random.Random, _: Known) -> Values:
    low = lot.choice([30, 100, 300, 500, 1000])
    return {"a": low, "b": low * 2}


IN_BOX = "geom && st_makeenvelope(%(a)s, %(b)s, %(c)s, %(d)s, 4674)"
FILTERS: dict[str, Filter] = {
    "UF": ("uf = %(a)s", lambda lot, k: {"a": lot.choice(k.states)}),
    "município": ("municipio_id = %(a)s", lambda lot, k: {"a": lot.choice(k.towns)[0]}),
    "distribuidora": ("distribuidora_id = %(a)s", lambda lot, k: {"a": lot.choice(k.distributors)}),
    "segmento": ("segmento_mercado_id = %(a)s", lambda lot, k: {"a": lot.choice(k.segments)}),
    "faixa de demanda": ("demanda_contratada_kw between %(a)s and %(b)s", _demand),
    "melhor oferta": ("melhor_oferta = %(a)s", lambda lot, k: {"a": lot.choice(k.offers)}),
    "melhor oferta, score ≥ 90": (
        "melhor_oferta = %(a)s and melhor_score >= 90",
        lambda lot, k: {"a": lot.choice(k.offers)},
    ),
    "retângulo de 20 km": (IN_BOX, _box(0.1)),
    "retângulo de 200 km": (IN_BOX, _box(1)),
    "UF, segmento, oferta": (
        "uf = %(a)s and segmento_mercado_id = %(b)s and melhor_oferta = %(c)s",
        lambda lot, k: {
            "a": lot.choice(k.states),
            "b": lot.choice(k.segments),
            "c": lot.choice(k.offers),
        },
    ),
}


@contextmanager
def scratch() -> Iterator[psycopg.Connection]:
    """A copy of the clone's database, gone at the end."""
    name = sql.Identifier(SCRATCH)
    with psycopg.connect("", dbname="postgres", autocommit=True) as admin:
        admin.execute(sql.SQL("drop database if exists {} with (force)").format(name))
        template = sql.Identifier(os.environ["PGDATABASE"])
        admin.execute(sql.SQL("create database {} template {}").format(name, template))
        try:
            with psycopg.connect("", dbname=SCRATCH, autocommit=True) as conn:
                yield conn
        finally:
            admin.execute(sql.SQL("drop database {} with (force)").format(name))


def fill(conn: psycopg.Connection, leads: int, distributors: int) -> int:
    """So many leads, alike in every distributor; returns how many there are."""
    (have,) = conn.execute("select count(*) from marts.mart_lead_safra where ano = 2024").fetchone()
    copies = max(1, round(leads / distributors / have))
    names = [
        name
        for (name,) in conn.execute(
            "select attname from pg_attribute where attrelid = 'marts.mart_lead_safra'::regclass"
            " and attnum > 0 and not attisdropped order by attnum"
        )
    ]
    values = ", ".join(OTHER.get(name, f"l.{name}") for name in names)
    for number_of in range(FIRST, FIRST + distributors):
        leaf = f"safra.mart_lead_safra_{number_of}_2024"
        conn.execute(f"create table {leaf} (like marts.mart_lead_safra including constraints)")
        conn.execute(
            f"insert into {leaf} select {values} from marts.mart_lead_safra as l"
            f" cross join generate_series(1, {copies}) as n"
            f" inner join (select *, row_number() over () as r from (select * from"
            f"  intel_lead.municipio where uf = (select uf from (select distinct uf from"
            f"  intel_lead.municipio order by uf) as u offset %(number)s %% 27 limit 1)"
            f"  order by md5(id || %(number)s::text) limit {TOWNS}) as t) as m"
            f" on m.r = 1 + (hashtext(l.cod_id || n) & 2147483647) %% {TOWNS}"
            f" where l.distribuidora_id < {FIRST}",
            {"number": number_of},
        )
        bounds = f"from (2024, {number_of}) to (2024, {number_of + 1})"
        conn.execute(
            f"alter table marts.mart_lead_safra attach partition {leaf} for values {bounds}"
        )
        conn.execute(
            "insert into intel_lead.safra_publicada"
            " values (now(), 1, %s, 2024)", [number_of],
        )  # fmt: skip
    conn.execute("analyze marts.mart_lead_safra")
    return conn.execute("select count(*) from marts.mart_lead").fetchone()[0]


def measure(
    conn: psycopg.Connection, known: Known, query: str, filter_: Filter, rounds: int
) -> list[float]:
    """Milliseconds of each round, from the question to the last row, sorted."""
    lot, condition = random.Random(1), filter_[0]
    took = []
    for _ in range(rounds):
        values = filter_[1](lot, known)
        start = time.monotonic()
        conn.execute(query.format(condition), values).fetchall()
        took.append(1000 * (time.monotonic() - start))
    return sorted(took)


def main(
    leads: Annotated[int, typer.Option("--leads", help="quantos leads")] = 2_000_000,
    distributors: Annotated[int, typer.Option("--distribuidoras", help="em quantas")] = 100,
    rounds: Annotated[int, typer.Option("--perguntas", help="de cada filtro")] = 60,
) -> None:
    """Measure each filter's page of a hundred leads, and its count."""
    table = Table("filtro", "página, mediana", "p95", "contagem, mediana", "p95")
    with scratch() as conn:
        there, known = fill(conn, leads, distributors), Known(conn)
        for name, filter_ in FILTERS.items():
            cells = []
            for query in (PAGE, COUNT):
                took = measure(conn, known, query, filter_, rounds)
                cells += [f"{number(took[int(len(took) * q)], 0)} ms" for q in (0.5, 0.95)]
            table.add_row(name, *cells)
    Console(width=110).print(f"{number(there)} leads, {distributors} distribuidoras", table)


if __name__ == "__main__":
    typer.run(main)

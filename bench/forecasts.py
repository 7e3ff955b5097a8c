"""How long forecasts take, and how good they are where one knows what came: made-up series.

Belongs here: a warehouse of nothing but series, kinds of series, the tables. Not here: forecasts
(forecasting/), the groups of `make bench`.
``python3 -m server.postgres throwaway .venv/bin/python -m bench.forecasts``: `make forecasts`.
"""

import time
from collections.abc import Callable
from datetime import date
from typing import Annotated

import numpy as np
import psycopg
import typer
from rich.console import Console
from rich.table import Table

from forecasting import backtest, publish
from forecasting.naive import seasonal_naive
from forecasting.series import MONTHS, Panel
from loaders import connection as db

LAST, TODAY = 2024, date(2026, 1, 1)
PER_DISTRIBUTOR = 2_000
READ = """
    create table if not exists intel_lead.safra_publicada
        (publicada_em timestamptz, import_id bigint, distribuidora_id integer, ano smallint);
    create table if not exists intel_lead.safra_camada (linhas bigint, import_id bigint,
        distribuidora_id integer, ano smallint, camada text, presente boolean);
    create table if not exists intel_lead.safra_serie (distribuidora_id integer, ano smallint,
        suprimido boolean, nivel text, serie_id text, energia_mes double precision[]);
    create index if not exists bench_serie on intel_lead.safra_serie (distribuidora_id);
"""
"""What forecasts read of what dbt makes."""

Make = Callable[[np.random.Generator, int, int], np.ndarray]


def _season(rng: np.random.Generator, series: int, years: int) -> np.ndarray:
    at = np.arange(years * MONTHS) + rng.uniform(0, MONTHS, (series, 1))
    return 1 + 0.25 * np.sin(2 * np.pi * at / MONTHS)


def _trend(rng: np.random.Generator, series: int, years: int) -> np.ndarray:
    level = 1000 * (1 + 0.08 * np.arange(years * MONTHS) / MONTHS)
    return level * _season(rng, series, years) * np.exp(rng.normal(0, 0.03, (series, years * 12)))


def _steady(rng: np.random.Generator, series: int, years: int) -> np.ndarray:
    noise = np.exp(rng.normal(0, 0.04, (series, years * MONTHS)))
    return 1000 * _season(rng, series, years) * noise


def _steps(rng: np.random.Generator, series: int, years: int) -> np.ndarray:
    level = np.exp(np.cumsum(rng.normal(0, 0.06, (series, years)), axis=1)).repeat(MONTHS, axis=1)
    return level * _steady(rng, series, years)


def _copied(rng: np.random.Generator, series: int, years: int) -> np.ndarray:
    steps = rng.normal(0, 80, (series, years, MONTHS))
    months = _season(rng, series, years).reshape(series, years, MONTHS)
    return np.maximum(1000 * months + np.cumsum(steps, axis=1), 1).reshape(series, -1)


def _walk(rng: np.random.Generator, series: int, years: int) -> np.ndarray:
    return 1000 * np.exp(np.cumsum(rng.normal(0, 0.03, (series, years * MONTHS)), axis=1))


def _noise(rng: np.random.Generator, series: int, years: int) -> np.ndarray:
    return 1000 * np.exp(rng.normal(0, 0.1, (series, years * MONTHS)))


KINDS: dict[str, Make] = {
    "estação e tendência": _trend,
    "estação": _steady,
    "estação, degraus de ano a ano": _steps,
    "o mês do ano anterior mais ruído": _copied,
    "passeio aleatório": _walk,
    "ruído": _noise,
}


def quality(make: Make, years: int, series: int) -> tuple[str, ...]:
    """Against what came: share that is not the naive, error over the naive's, coverage."""
    energy = make(np.random.default_rng(years), series, years + 1)
    past, future = energy[:, :-MONTHS], energy[:, -MONTHS:]
    keys = [("segmento", str(n)) for n in range(series)]
    made = backtest.forecast(Panel(keys, LAST, past, np.zeros(series, bool)), MONTHS)
    naive = seasonal_naive(past, MONTHS, np.full(series, "segmento"))
    error = np.abs(made.forecast.mean - future).mean() / np.abs(naive.mean - future).mean()
    sides = zip(made.forecast.lower, made.forecast.upper, strict=True)
    inside = [((low <= future) & (future <= high)).mean() for low, high in sides]
    shares = (1 - (made.model == backtest.NAIVE).mean(), *inside)
    return (f"{error:.2f}".replace(".", ","), *(f"{100 * share:.0f} %" for share in shares))


def fill(conn: psycopg.Connection, series: int, years: int) -> None:
    """So many series of so many safras, in distributors of PER_DISTRIBUTOR."""
    energy = _trend(np.random.default_rng(1), series, years).reshape(series, years, MONTHS)
    ours = [f"intel_lead.safra_{name}" for name in ("publicada", "serie", "camada")]
    conn.execute(f"truncate {', '.join((*ours, 'controle.previsao_feita', *publish.TABLES))}")
    query = "copy intel_lead.safra_serie from stdin"
    with conn.cursor() as cursor, cursor.copy(query) as copy:
        for n, months in enumerate(energy):
            for year, values in enumerate(months, LAST - years + 1):
                key = (n // PER_DISTRIBUTOR + 1, year, False, "segmento", str(n))
                copy.write_row((*key, values.tolist()))
    conn.execute(
        "insert into intel_lead.safra_publicada select clock_timestamp(), 1, distribuidora_id, ano"
        " from intel_lead.safra_serie group by distribuidora_id, ano"
    )
    conn.execute(
        "insert into intel_lead.safra_camada select 1, 1, distribuidora_id, ano, 'UCBT', true"
        " from intel_lead.safra_publicada"
    )
    conn.execute("analyze intel_lead.safra_serie")


def seconds(conn: psycopg.Connection, series: int, years: int) -> float:
    """What `update` takes of them, from reading to the commit."""
    fill(conn, series, years)
    start = time.monotonic()
    done, refused = publish.update(conn, TODAY)
    assert not refused, refused
    assert len(done) == -(-series // PER_DISTRIBUTOR)
    return time.monotonic() - start


def main(
    one: Annotated[int, typer.Option("--uma", help="séries com uma safra")] = 100_000,
    three: Annotated[int, typer.Option("--tres", help="séries com três safras")] = 100_000,
    each: Annotated[int, typer.Option("--cada", help="séries de cada tipo; 0: só o tempo")] = 200,
) -> None:
    """Measure seconds, then errors and coverage by kind and number of safras."""
    console = Console(width=110)
    with db.connect() as conn:
        db.prepare(conn)
        conn.execute(READ)
        for series, years in ((one, 1), (three, 3)):
            if series:
                took = seconds(conn, series, years)
                console.print(f"{series} séries, {years} safras: {took:.1f} s")
    table = Table("tipo", "safras", "erro / ingênuo", "não ingênuo", "dentro de 80 %", "de 95 %")
    for name, make in KINDS.items() if each else ():
        for years in (1, 2, 3, 4):
            table.add_row(name, str(years), *quality(make, years, each))
    console.print(table)


if __name__ == "__main__":
    typer.run(main)

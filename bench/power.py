"""What share of damaged deliveries the landing gate holds, and of whole ones by mistake.

Belongs here: made-up distributors, what a year does to them, the ways in which a file falls short,
and the table in docs/gate.md. Not here: any judgement (loaders/gate does it, in its own SQL).
``python -m bench.power`` measures and rewrites the table; the database keeps nothing.
"""

import io
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.csv as pa_csv
import typer
from psycopg import sql

from loaders.connection import connect, prepare
from loaders.environment import CLONE
from loaders.gate.comparison import Reference, compare
from loaders.gate.evidence import Finding
from loaders.gate.inspection import inspect
from loaders.gate.units import MONTHS, Content

LAYERS = np.array(["UCBT", "UCMT", "UCAT"])
SIZES = (300, 3_000, 30_000)
PAGE = Path(CLONE) / "docs" / "gate.md"


@dataclass(frozen=True)
class Base:
    """A delivery: one entry per unit in every array, ``kwh`` units × 12; poles of PONNOT."""

    code: np.ndarray
    layer: np.ndarray
    feeder: np.ndarray
    conj: np.ndarray
    mun: np.ndarray
    pole: np.ndarray
    kwh: np.ndarray
    poles: np.ndarray
    absent: frozenset[str] = frozenset()

    def keep(self, which: np.ndarray) -> "Base":
        """Some of the units, as a mask or as indices."""
        names = ("code", "layer", "feeder", "conj", "mun", "pole", "kwh")
        return replace(self, **{name: getattr(self, name)[which] for name in names})


def first(rng: np.random.Generator, units: int) -> Base:
    """A distributor: BT with few MT, an AT for every 5,000; feeders, conjuntos, municípios."""
    medium, high = max(2, round(units * 0.005)), units // 5_000
    layer = np.repeat(LAYERS, [units - medium - high, medium, high])
    feeders = max(4, round(units / 1_500))
    # Units stand in the file feeder by feeder, as networks are numbered.
    weights = 1 / (1 + np.arange(feeders) % 6)
    feeder = np.sort(rng.choice(feeders, units, p=weights / weights.sum()))
    rng.shuffle(feeder[units - medium - high :])
    towns = 3 + units // 5_000
    town = rng.choice(towns, units, p=_shares(towns))
    median = np.where(layer == "UCBT", 150, np.where(layer == "UCMT", 20_000, 1_500_000))
    spread = np.where(layer == "UCBT", 1.0, 1.2)
    level = median * np.exp(spread * rng.standard_normal(units))
    poles = np.arange(round(units / 2.7))
    return Base(
        code=np.arange(units),
        layer=layer,
        feeder=feeder,
        conj=feeder // 2,
        mun=town,
        pole=rng.choice(poles[: len(poles) // 2 + 1], units),
        kwh=_months(rng, level),
        poles=poles,
    )


def _shares(towns: int) -> np.ndarray:
    small = np.full(towns - 1, 0.25 / (towns - 1))
    return np.concatenate([[0.75], small])


def _months(rng: np.random.Generator, level: np.ndarray) -> np.ndarray:
    """A year: seasons, weather, and 7 % of the months without anybody there."""
    season = 1 + 0.08 * np.sin(np.arange(12) / 12 * 2 * np.pi)
    kwh = level[:, None] * season * np.exp(0.2 * rng.standard_normal((len(level), 12)))
    start, length = rng.integers(0, 12, len(level)), rng.geometric(0.2, len(level))
    away = (np.arange(12) >= start[:, None]) & (np.arange(12) < (start + length)[:, None])
    return np.round(np.where(away & (rng.random(len(level)) < 0.2)[:, None], 0, kwh), 3)


def next_year(
    rng: np.random.Generator,
    base: Base,
    *,
    close: float = 0.03,
    open_: float = 0.04,
    own: float = 0.15,
    overall: float = 1.0,
) -> Base:
    """The same distributor a year later: units close and open, one in twenty has a new tenant."""
    kept = base.keep(rng.random(len(base.code)) >= close)
    tenant = np.where(
        rng.random(len(kept.code)) < 0.05, np.exp(rng.standard_normal(len(kept.code))), 1
    )
    factor = overall * tenant * rng.uniform(1 - own, 1 + own, len(kept.code))
    weather = np.exp(0.1 * rng.standard_normal((len(kept.code), 12)))
    kwh = np.round(kept.kwh * factor[:, None] * weather, 3)
    fresh = rng.integers(0, len(base.code), round(open_ * len(base.code)))
    new = replace(
        base.keep(fresh),
        code=base.code.max() + 1 + np.arange(len(fresh)),
        kwh=base.kwh[fresh] * np.exp(0.3 * rng.standard_normal((len(fresh), 12))),
    )
    return _join(replace(kept, kwh=kwh), new)


def _join(one: Base, other: Base) -> Base:
    names = ("code", "layer", "feeder", "conj", "mun", "pole", "kwh")
    return replace(one, **{n: np.concatenate([getattr(one, n), getattr(other, n)]) for n in names})


Kind = Callable[[np.random.Generator, Base], Base]


def _without(field: str) -> Kind:
    """A group of units is missing, not the largest one."""

    def damage(rng: np.random.Generator, base: Base) -> Base:
        values, counts = np.unique(getattr(base, field), return_counts=True)
        several = values[(counts >= 6) & (counts < counts.max())]
        return base.keep(getattr(base, field) != rng.choice(several if len(several) else values))

    return damage


def _zero(months: Callable[[np.random.Generator], slice]) -> Kind:
    def damage(rng: np.random.Generator, base: Base) -> Base:
        kwh = base.kwh.copy()
        kwh[:, months(rng)] = 0
        return replace(base, kwh=kwh)

    return damage


def _one(rng: np.random.Generator) -> slice:
    month = int(rng.integers(12))
    return slice(month, month + 1)


def _no_layer(rng: np.random.Generator, base: Base) -> Base:
    gone = str(rng.choice([c for c in ("UCBT", "UCMT") if c in base.layer]))
    return replace(base.keep(base.layer != gone), absent=frozenset({gone}))


def _twice(rng: np.random.Generator, base: Base) -> Base:
    """Rows doubled under other codes: those of one code sum up to doubled energy."""
    return _join(base, replace(base, code=base.code + 10 * base.code.max()))


def _of_others(rng: np.random.Generator, base: Base) -> Base:
    """Two other distributors' units beside, with little energy, all under codes made anew."""
    for _ in range(2):
        kwh = base.kwh * 0.01 * np.exp(0.3 * rng.standard_normal(base.kwh.shape))
        base = _join(base, replace(base, kwh=kwh))
    return _all_anew(rng, base)


DAMAGES: Mapping[str, Kind] = {
    "half of the rows, at random": lambda rng, b: b.keep(rng.random(len(b.code)) < 0.5),
    "the first half of the rows": lambda _, b: b.keep(np.arange(len(b.code)) < len(b.code) / 2),
    "the last third of the rows missing": lambda _, b: b.keep(
        np.arange(len(b.code)) < len(b.code) * 2 / 3
    ),
    "a month without energy": _zero(_one),
    "the last months without energy": _zero(lambda rng: slice(int(rng.integers(6, 11)), 12)),
    "a feeder missing": _without("feeder"),
    "a conjunto missing": _without("conj"),
    "a município missing": _without("mun"),
    "a layer missing (UCBT or UCMT)": _no_layer,
    "energy × 0.001": lambda _, b: replace(b, kwh=b.kwh * 0.001),
    "energy × 1000": lambda _, b: replace(b, kwh=b.kwh * 1000),
    "energy doubled (or each row twice)": lambda _, b: replace(b, kwh=b.kwh * 2),
    "each row twice under another code": _twice,
    "four times the units, every COD_ID made anew": _of_others,
    "half of PONNOT": lambda rng, b: replace(b, poles=b.poles[rng.random(len(b.poles)) < 0.5]),
}


def _moves(rng: np.random.Generator, base: Base) -> Base:
    """The largest client goes from MT to AT, others between MT and BT."""
    layer = base.layer.copy()
    medium = np.flatnonzero(layer == "UCMT")
    if len(medium):
        layer[medium[np.argmax(base.kwh[medium].sum(axis=1))]] = "UCAT"
        layer[medium[rng.random(len(medium)) < 0.1]] = "UCBT"
    layer[rng.random(len(layer)) < 0.001] = "UCMT"
    return replace(base, layer=layer)


def _reconfigured(rng: np.random.Generator, base: Base) -> Base:
    feeder = np.where(rng.random(len(base.code)) < 0.3, base.feeder + 1, base.feeder)
    return replace(base, feeder=feeder, conj=feeder // 2)


def _all_anew(rng: np.random.Generator, base: Base) -> Base:
    return replace(base, code=rng.permutation(len(base.code)) + 10**8)


CHANGES: Mapping[str, Kind] = {
    "an ordinary year": lambda rng, b: next_year(rng, b),
    "8 % of the units close": lambda rng, b: next_year(rng, b, close=0.08),
    "15 % of the units open": lambda rng, b: next_year(rng, b, open_=0.15),
    "15 % more energy, each ± 15 %": lambda rng, b: next_year(rng, b, overall=1.15),
    "15 % less energy, each ± 15 %": lambda rng, b: next_year(rng, b, overall=0.85),
    "the largest client goes from MT to AT": lambda rng, b: _moves(rng, next_year(rng, b)),
    "30 % of the units on another feeder": lambda rng, b: _reconfigured(rng, next_year(rng, b)),
    "feeders renamed": lambda rng, b: _renamed(rng, b, "feeder"),
    "conjuntos renumbered": lambda rng, b: _renamed(rng, b, "conj"),
    "every COD_ID made anew": lambda rng, b: _all_anew(rng, next_year(rng, b)),
    "all of it at once": lambda rng, b: _reconfigured(
        rng, _moves(rng, next_year(rng, b, close=0.08, open_=0.15, overall=0.85))
    ),
}


def _renamed(rng: np.random.Generator, base: Base, field: str) -> Base:
    later = next_year(rng, base)
    return replace(later, **{field: getattr(later, field) + 1_000})


# ── In the database ───────────────────────────────────────────────────────────────────────────────
def land(conn: psycopg.Connection, name: str, base: Base) -> Content:
    """Put a delivery into temporary tables of the raw layers' columns."""
    leaves = {}
    for layer in map(str, LAYERS):
        rows = base.keep(base.layer == layer)
        at = layer == "UCAT"
        columns = {
            "cod_id": [f"{code:x}" for code in rows.code.tolist()],
            "linha": np.arange(len(rows.code)),
            "ctat" if at else "ctmt": rows.feeder.astype(str),
            "conj": rows.conj,
            "mun": rows.mun.astype(str),
            "pn_con": rows.pole.astype(str),
        }
        peak = {f"ene_p_{m}": rows.kwh[:, n] * 0.1 for n, m in enumerate(MONTHS)}
        rest = {f"ene_f_{m}": rows.kwh[:, n] * 0.9 for n, m in enumerate(MONTHS)}
        all_hours = {f"ene_{m}": rows.kwh[:, n] for n, m in enumerate(MONTHS)}
        leaves[layer] = _fill(
            conn, f"{name}_{layer.lower()}", columns | (peak | rest if at else all_hours)
        )
    leaves["PONNOT"] = _fill(conn, f"{name}_ponnot", {"cod_id": base.poles.astype(str)})
    return Content(leaves, base.absent)


def _fill(
    conn: psycopg.Connection, table: str, columns: Mapping[str, np.ndarray | list[str]]
) -> sql.Identifier:
    where = sql.Identifier("pg_temp", table)
    types = {"linha": "bigint", "conj": "integer"}
    conn.execute(sql.SQL("drop table if exists {}").format(where))
    definition = ", ".join(
        f"{c} {types.get(c, 'double precision' if c.startswith('ene_') else 'text')}"
        for c in columns
    )
    conn.execute(sql.SQL(f"create temp table {{}} ({definition})").format(sql.Identifier(table)))
    out = io.BytesIO()
    pa_csv.write_csv(pa.table(dict(columns)), out, pa_csv.WriteOptions(include_header=False))
    with (
        conn.cursor() as cursor,
        cursor.copy(sql.SQL("copy {} from stdin (format csv)").format(where)) as copy,
    ):
        copy.write(out.getvalue())
    conn.execute(sql.SQL("analyze {}").format(where))
    return where


def findings(
    conn: psycopg.Connection, now: Content, before: Content, *, years: int = 1
) -> list[Finding]:
    """What the gate says of a delivery beside the vintage before, and by itself."""
    reference = Reference("a safra anterior", "antes", years, before)
    return [*compare(conn, now, reference), *inspect(conn, now)]


def measure(
    conn: psycopg.Connection, units: int, draws: int, seed: int
) -> Iterator[tuple[str, str, int]]:
    """Per kind: whether it is damage or change, its name, how many of ``draws`` are held."""
    rng = np.random.default_rng([seed, units])
    base = first(rng, units)
    before = land(conn, "before", base)
    kinds = [("damage", name, kind) for name, kind in DAMAGES.items()]
    kinds += [("change", name, kind) for name, kind in CHANGES.items()]
    for sort, name, kind in kinds:
        held = 0
        for _ in range(draws):
            start = next_year(rng, base) if sort == "damage" else base
            held += bool(findings(conn, land(conn, "now", kind(rng, start)), before))
        yield sort, name, held


def main(
    *,
    draws: Annotated[str, typer.Option(help="Of each kind, per size.")] = "100,40,10",
    seed: Annotated[int, typer.Option(help="Of every draw.")] = 1,
) -> None:
    """Measure, and write the table into docs/gate.md."""
    seen: dict[tuple[str, str], list[str]] = {}
    sizes = dict(zip(SIZES, map(int, draws.split(",")), strict=True))
    with connect() as conn:
        prepare(conn)
        for units, times in sizes.items():
            with conn.transaction(force_rollback=True):
                for sort, name, held in measure(conn, units, times, seed):
                    seen.setdefault((sort, name), []).append(f"{100 * held / times:.0f} %")
                    typer.echo(f"{units} {name}: {held} of {times}")
    page = PAGE.read_text(encoding="utf-8")
    marks = r"(<!-- power -->\n).*?(<!-- /power -->)"
    text = table(sizes, seen)
    page = re.sub(marks, lambda m: m[1] + text + "\n" + m[2], page, flags=re.DOTALL)
    PAGE.write_text(page, encoding="utf-8")


def table(sizes: Mapping[int, int], seen: Mapping[tuple[str, str], list[str]]) -> str:
    """What ``main`` writes, from (damage or change, name) → the share held at each size."""
    heads = " | ".join(f"{units:,} units, {times} draws" for units, times in sizes.items())
    text = ""
    for sort, title in (("damage", "damage: held"), ("change", "whole: held by mistake")):
        text += f"\n| {title} | {heads} |\n|---|" + "--:|" * len(sizes) + "\n"
        rows = [(name, shares) for (kind, name), shares in seen.items() if kind == sort]
        text += "".join(f"| {name} | {' | '.join(shares)} |\n" for name, shares in rows)
    return text


if __name__ == "__main__":
    typer.run(main)

"""Which distributors' forecasts are behind what is published, and their series by month.

Belongs here: reading, what is comparable, how far ahead. Not here: forecasts, writing (publish.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import psycopg

VERSION = 2
"""Of the method: a greater one makes every forecast anew."""
MONTHS = 12
MOST_YEARS = 3

_PENDING = """
    with agora as (
        select distribuidora_id, max(ano) as ultima,
            jsonb_agg(jsonb_build_object(
                'ano', ano, 'import_id', import_id,
                'publicada_em', publicada_em at time zone 'UTC'
            ) order by ano) as safras
        from intel_lead.safra_publicada group by distribuidora_id
    )
    select distribuidora_id, a.safras, h.meses, c.desde
    from agora as a
    full join controle.previsao_feita as f using (distribuidora_id)
    cross join lateral (
        select 12 * greatest(1, least(%(most)s, 1 + %(due)s - a.ultima)) as meses
    ) as h
    cross join (
        select max(aterrissado_em) as desde from controle.aberto_arquivo where conjunto = 'clima'
    ) as c
    where a.safras is distinct from f.safras or c.desde is distinct from f.clima_de
        or f.versao <> %(version)s or f.horizonte <> h.meses
    order by distribuidora_id
"""
_LAYERS = """
    select c.ano, c.camada, c.presente, c.linhas, coalesce(e.completa, false)
    from intel_lead.safra_camada as c
    left join controle.entrega as e using (ano, distribuidora_id, camada, import_id)
    where c.distribuidora_id = %s and c.camada in ('UCAT', 'UCMT', 'UCBT')
"""


@dataclass(frozen=True)
class Due:
    """A distributor whose forecasts are to be made, or to go: ``safras`` is None then.

    Attributes:
        climate: when temperatures landed last; None: there are none.
    """

    distribuidora_id: int
    safras: list[dict[str, Any]] | None
    horizon: int
    climate: datetime | None


@dataclass(frozen=True)
class Panel:
    """A distributor's series: those of its newest safra, over all comparable ones.

    Attributes:
        keys: level and name of each series.
        last_year: the newest safra's.
        energy: series × months, from January of the first year; not a number where there is none.
        hidden: whether a series is too small to be shown, in any of the safras.
    """

    keys: list[tuple[str, str]]
    last_year: int
    energy: np.ndarray
    hidden: np.ndarray


def newest_due(today: date) -> int:
    """The newest year of which a safra is missing where there is none.

    They come out in the year after; the latest seen, of 2022, came on 2024-01-03.
    """
    return today.year - 2


def pending(conn: psycopg.Connection, today: date) -> list[Due]:
    """Distributors of which something was published or taken out since they were forecast.

    All of them, where temperatures have landed since.
    """
    there = "select to_regclass('intel_lead.safra_serie') is not null"
    there += " and to_regclass('controle.previsao_feita') is not null"
    if not conn.execute(there).fetchone()[0]:
        return []
    values = {"due": newest_due(today), "most": MOST_YEARS, "version": VERSION}
    return [Due(*row) for row in conn.execute(_PENDING, values)]


def read(conn: psycopg.Connection, distribuidora_id: int) -> Panel:
    """The series of a distributor, as published."""
    rows = conn.execute(
        "select ano, nivel, serie_id, suprimido, energia_mes from intel_lead.safra_serie"
        " where distribuidora_id = %s order by ano, nivel, serie_id",
        [distribuidora_id],
    ).fetchall()
    if not rows:
        return Panel([], 0, np.empty((0, 0)), np.empty(0, bool))
    years = comparable(conn.execute(_LAYERS, [distribuidora_id]).fetchall(), rows[-1][0])
    return panel([row for row in rows if row[0] in years])


def comparable(layers: list[tuple[int, str, bool, int, bool]], newest: int) -> set[int]:
    """Years whose safras are of the same units as the newest: the others are gaps.

    A layer that one delivery lacks and that has rows in the other makes a sum of something else;
    so does a file of legal persons alone.
    """
    of: dict[int, Mapping[str, tuple[bool, int, bool]]] = {}
    for year, layer, present, rows, whole in layers:
        of.setdefault(year, {})[layer] = (present, rows, whole)

    def same(one: Mapping, other: Mapping) -> bool:
        lacking = [x for x, (present, *_) in one.items() if not present]
        return not any(other.get(layer, (True, 0, True))[1] for layer in lacking)

    def whole(layers: Mapping) -> bool:
        return all(w for present, rows, w in layers.values() if rows)

    last = of.get(newest, {})
    return {newest} | {
        year
        for year, other in of.items()
        if same(last, other) and same(other, last) and whole(last) == whole(other)
    }


def panel(rows: list[tuple[int, str, str, bool, list[float | None]]]) -> Panel:
    """Rows of safra_serie, by their years, as months; a year without a safra is a gap."""
    first, last = rows[0][0], rows[-1][0]
    keys = [(level, name) for year, level, name, *_ in rows if year == last]
    place = {key: n for n, key in enumerate(keys)}
    energy = np.full((len(keys), (last - first + 1) * MONTHS), np.nan)
    hidden = np.zeros(len(keys), bool)
    for year, level, name, small, months in rows:
        n = place.get((level, name))
        if n is not None:
            at = (year - first) * MONTHS
            energy[n, at : at + MONTHS] = [np.nan if x is None else x for x in months]
            hidden[n] |= small
    return Panel(keys, last, energy, hidden)

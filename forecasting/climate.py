"""The seasonal naive put right by temperature: a month that was too hot does not come back as hot.

Belongs here: the series of temperature of a distributor, what a degree does to each series. Not
here: who wins (backtest.py): it is one more model, published where it clearly beats the naive.
What the weather will be nobody knows; what is usual is.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
import psycopg

from forecasting.naive import SMALLEST, Forecast, seasonal_naive
from forecasting.series import MONTHS

NAME = "ingenuo_clima"

_STATION = """
    select e.estacao
    from intel_lead.safra_resumo as r
    inner join intel_lead.municipio_estacao as e using (municipio_id)
    where r.distribuidora_id = %s and r.ano = %s and e.distancia_km <= 100
    group by e.estacao
    order by sum(r.energia_anual_kwh) desc nulls last, e.estacao
    limit 1
"""
"""The one that is nearest to most of the energy: a mean of stations moves when one is silent."""
_MONTHS = """
    select competencia, temperatura_media_c
    from intel_lead.clima_mensal
    where estacao = %s and horas_com_temperatura >= 480 and competencia <= %s
    order by competencia
"""
"""Of two thirds of a month's hours: of fewer the mean says when the station worked."""


@dataclass(frozen=True)
class Climate:
    """Mean temperature by month, °C; not a number where it is not known.

    Attributes:
        earlier: years × 12 before the first safra: only for what is usual.
        months: as many as the series have, from January of the first safra's year.
    """

    earlier: np.ndarray
    months: np.ndarray


def read(conn: psycopg.Connection, distribuidora_id: int, first: int, last: int) -> Climate | None:
    """The temperature where most of a distributor's energy is used; None where there is none."""
    there = "select to_regclass('intel_lead.municipio_estacao') is not null"
    if not conn.execute(there).fetchone()[0]:
        return None
    station = conn.execute(_STATION, [distribuidora_id, last]).fetchone()
    if not station:
        return None
    rows = conn.execute(_MONTHS, [station[0], date(last, MONTHS, 1)]).fetchall()
    return of_months(rows, first, last)


def of_months(rows: list[tuple[date, float]], first: int, last: int) -> Climate | None:
    """Months and their temperatures, by the years of a panel; None where no year of it has one."""
    if not rows:
        return None
    start = min(first, rows[0][0].year)
    found = np.full((last - start + 1, MONTHS), np.nan)
    for month, degrees in rows:
        found[month.year - start, month.month - 1] = degrees
    during = found[first - start :]
    if np.isnan(during).all():
        return None
    return Climate(found[: first - start], during.ravel())


def corrected(energy: np.ndarray, climate: Climate, months: int, levels: np.ndarray) -> Forecast:
    """The seasonal naive, less what the temperature of the copied month did beyond the usual.

    Args:
        energy: series × months, whole years: the first ones of ``climate``; later ones are not
            looked at.
        climate: temperatures.
        months: how many ahead.
        levels: the level of each series.

    Returns:
        not a number where a series has no two years with temperatures to learn from.
    """
    naive = seasonal_naive(energy, months, levels)
    years = energy.reshape(len(energy), -1, MONTHS)
    warmth = climate.months[: energy.shape[1]].reshape(-1, MONTHS)
    known = np.concatenate([climate.earlier, warmth])
    many = (~np.isnan(known)).sum(axis=0)
    usual = np.where(many > 0, np.nansum(known, axis=0) / np.maximum(many, 1), np.nan)
    newest = years.shape[1] - 1 - np.argmax(~np.isnan(years[:, ::-1]), axis=1)
    beyond = warmth[newest, np.arange(MONTHS)] - usual
    shift = np.tile(per_degree(years, warmth)[:, None] * beyond, (1, months // MONTHS))
    moved = Forecast(
        naive.mean - shift,
        tuple(x - shift for x in naive.lower),
        tuple(x - shift for x in naive.upper),
    )
    return moved.sound()


def per_degree(years: np.ndarray, warmth: np.ndarray) -> np.ndarray:
    """By least squares, the kWh a month of each series that a degree above the year before brings.

    What a whole year grew is no weather: both sides are without their year's mean.
    """
    above, below = np.zeros(len(years)), np.zeros(len(years))
    seen = np.flatnonzero((~np.isnan(years)).any(axis=(0, 2)))
    for a, b in zip(seen, seen[1:], strict=False):
        degrees, energy = warmth[b] - warmth[a], years[:, b] - years[:, a]
        there = ~np.isnan(degrees) & ~np.isnan(energy)
        degrees, energy = (_off_mean(values, there) for values in (degrees[None], energy))
        above += (degrees * energy).sum(axis=1)
        below += (degrees**2).sum(axis=1)
    return np.where(below > SMALLEST, above / np.where(below > SMALLEST, below, 1), np.nan)


def _off_mean(values: np.ndarray, there: np.ndarray) -> np.ndarray:
    """What is there of each series' months, less its mean; zero elsewhere."""
    kept = np.where(there, values, 0)
    mean = kept.sum(axis=1) / np.maximum(there.sum(axis=1), 1)
    return np.where(there, kept - mean[:, None], 0)

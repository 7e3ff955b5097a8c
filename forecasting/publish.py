"""A distributor's forecasts into raw.previsao_*: whole, or as they were.

Belongs here: rows, checks, one transaction per distributor, what is pending. Not here: how a
forecast is made (backtest.py), the tables' own checks (loaders/schema.sql).
"""

import logging
from collections.abc import Iterator
from datetime import date

import numpy as np
import psycopg
from psycopg.types.json import Jsonb

from forecasting import backtest, climate
from forecasting.series import MONTHS, VERSION, Due, Panel, pending, read

log = logging.getLogger(__name__)

ALL = "todas"
"""The name, and ``publicado`` the model, of a level's shown series together."""
TABLES = ("raw.previsao_energia", "raw.previsao_desempenho")

Row = tuple[object, ...]


class Refused(Exception):
    """A forecast is not what it must be; what there was stays."""


def update(conn: psycopg.Connection, today: date) -> tuple[list[int], list[str]]:
    """Make what is pending; one distributor's failure holds back no other.

    Returns:
        the distributors whose forecasts were written, and a line for each that was refused.
    """
    done, problems = [], []
    for due in pending(conn, today):
        try:
            series = make(conn, due)
        except (Refused, psycopg.errors.IntegrityError, psycopg.errors.DataError) as error:
            why = str(error).splitlines()[0]
            problems.append(f"previsão da distribuidora {due.distribuidora_id} recusada: {why}")
            continue
        done.append(due.distribuidora_id)
        log.info("distribuidora %s: %s séries previstas", due.distribuidora_id, series)
    return done, problems


def make(conn: psycopg.Connection, due: Due) -> int:
    """Forecast a distributor's series and put them in place of what there was; how many.

    Raises:
        Refused: a series has not each month of the horizon once.
    """
    panel = read(conn, due.distribuidora_id)
    made = forecast(conn, due, panel) if panel.keys else None
    forecasts = list(forecast_rows(due, panel, made)) if made else []
    scores = list(score_rows(due, panel, made)) if made else []
    write(conn, due, len(panel.keys), forecasts, scores)
    return len(panel.keys)


def forecast(conn: psycopg.Connection, due: Due, panel: Panel) -> backtest.Result:
    """A panel's forecasts, with the temperatures that are known."""
    first = panel.last_year + 1 - panel.energy.shape[1] // MONTHS
    known = climate.read(conn, due.distribuidora_id, first, panel.last_year)
    return backtest.forecast(panel, due.horizon, known)


def write(
    conn: psycopg.Connection, due: Due, series: int, forecasts: list[Row], scores: list[Row]
) -> None:
    """Replace a distributor's rows, and note of which publications they are, in one transaction.

    Raises:
        Refused: a series has not each month of the horizon once.
    """
    if len(forecasts) != series * (due.horizon if due.safras else 0):
        raise Refused(f"{len(forecasts)} meses de {series} séries, deveriam ser {due.horizon} cada")
    with conn.transaction():
        conn.execute(
            "select pg_advisory_xact_lock(hashtextextended('intel_lead previsao', %s))",
            [due.distribuidora_id],
        )
        for table, rows in zip(TABLES, (forecasts, scores), strict=True):
            conn.execute(f"delete from {table} where distribuidora_id = %s", [due.distribuidora_id])
            with conn.cursor() as cursor, cursor.copy(f"copy {table} from stdin") as copy:
                for row in rows:
                    copy.write_row(row)
        conn.execute(
            "delete from controle.previsao_feita where distribuidora_id = %s",
            [due.distribuidora_id],
        )
        if due.safras:
            conn.execute(
                "insert into controle.previsao_feita"
                " (distribuidora_id, safras, horizonte, versao, clima_de)"
                " values (%s, %s, %s, %s, %s)",
                [due.distribuidora_id, Jsonb(due.safras), due.horizon, VERSION, due.climate],
            )


def forecast_rows(due: Due, panel: Panel, made: backtest.Result) -> Iterator[Row]:
    """Rows of raw.previsao_energia, in the order of its columns."""
    months = [
        date(panel.last_year + 1 + n // MONTHS, n % MONTHS + 1, 1) for n in range(due.horizon)
    ]
    trained = date(panel.last_year, MONTHS, 1)
    told = made.forecast
    bounds = [x for pair in zip(told.lower, told.upper, strict=True) for x in pair]
    values = np.stack([told.mean, *bounds], axis=2).tolist()
    for n, (level, name) in enumerate(panel.keys):
        for month, numbers in zip(months, values[n], strict=True):
            yield (
                due.distribuidora_id, panel.last_year, level, name, month,
                *(None if x != x else x for x in numbers),
                made.model[n], trained, bool(panel.hidden[n]),
            )  # fmt: skip


def score_rows(due: Due, panel: Panel, made: backtest.Result) -> Iterator[Row]:
    """Rows of raw.previsao_desempenho, in the order of its columns."""

    def row(level: str, name: str, model: str, rows: list[int], *told: bool) -> Row:
        score = scores[model]
        months = int(score.months[rows].sum())
        start = due.distribuidora_id, panel.last_year, level, name, model, months
        return (*start, *score.rates(np.array(rows)), *told)

    scores = dict(made.scores)
    for model, score in made.scores.items():
        for n, (level, name) in enumerate(panel.keys):
            if score.months[n] or model == backtest.NAIVE:
                chosen = bool(made.model[n] == model)
                yield row(level, name, model, [n], chosen, bool(panel.hidden[n]))
    scores["publicado"] = chosen_score(made)
    for level in sorted({level for level, _ in panel.keys}):
        shown = [n for n, (of, _) in enumerate(panel.keys) if of == level and not panel.hidden[n]]
        for model, score in scores.items():
            if shown and score.months[shown].any():
                yield row(level, ALL, model, shown, model == "publicado", False)


def chosen_score(made: backtest.Result) -> backtest.Score:
    """The score of what is published, whichever model it is."""
    chosen = backtest.Score.none(len(made.model))
    for model, score in made.scores.items():
        rows = made.model == model
        for mine, theirs in zip(_arrays(chosen), _arrays(score), strict=True):
            mine[rows] = theirs[rows]
    return chosen


def _arrays(score: backtest.Score) -> list[np.ndarray]:
    return [
        score.months, score.error, score.of_naive, score.percent, score.percents, score.symmetric,
        *score.inside,
    ]  # fmt: skip

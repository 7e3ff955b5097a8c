"""What a report is about: a safra, or the days that have just ended.

Belongs here: kinds and their days. Not here: what happened in them (queries/*_periodo.sql).
A report of days looks at its own days, whatever reports were made before: no state is kept.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("America/Sao_Paulo")


class Kind(StrEnum):
    """As ``--periodo`` has them."""

    SAFRA = "safra"
    DAILY = "diario"
    WEEKLY = "semanal"
    MONTHLY = "mensal"


@dataclass(frozen=True)
class Period:
    """Whole days: ``start`` is in, ``end`` is not. Both none: the safra."""

    kind: Kind
    start: datetime | None = None
    end: datetime | None = None

    @property
    def last_day(self) -> date:
        """The last day that is in."""
        return (self.end - timedelta(days=1)).date()


def before(kind: Kind, moment: datetime) -> Period:
    """The whole days of this kind that ended last before a moment, in Brasília's time."""
    today = moment.astimezone(ZONE).date()
    if kind == Kind.SAFRA:
        return Period(kind)
    if kind == Kind.MONTHLY:
        end = today.replace(day=1)
        start = (end - timedelta(days=1)).replace(day=1)
    else:
        end = today
        start = end - timedelta(days=1 if kind == Kind.DAILY else 7)
    return Period(kind, _midnight(start), _midnight(end))


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZONE)

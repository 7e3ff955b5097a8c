"""When a reading was made: the forms of a time, and the day that a time of day is of.

Belongs here: times as devices and terminals write them. Not here: what else a record says
(reading.py).
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

TIMEZONE = ZoneInfo("America/Sao_Paulo")
HALF_DAY, DAY = timedelta(hours=12), timedelta(days=1)
LEAP = timedelta(minutes=2)
"""After one wrong stamp, the next right one is this near to the last right one."""
NEAR_MIDNIGHT = timedelta(hours=1)
"""A clock that leaps ahead by almost a day was set back over midnight by less than this."""

_TIME = (
    r"(?P<h>\d{1,2}):(?P<min>\d{2})(?::(?P<s>\d{2})(?:[.,:](?P<fracao>\d{1,9}))?)?"
    r"(?:\s*(?P<ampm>[AaPp])\.?\s?[Mm]\b\.?)?"
)
TIME_ONLY = re.compile(_TIME)
_DATA = (
    r"(?:(?P<a>\d{4})(?P<sep>[-/.])(?P<mes>\d{1,2})(?P=sep)(?P<d>\d{1,2})"
    r"|(?P<d2>\d{1,2})(?P<sep2>[-/.])(?P<mes2>\d{1,2})(?P=sep2)(?P<a2>\d{4}))"
)
_TIMEZONE = r"\s*(?P<fuso>Z|[-+]\d{2}(?::?\d{2})?)?"
_INSTANT = re.compile(rf"{_DATA}(?:\s*[T,_;]\s*|\s+){_TIME}{_TIMEZONE}")
_SO_DATA = re.compile(_DATA + _TIMEZONE)
_LOOSE_TIME, _LOOSE_INSTANT = (
    re.compile(rf"(?<![\d:/-]){p}(?![\d:])") for p in (_TIME, _INSTANT.pattern)
)
_LIKE_A_DATE = re.compile(r"\d[-/.]\d{1,2}[-/.]\d|\b\d{9,13}\b")
_LIKE_A_TIME = re.compile(r"\d:\d\d")


class Unreadable(Exception):
    """A record that is no reading; the message is the reason kept in ``raw.rejeitado``."""


@dataclass
class Clocks:
    """The clocks of a file's devices, from one reading to the next."""

    latest: dict[str, tuple[datetime, datetime | None]] = field(default_factory=dict)
    """Device → its latest reading's time and that of the one before."""

    def on_day(self, device: str, hour: time, start: datetime) -> datetime:
        """The instant of a time of day: a fall by more than half a day is midnight."""
        previous, before_that = (
            when and when.astimezone(TIMEZONE).replace(tzinfo=None)
            for when in self.latest.get(device, (start, None))
        )
        parsed = datetime.combine(previous.date(), hour)
        if previous - parsed > HALF_DAY:
            # Back where it was before one stamp that leapt ahead: that stamp was wrong.
            back = before_that and timedelta(0) <= parsed - before_that <= LEAP
            parsed += timedelta(0) if back else DAY
        elif parsed - previous > DAY - NEAR_MIDNIGHT and previous.date() > _day(start):
            parsed -= DAY
        return parsed.replace(tzinfo=TIMEZONE)

    def went_back(self, device: str, medido_em: datetime) -> bool:
        """Whether this reading is before the device's latest; takes it for the latest."""
        previous, _ = self.latest.get(device, (medido_em, None))
        self.latest[device] = medido_em, previous
        return medido_em < previous


def in_prefix(prefix: str) -> str:
    """The time among what a terminal or a logger writes before a line; '' when there is none.

    What looks like a time and is none that we know comes whole: it is to be refused, not passed
    over for the time of arrival.
    """
    if found := _LOOSE_INSTANT.search(prefix):
        return found[0].strip()
    if not _LIKE_A_DATE.search(prefix) and (found := _LOOSE_TIME.search(prefix)):
        return found[0].strip()
    looks_like = _LIKE_A_DATE.search(prefix) or _LIKE_A_TIME.search(prefix)
    return prefix.strip(" \t[](),;|->") if looks_like else ""


def is_time(text: str) -> bool:
    """Whether it is an instant or a time of day by its form."""
    return bool(_INSTANT.fullmatch(text) or TIME_ONLY.fullmatch(text))


def time_of_day(value: object) -> time | None:
    """A time without a date, or None when it is not one. Raises ``Unreadable``."""
    parts = TIME_ONLY.fullmatch(str(value).strip("[]() \t"))
    try:
        return _time(parts) if parts else None
    except ValueError as error:
        raise Unreadable("horário ilegível") from error


def instant(value: object) -> datetime:
    """An instant from ISO 8601, ``dd/mm/yyyy hh:mm:ss`` or epoch (s or ms). Raises ``Unreadable``.

    Without an offset the clock is São Paulo's.
    """
    text = str(value).strip("[]() \t")
    try:
        if re.fullmatch(r"\d{9,13}(\.\d+)?", text):
            epoch = float(text)
            return datetime.fromtimestamp(epoch / 1000 if epoch >= 1e11 else epoch, UTC)
        if parts := _INSTANT.fullmatch(text):
            return datetime.combine(_data(parts), _time(parts), _offset(parts["fuso"]))
        if not re.match(r"\d{4}-?\d{2}-?\d{2}[T ]", text):
            raise ValueError(text)
        parsed = datetime.fromisoformat(text.replace(",", "."))
    except (ValueError, OverflowError, OSError) as error:
        raise Unreadable("horário ilegível") from error
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=TIMEZONE)


def nearest(hour: time, arrived: datetime) -> datetime:
    """The instant of a time of day that is nearest to its arrival."""
    there = arrived.astimezone(TIMEZONE)
    parsed = datetime.combine(there.date(), hour, TIMEZONE)
    if parsed - there > HALF_DAY:
        return parsed - DAY
    return parsed + DAY if there - parsed > HALF_DAY else parsed


def midnight(text: str) -> datetime | None:
    """The midnight that a date without a time begins with, or None when it is no such date.

    Without an offset the clock is São Paulo's. Raises ``Unreadable``: no such day.
    """
    if not (parts := _SO_DATA.fullmatch(text.strip())):
        return None
    try:
        return datetime.combine(_data(parts), time(), _offset(parts["fuso"]))
    except ValueError as error:
        raise Unreadable("data que não existe") from error


def _data(parts: re.Match[str]) -> date:
    """The day of a match of ``_DATA``; ValueError when there is no such day."""
    return date(*(int(parts[c] or parts[f"{c}2"]) for c in ("a", "mes", "d")))


def _time(parts: re.Match[str]) -> time:
    """The time of day of a match of ``_TIME``; ValueError when there is no such time."""
    hour, half = int(parts["h"]), (parts["ampm"] or "").lower()
    if half:
        if not 1 <= hour <= 12:
            raise ValueError(parts[0])
        hour = hour % 12 + (12 if half == "p" else 0)
    micro = (parts["fracao"] or "").ljust(6, "0")[:6]
    return time(hour, int(parts["min"]), int(parts["s"] or 0), int(micro))


def _offset(text: str | None) -> tzinfo:
    if text is None:
        return TIMEZONE
    if text == "Z":
        return UTC
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[3:].strip(":") or 0))
    return timezone(-offset if text[0] == "-" else offset)


def _day(instant: datetime) -> date:
    return instant.astimezone(TIMEZONE).date()

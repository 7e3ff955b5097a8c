"""How a record becomes a reading: fields by any of their names, numbers, states, times.

Belongs here: records → readings, computed. Not here: lines → records (records.py), the database
(landing.py).
"""

import json
import math
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from loaders.aicss.clock import (
    TIME_ONLY,
    Clocks,
    Unreadable,
    instant,
    is_time,
    nearest,
    time_of_day,
)
from loaders.aicss.records import FIELD_OF, NUMBERS, STATES, Record, plain_name

RANGES = {"luz": (0, 4095), "distancia_cm": (2, 400)}
NO_ECHO = 0
# Before this a clock was never set: an ESP32 without NTP counts from 1970.
OLDEST = datetime(2010, 1, 1, tzinfo=UTC)
SET_BACK = "recuo"
TIE = "empate"
"""Values of ``ressalva_horario``: see ``Reading``."""
STATE_OF = dict.fromkeys(("1", "true", "on", "sim", "ligado"), True) | dict.fromkeys(
    ("0", "false", "off", "nao", "desligado"), False
)
DATE_IN_NAME = re.compile(r"[-_. ]?\d{4}-?\d{2}-?\d{2}.*$")


@dataclass(frozen=True)
class Origin:
    """What a file says about its readings beyond the readings themselves.

    Attributes:
        device: the device of a record that names none; None if unknown.
        start: instant of the first record; each record counts one second. None if unknown.
        recebido_em: arrival, the time of a record that has no other.
    """

    device: str | None
    start: datetime | None
    recebido_em: datetime


@dataclass(frozen=True)
class Reading:
    """One reading; luz in ADC steps (0-4095), distancia in cm, temperatura in °C.

    ``ressalva_horario``: what is odd about ``medido_em``. ``recuo``: it is before that of the
    device's reading ahead of it, so its clock was set back; ``empate``: another reading of the file
    has the same instant and other values, and this one is kept microseconds later.
    """

    dispositivo_id: str
    medido_em: datetime
    origem_horario: str
    luz: float | None = None
    distancia_cm: float | None = None
    consumo_interno: bool | None = None
    consumo_externo: bool | None = None
    temperatura: float | None = None
    movimento: bool | None = None
    energia_economizada_kwh: float | None = None
    outros: dict[str, Any] | None = None
    fora_da_faixa: list[str] = field(default_factory=list)
    ressalva_horario: str | None = None


def _blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def number(field_name: str, value: object) -> float | None:
    """A finite number, decimal point or comma; None when blank. Raises ``Unreadable``."""
    if _blank(value):
        return None
    try:
        parsed = float(str(value).strip().replace(",", "."))
    except ValueError:
        parsed = math.nan
    if not math.isfinite(parsed):
        raise Unreadable(f"{field_name} não é número")
    return parsed


def on_or_off(field_name: str, value: object) -> bool | None:
    """An on/off state; None when blank. Raises ``Unreadable``."""
    if _blank(value):
        return None
    parsed = STATE_OF.get(plain_name(str(value)).removesuffix("_0"))
    if parsed is None:
        raise Unreadable(f"{field_name} não é ligado/desligado")
    return parsed


def _measured_at(
    record: Record, value: object, order: int, origin: Origin, clocks: Clocks, device: str
) -> tuple[datetime, str]:
    """When the reading was made, and whether that is the record's word, derived, or arrival."""
    if not _blank(value):
        if not (parsed := time_of_day(value)):
            return instant(value), "campo"
        if origin.start is not None:
            return clocks.on_day(device, parsed, origin.start), "derivado"
        if record.arrived is None:
            raise Unreadable("horário sem data: informe --inicio")
        return nearest(parsed, record.arrived), "derivado"
    if origin.start is not None:
        return origin.start + timedelta(seconds=order), "derivado"
    if record.arrived is not None:
        return record.arrived, "chegada"
    # One microsecond apart: records that arrive together are still different readings.
    return origin.recebido_em + timedelta(microseconds=order), "chegada"


def reading(record: Record, order: int, origin: Origin, clocks: Clocks) -> Reading:
    """The reading in the ``order``-th record (from 0) of a source. Raises ``Unreadable``.

    ``clocks`` is the file's: it remembers this reading.
    """
    known, outros = _fields(record)
    measures = {c: number(c, known.get(c)) for c in NUMBERS}
    measures |= {c: on_or_off(c, known.get(c)) for c in STATES}
    if all(v is None for v in measures.values()):
        raise Unreadable("nenhuma medida")
    name = known.get("dispositivo_id")
    device = (record.device or origin.device) if _blank(name) else str(name).strip()
    if not device:
        raise Unreadable("sem dispositivo: informe --dispositivo")
    if not device.isprintable() or "\\u0000" in json.dumps(outros):
        raise Unreadable("texto com caracteres de controle")
    when = known.get("medido_em")
    medido_em, origem_horario = _measured_at(record, when, order, origin, clocks, device)
    if not OLDEST <= medido_em <= origin.recebido_em + timedelta(days=1):
        raise Unreadable("horário implausível")
    set_back = (
        record.in_order or TIME_ONLY.fullmatch(str(when).strip("[]() "))
    ) and clocks.went_back(device, medido_em)
    return Reading(
        device,
        medido_em,
        origem_horario,
        **measures,
        outros=outros or None,
        fora_da_faixa=[c for c, (de, ate) in RANGES.items() if _outside(c, measures[c], de, ate)],
        ressalva_horario=SET_BACK if set_back else None,
    )


def _fields(record: Record) -> tuple[dict[str, Any], dict[str, Any]]:
    """A record's values by our names, and those whose names we do not know."""
    known: dict[str, Any] = {}
    outros: dict[str, Any] = {}
    for name, value in (record.values or {}).items():
        field_name = FIELD_OF.get(plain_name(name))
        if field_name is None:
            outros[name] = value
        elif _blank(known.get(field_name)):
            known[field_name] = value
    parts = {c: known.pop(c) for c in ("data", "hora") if c in known}
    if parts and _blank(known.get("medido_em")):
        joined = " ".join(str(value).strip() for _, value in sorted(parts.items()))
        if is_time(joined):
            return known | {"medido_em": joined}, outros
    return known, outros | parts


def _outside(field_name: str, value: float | None, de: float, ate: float) -> bool:
    if value is None or (field_name == "distancia_cm" and value == NO_ECHO):
        return False
    return not de <= value <= ate


def device_of_name(path: Path) -> str:
    """The device that a file is named after, without the date a logger appends."""
    return DATE_IN_NAME.sub("", path.stem) or path.stem

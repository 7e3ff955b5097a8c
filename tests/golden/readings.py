"""AICSS: typed readings, who was on, energy by the hour. Not here: BDGD."""

from collections import defaultdict
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd

from tests.golden.devices import at
from tests.golden.expected import Rows, number

GAP_PERIODS = 3
RANGES = {"luz": (0, 4095), "distancia_cm": (2, 400)}
HOUR = timedelta(hours=1)


def expected(paths: tuple[Path, ...], valid: Rows) -> dict[str, Rows]:
    """The three AICSS tables, of CSVs with ISO times; ``valid``: settings since when."""
    frame = pd.concat([pd.read_csv(p, dtype=str, keep_default_na=False) for p in paths])
    readings = [_reading(row) for row in frame.to_dict("records")]
    _apart(readings)
    readings.sort(key=lambda r: (r["dispositivo_id"], r["medido_em"]))
    states = [_state(r, at(valid, r["dispositivo_id"], r["medido_em"])) for r in readings]
    hours = _hours(states, valid)
    return {
        "leitura_sensor": readings,
        "leitura_estado": states,
        "marts.consumo_dispositivo_hora": hours,
    }


def heard(paths: tuple[Path, ...]) -> set[str]:
    """The devices in the files."""
    return {d for path in paths for d in pd.read_csv(path, dtype=str)["device_id"]}


def _apart(readings: Rows) -> None:
    """Of two readings of one instant, in the file's order, the second is a microsecond later."""
    taken: dict[tuple[str, datetime], int] = defaultdict(int)
    for reading in readings:
        same = reading["dispositivo_id"], reading["medido_em"]
        if taken[same]:
            reading["medido_em"] += timedelta(microseconds=taken[same])
            reading["ressalva_horario"] = "empate"
            reading["leitura_id"] = _name(reading["dispositivo_id"], reading["medido_em"])
        taken[same] += 1


def _name(device: str, stamp: datetime) -> str:
    return f"{device} {stamp.astimezone(ZoneInfo('UTC')).isoformat()}"


def _number(text: str) -> float | None:
    return float(text) if text else None


def _onoff(text: str) -> bool | None:
    return None if not text else text == "1"


def _reading(row: dict[str, str]) -> dict:
    light, distance = _number(row["luz"]), _number(row["distancia_cm"])
    stamp = datetime.fromisoformat(row["timestamp"])

    def outside(name: str, value: float | None) -> bool:
        low, high = RANGES[name]
        return value is not None and not low <= value <= high

    return {
        "leitura_id": _name(row["device_id"], stamp),
        "dispositivo_id": row["device_id"],
        "medido_em": stamp,
        "luz": light,
        "distancia_cm": None if distance == 0 else distance,
        "sem_eco": None if distance is None else distance == 0,
        "consumo_interno": _onoff(row["consumo_interno"]),
        "consumo_externo": _onoff(row["consumo_externo"]),
        "temperatura_c": _number(row["temperatura"]),
        "movimento": _onoff(row["movimento"]),
        "energia_economizada_kwh": _number(row["energia_economizada_kwh"]),
        "luz_fora_da_faixa": outside("luz", light),
        "distancia_fora_da_faixa": distance != 0 and outside("distancia_cm", distance),
        "origem_horario": "campo",
        "ressalva_horario": None,
        "recebido_em": "~datetime",
    }


def _state(r: dict, device: dict) -> dict:
    """The lamp as the reading says; else by the firmware's rule: dark, and someone within reach."""
    dark = near = None
    if r["luz"] is not None and not r["luz_fora_da_faixa"]:
        dark = r["luz"] < float(device["limiar_luz"])
    if r["sem_eco"]:
        near = False
    elif r["distancia_cm"] is not None and not r["distancia_fora_da_faixa"]:
        near = r["distancia_cm"] < float(device["limiar_distancia_cm"])
    both = False if False in (dark, near) else None if None in (dark, near) else True
    said = r["consumo_interno"], r["consumo_externo"]
    return {
        "leitura_id": r["leitura_id"],
        "dispositivo_id": r["dispositivo_id"],
        "medido_em": r["medido_em"],
        "ligado_interno": both if said[0] is None else said[0],
        "ligado_externo": dark if said[1] is None else said[1],
        "origem_estado": "regra" if None in said else "campo",
    }


def _hours(states: Rows, valid: Rows) -> Rows:
    """Second by second would do; interval by interval is enough: cut at hours, add up."""
    found: dict[tuple, dict] = defaultdict(
        lambda: {"read": 0, "last": None, "all": 0.0, "unknown": 0.0, "in": 0.0, "out": 0.0}
    )
    of_device = defaultdict(list)
    for s in states:
        of_device[s["dispositivo_id"]].append(s)
    for device, mine in of_device.items():
        for s, after in zip(mine, [*mine[1:], None], strict=True):
            start = s["medido_em"]
            reach = timedelta(seconds=GAP_PERIODS * at(valid, device, start)["periodo_s"])
            hour = start.replace(minute=0, second=0, microsecond=0)
            found[device, hour]["read"] += 1
            found[device, hour]["last"] = s["leitura_id"]
            end = after["medido_em"] if after else start
            if end - start > reach:
                end = start
            while hour <= end:
                seconds = (min(end, hour + HOUR) - max(start, hour)).total_seconds()
                cell = found[device, hour]
                cell["all"] += seconds
                cell["in"] += seconds * (s["ligado_interno"] is True)
                cell["out"] += seconds * (s["ligado_externo"] is True)
                cell["unknown"] += seconds * (None in (s["ligado_interno"], s["ligado_externo"]))
                hour += HOUR
    return [_hour(device, hour, c, at(valid, device, hour)) for (device, hour), c in found.items()]


def _hour(device: str, hour: datetime, cell: dict, known: dict) -> dict:
    def kwh(watts: object, seconds: float) -> float | None:
        return None if number(watts) is None else float(watts) * seconds / 3600 / 1000

    inside = kwh(known["potencia_interna_w"], cell["in"])
    outside = kwh(known["potencia_externa_w"], cell["out"])
    both = None if None in (inside, outside) else inside + outside
    price = number(known["tarifa_brl_kwh"])
    return {
        "dispositivo_id": device,
        "hora": hour,
        "leituras": cell["read"],
        "segundos_cobertos": cell["all"],
        "cobertura_pct": cell["all"] / 3600 * 100,
        "segundos_sem_estado": cell["unknown"],
        "segundos_ligado_interno": cell["in"],
        "segundos_ligado_externo": cell["out"],
        "energia_interna_kwh": inside,
        "energia_externa_kwh": outside,
        "energia_total_kwh": both,
        "custo_brl": None if None in (both, price) else both * price,
        "ultima_leitura_id": cell["last"],
        "parametros_md5": "~str",
    }

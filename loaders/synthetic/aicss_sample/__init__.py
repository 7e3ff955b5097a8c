"""A day of readings of two devices, in the three shapes, with the defects that real logs have.

Belongs here: the sample log and the function that made it. Not here: tests of the loader.
"""

import json
import math
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from random import Random

TIMEZONE = timezone(timedelta(hours=-3))
DAY = datetime(2025, 1, 15, tzinfo=TIMEZONE)
PERIOD_S = 60
GAP = range(600, 645)  # minutes of the day in which the device in the room says nothing
HEADER = "device_id,timestamp,light_level,distance,internal_led,external_led,energy_saved_kwh"


@dataclass(frozen=True)
class SampleReading:
    """One reading of the sample; luz in ADC steps, distancia in cm (0 = no echo)."""

    medido_em: datetime
    luz: int
    distance: int

    @property
    def internal(self) -> bool:
        """State of the internal light by the device's rule."""
        return self.luz < 2000 and 0 < self.distance < 100

    @property
    def external(self) -> bool:
        """State of the external light by the device's rule."""
        return self.luz < 2000


def day(seed: int) -> list[SampleReading]:
    """A reading a minute: daylight as half a sine, people near in the morning and the evening."""
    luck = Random(seed)
    done = []
    for minute in range(24 * 60):
        daylight = max(0.0, math.sin(math.pi * (minute - 360) / 780))
        luz = min(4095, int(300 + 3600 * daylight + luck.randint(-80, 80)))
        near = minute // 60 in (6, 7, 18, 19, 20, 21) and luck.random() < 0.8
        distance = luck.randint(20, 95) if near else luck.choice((0, 180, 240, 310, 390))
        done.append(SampleReading(DAY + timedelta(seconds=PERIOD_S * minute), luz, distance))
    return done


def _csv(a: SampleReading) -> str:
    return (
        f"aicss-sala,{a.medido_em.isoformat()},{a.luz},{a.distance},{a.internal:d},{a.external:d},"
    )


def _json(a: SampleReading) -> str:
    return json.dumps(
        {
            "device_id": "aicss-sala",
            "timestamp": a.medido_em.isoformat(),
            "luz": a.luz,
            "distancia": a.distance,
            "consumo_interno": int(a.internal),
            "consumo_externo": int(a.external),
        }
    )


def _serial(a: SampleReading) -> str:
    instant = a.medido_em.strftime("%Y-%m-%d %H:%M:%S")
    return f"{instant} Luz: {a.luz} | Distância: {a.distance} cm"


def generate(target: Path) -> list[Path]:
    """Write the sample into a folder; the same bytes every time."""
    room = [a for i, a in enumerate(day(1)) if i not in GAP]
    morning, afternoon = [a for a in room if a.medido_em.hour < 12], room[-720:]
    late = morning.pop(300)
    csv_lines = [HEADER, *map(_csv, morning), _csv(morning[-1]), _csv(late)]
    json_lines = [
        *map(_json, afternoon),
        _json(morning[10]),
        '{"device_id": "aicss-sala", "luz": 12',
    ]
    garage = [_serial(a) for a in day(2)]
    garage[200] = garage[200].partition(" Luz")[0] + " Luz: 9999 | Distância: 87 cm"
    garage.insert(0, "rst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)")
    done = []
    for name, content in (
        ("aicss-sala_2025-01-15.csv", csv_lines),
        ("aicss-sala_2025-01-15.jsonl", json_lines),
        ("aicss-garagem_2025-01-15.log", garage),
    ):
        path = target / name
        path.write_bytes(("\n".join(content) + "\n").encode())
        done.append(path)
    return done

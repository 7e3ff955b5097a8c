"""A day of readings of two devices, in the three shapes, with the defects that real logs have.

Belongs here: the sample log and the function that made it. Not here: tests of the loader.
"""

import json
import math
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from random import Random

FUSO = timezone(timedelta(hours=-3))
DIA = datetime(2025, 1, 15, tzinfo=FUSO)
PERIODO_S = 60
LACUNA = range(600, 645)  # minutes of the day in which the device in the room says nothing
CABECALHO = "device_id,timestamp,light_level,distance,internal_led,external_led,energy_saved_kwh"


@dataclass(frozen=True)
class Amostra:
    """One reading of the sample; luz in ADC steps, distancia in cm (0 = no echo)."""

    medido_em: datetime
    luz: int
    distancia: int

    @property
    def interno(self) -> bool:
        """State of the internal light by the device's rule."""
        return self.luz < 2000 and 0 < self.distancia < 100

    @property
    def externo(self) -> bool:
        """State of the external light by the device's rule."""
        return self.luz < 2000


def dia(semente: int) -> list[Amostra]:
    """A reading a minute: daylight as half a sine, people near in the morning and the evening."""
    sorte = Random(semente)
    feitas = []
    for minuto in range(24 * 60):
        claridade = max(0.0, math.sin(math.pi * (minuto - 360) / 780))
        luz = min(4095, int(300 + 3600 * claridade + sorte.randint(-80, 80)))
        perto = minuto // 60 in (6, 7, 18, 19, 20, 21) and sorte.random() < 0.8
        distancia = sorte.randint(20, 95) if perto else sorte.choice((0, 180, 240, 310, 390))
        feitas.append(Amostra(DIA + timedelta(seconds=PERIODO_S * minuto), luz, distancia))
    return feitas


def _csv(a: Amostra) -> str:
    return (
        f"aicss-sala,{a.medido_em.isoformat()},{a.luz},{a.distancia},{a.interno:d},{a.externo:d},"
    )


def _json(a: Amostra) -> str:
    return json.dumps(
        {
            "device_id": "aicss-sala",
            "timestamp": a.medido_em.isoformat(),
            "luz": a.luz,
            "distancia": a.distancia,
            "consumo_interno": int(a.interno),
            "consumo_externo": int(a.externo),
        }
    )


def _serial(a: Amostra) -> str:
    horario = a.medido_em.strftime("%Y-%m-%d %H:%M:%S")
    return f"{horario} Luz: {a.luz} | Distância: {a.distancia} cm"


def gerar(destino: Path) -> list[Path]:
    """Write the sample into a folder; the same bytes every time."""
    sala = [a for i, a in enumerate(dia(1)) if i not in LACUNA]
    manha, tarde = [a for a in sala if a.medido_em.hour < 12], sala[-720:]
    atrasada = manha.pop(300)
    linhas_csv = [CABECALHO, *map(_csv, manha), _csv(manha[-1]), _csv(atrasada)]
    linhas_json = [*map(_json, tarde), _json(manha[10]), '{"device_id": "aicss-sala", "luz": 12']
    garagem = [_serial(a) for a in dia(2)]
    garagem[200] = garagem[200].partition(" Luz")[0] + " Luz: 9999 | Distância: 87 cm"
    garagem.insert(0, "rst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)")
    feitos = []
    for nome, conteudo in (
        ("aicss-sala_2025-01-15.csv", linhas_csv),
        ("aicss-sala_2025-01-15.jsonl", linhas_json),
        ("aicss-garagem_2025-01-15.log", garagem),
    ):
        caminho = destino / nome
        caminho.write_bytes(("\n".join(conteudo) + "\n").encode())
        feitos.append(caminho)
    return feitos

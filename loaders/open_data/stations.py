"""INMET's station files: eight lines about the station, then an hour a line; together one CSV.

Belongs here: their shape, old and new. Not here: the zip's safety (bdgd/zip_archive.py).
"""

import csv
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO
from zipfile import ZipFile

from loaders.bdgd import zip_archive
from loaders.bdgd.csv_lines import text
from loaders.errors import InvalidInput
from loaders.open_data.values import folded

_STATION = {
    "codigowmo": "estacao",
    "estacao": "nome",
    "uf": "uf",
    "latitude": "latitude",
    "longitude": "longitude",
    "altitude": "altitude",
}
_HOUR = {
    "data": "data",
    "datayyyymmdd": "data",
    "horautc": "hora_utc",
    "precipitacaototalhorariomm": "precipitacao_mm",
    "temperaturadoarbulbosecohorariac": "temperatura_c",
    "umidaderelativadoarhoraria": "umidade_pct",
}
_COLUMNS = tuple(dict.fromkeys([*_STATION.values(), *_HOUR.values()]))
_MOST_ABOUT = 12
_NO_MEASURE = re.compile(r"-9999([.,]0+)?")


def from_zip(archive: ZipFile, target: Path, name: str) -> Path:
    """Every station of a yearly zip.

    Raises:
        InvalidInput: no station in it, one of another shape, or a station's day twice.
    """
    days: dict[str, set[str]] = defaultdict(set)
    members = [m for m in archive.infolist() if m.filename.lower().endswith(".csv")]
    if not members:
        raise InvalidInput(f"{name}: o zip não tem nenhum arquivo de estação (.CSV)")
    with target.open("w", encoding="utf-8", newline="") as out:
        writer = _writer(out)
        for member in members:
            inside = zip_archive.clean_name(member).name
            with archive.open(member) as lines:
                hours = list(_hours(lines, f"{name}/{inside}"))
            for station in {hour["estacao"] for hour in hours}:
                its_days = {hour["data"] for hour in hours if hour["estacao"] == station}
                if twice := its_days & days[station]:
                    raise InvalidInput(
                        f"{name}/{inside}: {min(twice)} da estação {station} já veio em outro"
                        " arquivo do zip; deixe um; nada mudou"
                    )
                days[station] |= its_days
            writer.writerows(hours)
    return target


def from_file(file: Path, target: Path, name: str) -> Path:
    """One station."""
    with target.open("w", encoding="utf-8", newline="") as out, file.open("rb") as lines:
        _writer(out).writerows(_hours(lines, name))
    return target


def _writer(out: IO[str]) -> "csv.DictWriter[str]":
    writer = csv.DictWriter(out, _COLUMNS, delimiter=";", lineterminator="\n", restval="")
    writer.writeheader()
    return writer


def _hours(lines: Iterable[bytes], name: str) -> Iterator[dict[str, str]]:
    about: dict[str, str] = {}
    places: dict[str, int] = {}
    for number, raw in enumerate(lines, 1):
        cells = [cell.strip() for cell in text(raw).strip("\r\n\ufeff").split(";")]
        if places:
            if any(cells):
                yield about | _hour(cells, places, name, number)
        elif folded(cells[0]).startswith("data") and len(cells) > len(_STATION):
            places = _places(cells, about, name)
        elif number > _MOST_ABOUT:
            break
        elif (key := _STATION.get(folded(cells[0]))) and cells[1:]:
            about[key] = cells[1]
    if not places:
        raise InvalidInput(f"{name}: não é um arquivo de estação do INMET; nada mudou")


def _places(cells: list[str], about: dict[str, str], name: str) -> dict[str, int]:
    header = [folded(cell) for cell in cells]
    places = {_HOUR[h]: at for at, h in enumerate(header) if h in _HOUR}
    wanted = dict.fromkeys(_HOUR.values())
    missing = [column for column in wanted if column not in places]
    missing += [column for column in _STATION.values() if column not in about]
    if missing:
        known = {*_HOUR}
        extra = [cells[at] for at, h in enumerate(header) if h and h not in known]
        raise InvalidInput(
            f"{name}: o cabeçalho da estação não tem {', '.join(missing)}; tem"
            f" {', '.join(extra) or 'mais nada'}: mudou de nome? nada mudou"
        )
    return places


def _hour(cells: list[str], places: dict[str, int], name: str, number: int) -> dict[str, str]:
    if len(cells) <= max(places.values()):
        raise InvalidInput(f"{name}: a linha {number} para no meio; baixe o arquivo de novo")
    return {
        column: "" if _NO_MEASURE.fullmatch(cells[at]) else cells[at]
        for column, at in places.items()
    }

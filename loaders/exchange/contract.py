"""Predictions from R, version 1 of the contract: what a file must be (docs/r.md).

Belongs here: reading CSV and Parquet, every check of a row, the words for what is wrong. Not here:
the database (landing.py).
"""

import csv
import io
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from loaders.errors import InvalidInput

VERSION = 1
COLUMNS = (
    "contrato",
    "distribuidora_id",
    "nivel",
    "serie_id",
    "competencia",
    "modelo",
    "media",
    "inferior",
    "superior",
    "treinado_ate",
)
LEVELS = ("distribuidora", "municipio_classe", "conjunto", "segmento")
HORIZON_MONTHS = 60
SHOWN = 10
"""How many reasons a message names; it counts the others."""
PARQUET = b"PAR1"
_MONTH = re.compile(r"(\d{4})-(\d{2})(?:-01)?(?:[T ]00:00:00.*)?")


@dataclass(frozen=True)
class Prediction:
    """A month of a series as a model expects it: kWh, with the bounds of its 95 % interval."""

    distribuidora_id: int
    nivel: str
    serie_id: str
    competencia: date
    modelo: str
    media: float
    inferior: float
    superior: float
    treinado_ate: date

    @property
    def key(self) -> tuple[object, ...]:
        """What no two rows of a file may share."""
        return (
            *(self.distribuidora_id, self.nivel, self.serie_id),
            *(self.modelo, self.treinado_ate, self.competencia),
        )


def read(path: Path) -> list[Prediction]:
    """All predictions of a file, or none.

    Raises:
        InvalidInput: it is no such file, or a row is not what the contract says; the message names
            the rows, their columns and what to do.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{path}: não pode ser lido ({error.strerror})") from None
    rows = _parquet(path, data) if data[:4] == PARQUET else _csv(path, data)
    found: list[Prediction] = []
    seen: dict[tuple[object, ...], int] = {}
    wrong: dict[str, list[int]] = {}
    for line, row in rows:
        try:
            one = _prediction(row)
            if seen.setdefault(one.key, line) != line:
                raise ValueError("repete outra: mesma série, modelo, treino e mês")
            found.append(one)
        except ValueError as error:
            wrong.setdefault(str(error), []).append(line)
    if wrong:
        raise InvalidInput(
            f"{path}: {sum(map(len, wrong.values()))} linhas fora do contrato {VERSION}, nada"
            f" mudou: {_told(wrong)}. docs/r.md diz o que se espera"
        )
    if not found:
        raise InvalidInput(f"{path}: nenhuma previsão; nada mudou")
    return found


def _told(wrong: dict[str, list[int]]) -> str:
    """What is wrong, and in which lines: the first few of each."""
    said = []
    for reason, lines in list(wrong.items())[:SHOWN]:
        more = f" e mais {len(lines) - 3}" if len(lines) > 3 else ""
        said.append(f"linha {', '.join(map(str, lines[:3]))}{more}: {reason}")
    if len(wrong) > SHOWN:
        said.append(f"e mais {len(wrong) - SHOWN} motivos")
    return "; ".join(said)


def _csv(path: Path, data: bytes) -> Iterator[tuple[int, dict[str, object]]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"{path}: não é UTF-8 (byte {error.start}); em R, write.csv2(…, fileEncoding = 'UTF-8')"
        ) from None
    top_line = text.partition("\n")[0]
    separator = ";" if top_line.count(";") >= top_line.count(",") else ","
    reader = csv.reader(io.StringIO(text), delimiter=separator)
    try:
        names = [name.strip().lower() for name in next(reader, [])]
        _check_columns(path, names)
        for cells in reader:
            if any(cell.strip() for cell in cells):
                if len(cells) != len(names):
                    raise InvalidInput(
                        f"{path}: a linha {reader.line_num} tem {len(cells)} campos e o cabeçalho"
                        f" {len(names)}; nada mudou: o arquivo está cortado?"
                    )
                yield reader.line_num, dict(zip(names, cells, strict=True))
    except csv.Error:
        raise InvalidInput(
            f"{path}: na linha {reader.line_num} não se lê como CSV: falta fechar aspas, ou"
            " um campo é longo demais; em R, write.csv2; nada mudou"
        ) from None


def _parquet(path: Path, data: bytes) -> Iterator[tuple[int, dict[str, object]]]:
    import pyarrow as pa  # a CSV does without it
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(io.BytesIO(data))
    except (pa.ArrowException, OSError) as error:
        said = str(error).splitlines()[0]
        raise InvalidInput(f"{path}: não se lê como Parquet ({said}); nada mudou") from None
    _check_columns(path, [name.strip().lower() for name in table.column_names])
    table = table.rename_columns([name.strip().lower() for name in table.column_names])
    yield from enumerate(table.to_pylist(), 1)


def _check_columns(path: Path, names: list[str]) -> None:
    repeated = sorted(name for name, n in Counter(names).items() if n > 1)
    missing = [name for name in COLUMNS if name not in names]
    unknown = [name or "sem nome" for name in names if name not in COLUMNS]
    told = [
        f"{word}: {', '.join(which)}"
        for word, which in (
            ("faltam as colunas", missing),
            ("não são do contrato", unknown),
            ("repetidas", repeated),
        )
        if which
    ]
    if told:
        raise InvalidInput(
            f"{path}: o cabeçalho não é o do contrato {VERSION}; {'; '.join(told)}; nada mudou. O"
            f" cabeçalho é {';'.join(COLUMNS)} (em R, row.names = FALSE)"
        )


def _prediction(row: dict[str, object]) -> Prediction:
    """A row as a prediction; ValueError says which column is wrong, and why."""
    version = _integer(row, "contrato")
    if version != VERSION:
        raise ValueError(f"contrato {version}: este armazém só conhece o {VERSION}")
    level = _text(row, "nivel")
    if level not in LEVELS:
        raise ValueError(f"nivel {level!r}: é um de {', '.join(LEVELS)}")
    month, trained = _month(row, "competencia"), _month(row, "treinado_ate")
    ahead = (month.year - trained.year) * 12 + month.month - trained.month
    if not 1 <= ahead <= HORIZON_MONTHS:
        raise ValueError(
            f"competencia {month:%Y-%m} com treinado_ate {trained:%Y-%m}: o mês previsto é depois"
            f" do último visto, até {HORIZON_MONTHS} meses"
        )
    mean, lower, upper = (_energy(row, name) for name in ("media", "inferior", "superior"))
    if not lower <= mean <= upper:
        raise ValueError(f"fora de ordem: inferior {lower:g}, media {mean:g}, superior {upper:g}")
    return Prediction(
        _integer(row, "distribuidora_id"),
        level,
        _text(row, "serie_id"),
        month,
        _text(row, "modelo"),
        mean,
        lower,
        upper,
        trained,
    )


def _text(row: dict[str, object], name: str) -> str:
    value = row[name]
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # R's numbers are doubles: a serie_id of 401 comes as 401.0
    text = "" if value is None else str(value).strip()
    if not text or text == "NA":
        raise ValueError(f"{name} em branco")
    if len(text) > 200 or not text.isprintable():
        raise ValueError(f"{name} longo demais, ou com caracteres de controle")
    return text


def _number(row: dict[str, object], name: str) -> float:
    text = _text(row, name)
    try:
        value = float(text.replace(",", ".") if text.count(",") == 1 and "." not in text else text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"{name} {text!r} não é número (nem milhares, nem Inf)")
    return value


def _integer(row: dict[str, object], name: str) -> int:
    value = _number(row, name)
    if not value.is_integer() or not 0 < value < 2**31:
        raise ValueError(f"{name} {value:g} não é inteiro positivo")
    return int(value)


def _energy(row: dict[str, object], name: str) -> float:
    value = _number(row, name)
    if value < 0:
        raise ValueError(f"{name} {value:g} abaixo de zero: energia em kWh")
    return value


def _month(row: dict[str, object], name: str) -> date:
    value = row[name]
    text = value.isoformat() if isinstance(value, date) else _text(row, name)
    found = _MONTH.fullmatch(text)
    if found and 1 <= int(found[2]) <= 12 and 1990 <= int(found[1]) <= 2100:
        return date(int(found[1]), int(found[2]), 1)
    raise ValueError(f"{name} {text!r} não é um mês: AAAA-MM ou AAAA-MM-01")


def series_of(predictions: Iterable[Prediction]) -> set[tuple[int, str, str]]:
    """The series that are predicted."""
    return {(p.distribuidora_id, p.nivel, p.serie_id) for p in predictions}

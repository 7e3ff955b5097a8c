"""A CSV of outcomes: its rows, each one right, or what is wrong with it.

Belongs here: reading, the rules of a row. Not here: the database (landing.py), whether a unit is
known (learning/outcomes.py).
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from loaders.environment import CLONE
from loaders.errors import InvalidInput

COLUMNS = ("distribuidora", "cod_id", "cnpj", "oferta", "resultado", "data")
ONE_OF = ("cod_id", "cnpj")
"""A file may lack one of these columns, and a row one of the two."""
RESULTS = ("ganho", "perdido")
SHOWN = 5
"""Wrong rows that a refusal names; of the others it says how many they are."""
_WEIGHTS = (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)


@dataclass(frozen=True)
class Outcome:
    """One row: the offer that was made, and how it ended; ``line`` is the file's, from 1."""

    line: int
    distribuidora_id: int
    cod_id: str | None
    cnpj: str | None
    offer: str
    result: str
    day: date


def read(path: Path, today: date) -> list[Outcome]:
    """The rows of a file.

    Raises:
        InvalidInput: a header or a row that cannot be: names the first ones, line and column.
    """
    rows = csv.reader(_text(path).splitlines(), delimiter=_separator(path))
    header = [name.strip().lower() for name in next(rows, [])]
    _check_header(path, header)
    found, wrong = [], []
    offers = known_offers()
    for line, row in enumerate(rows, 2):
        if not any(cell.strip() for cell in row):
            continue
        try:
            if len(row) != len(header):
                raise ValueError(f"{len(row)} campos, o cabeçalho tem {len(header)}")
            cells = {n: c.strip() for n, c in zip(header, row, strict=True)}
            found.append(outcome(line, cells, offers, today))
        except ValueError as error:
            wrong.append(f"linha {line}, {error}")
    wrong += list(_contradictions(found))
    if wrong:
        more = f" (e mais {len(wrong) - SHOWN})" if len(wrong) > SHOWN else ""
        raise InvalidInput(
            f"{path.name}: {'; '.join(wrong[:SHOWN])}{more}. Nada foi guardado: corrija e repita"
        )
    if not found:
        raise InvalidInput(f"{path.name}: não há nenhuma linha abaixo do cabeçalho")
    return found


def outcome(line: int, cells: dict[str, str], offers: frozenset[str], today: date) -> Outcome:
    """A row as it must be.

    Raises:
        ValueError: says the column and the rule.
    """
    distributor = cells["distribuidora"]
    if not re.fullmatch(r"[1-9]\d{0,4}", distributor):
        raise ValueError(f"distribuidora: o código da ANEEL (401), e não {distributor!r}")
    cod_id, cnpj = cells.get("cod_id") or None, cells.get("cnpj") or None
    if not (cod_id or cnpj):
        raise ValueError("cod_id e cnpj: um dos dois")
    offer, result = cells["oferta"].lower(), cells["resultado"].lower()
    if offer not in offers:
        raise ValueError(f"oferta: {' ou '.join(sorted(offers))}, e não {cells['oferta']!r}")
    if result not in RESULTS:
        raise ValueError(f"resultado: {' ou '.join(RESULTS)}, e não {cells['resultado']!r}")
    return Outcome(
        line,
        int(distributor),
        cod_id,
        as_cnpj(cnpj) if cnpj else None,
        offer,
        result,
        _day(cells["data"], today),
    )


def as_cnpj(text: str) -> str:
    """A CNPJ, since 2026 of letters too, without its points.

    Raises:
        ValueError: it is none. The text is not repeated: it may be a person's CPF.
    """
    code = re.sub(r"[./\-\s]", "", text).upper()
    if not re.fullmatch(r"[0-9A-Z]{12}\d\d", code):
        raise ValueError("cnpj: 14 caracteres, de pessoa jurídica")
    for place in (12, 13):
        weights = _WEIGHTS[-place:]
        total = sum((ord(c) - 48) * w for c, w in zip(code, weights, strict=False))
        if int(code[place]) != (0 if total % 11 < 2 else 11 - total % 11):  # noqa: PLR2004
            raise ValueError("cnpj: os dígitos finais não conferem")
    return code


def known_offers() -> frozenset[str]:
    """Ids of seed ``oferta``."""
    with (Path(CLONE) / "seeds" / "oferta.csv").open(encoding="utf-8", newline="") as file:
        return frozenset(row["id"] for row in csv.DictReader(file))


def _text(path: Path) -> str:
    data = path.read_bytes()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _separator(path: Path) -> str:
    header = _text(path).split("\n", 1)[0]
    return max(";,\t", key=header.count)


def _check_header(path: Path, header: list[str]) -> None:
    unknown = [name for name in header if name not in COLUMNS]
    lacking = [name for name in COLUMNS if name not in header and name not in ONE_OF]
    twice = sorted({name for name in header if header.count(name) > 1})
    if not set(ONE_OF) & set(header):
        lacking.append("cod_id ou cnpj")
    told = [
        f"{what} {', '.join(names)}"
        for what, names in (("falta", lacking), ("sobra", unknown), ("repete", twice))
        if names
    ]
    if told:
        raise InvalidInput(
            f"{path.name}: o cabeçalho {'; '.join(told)}. Deve ser: {';'.join(COLUMNS)}"
        )


def _day(text: str, today: date) -> date:
    try:
        if found := re.fullmatch(r"(\d\d)/(\d\d)/(\d{4})", text):
            day = date(int(found[3]), int(found[2]), int(found[1]))
        else:
            day = date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"data: DD/MM/AAAA, e não {text!r}") from None
    if not date(2000, 1, 1) <= day <= today:
        raise ValueError(f"data: entre 01/01/2000 e hoje, e não {text}")
    return day


def _contradictions(found: list[Outcome]) -> Iterator[str]:
    seen: dict[tuple[object, ...], Outcome] = {}
    for row in found:
        key = (row.distribuidora_id, row.cod_id, row.cnpj, row.offer, row.day)
        first = seen.setdefault(key, row)
        if first.result != row.result:
            yield (
                f"linha {row.line}, resultado: {row.result}, e na linha {first.line} {first.result}"
            )

"""Answers in JSON written as one plain CSV with the declared columns.

Belongs here: the shapes of answers, whether one is whole. Not here: fetching (client.py), types,
INMET's stations (stations.py).
"""

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from loaders.errors import InvalidInput
from loaders.open_data.dataset import Dataset

Record = Mapping[str, Any]
_SECRET = "X"
"""SIDRA's value that would tell of one informant."""
_AGAIN = "nada mudou: baixe o arquivo de novo"


def answer(file: Path, target: Path, dataset: Dataset, name: str) -> Path:
    """An API's answer as a CSV.

    Raises:
        InvalidInput: cut, an error, of another shape, or with fewer rows than it says.
    """
    try:
        with file.open(encoding="utf-8-sig") as opened:
            found = json.load(opened)
    except (ValueError, RecursionError):
        raise InvalidInput(f"{name}: resposta JSON cortada ou danificada; {_AGAIN}") from None
    shapes: dict[str, Callable[[Any, Dataset, str], Iterable[Record]]] = {
        "localidades": _municipalities,
        "sidra": _sidra,
    }
    write(target, shapes.get(dataset.shape, _records)(found, dataset, name))
    return target


def write(target: Path, rows: Iterable[Record]) -> None:
    """A record a line, ``;``, the first record's names as header."""
    with target.open("w", encoding="utf-8", newline="") as out:
        writer: csv.DictWriter[str] | None = None
        for row in rows:
            if writer is None:
                writer = csv.DictWriter(
                    out, list(row), delimiter=";", lineterminator="\n", extrasaction="ignore"
                )
                writer.writeheader()
            writer.writerow({column: _one_line(value) for column, value in row.items()})


def _one_line(value: object) -> str:
    return "" if value is None else " ".join(str(value).split())


def _records(found: Any, dataset: Dataset, name: str) -> Iterator[Record]:  # noqa: ANN401
    """The records of a ``datastore_search``."""
    result = found.get("result") if isinstance(found, dict) else None
    records = result.get("records") if isinstance(result, dict) else None
    if not isinstance(records, list) or not all(isinstance(r, dict) for r in records):
        raise InvalidInput(f"{name}: resposta JSON de outra forma que {dataset.id}; {_AGAIN}")
    total = result.get("total")
    if isinstance(total, int) and len(records) < total:
        raise InvalidInput(f"{name}: a resposta tem {len(records)} de {total} linhas; {_AGAIN}")
    for record in records:
        yield {column: value for column, value in record.items() if column != "_id"}


def _rows_of(found: Any, dataset: Dataset, name: str) -> list[dict[str, Any]]:  # noqa: ANN401
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise InvalidInput(f"{name}: resposta JSON de outra forma que {dataset.id}; {_AGAIN}")
    return found


def _refuse_missing(row: Record, keys: Iterable[str], dataset: Dataset, name: str) -> None:
    keys = tuple(keys)
    if missing := [key for key in keys if key not in row]:
        extra = [key for key in row if key not in keys]
        other = f"; tem {', '.join(extra)}: mudou de nome?" if extra else ""
        raise InvalidInput(
            f"{name}: a resposta não tem {', '.join(missing)} de {dataset.id}{other}; nada mudou"
        )


def _municipalities(found: Any, dataset: Dataset, name: str) -> Iterator[Record]:  # noqa: ANN401
    """IBGE's localidades; a new município has no microrregião, its immediate region tells."""
    keys = ("id", "nome", "microrregiao", "regiao-imediata")
    for row in _rows_of(found, dataset, name):
        _refuse_missing(row, keys, dataset, name)
        micro = _part(row, "microrregiao")
        meso = _part(micro, "mesorregiao")
        immediate = _part(row, "regiao-imediata")
        intermediate = _part(immediate, "regiao-intermediaria")
        state = _part(intermediate, "UF") or _part(meso, "UF")
        yield {
            "id": row["id"],
            "nome": row["nome"],
            "uf_sigla": state.get("sigla"),
            "uf_nome": state.get("nome"),
            "regiao_nome": _part(state, "regiao").get("nome"),
            "regiao_imediata": immediate.get("nome"),
            "regiao_intermediaria": intermediate.get("nome"),
            "microrregiao": micro.get("nome"),
            "mesorregiao": meso.get("nome"),
        }


def _part(row: Record, key: str) -> Record:
    found = row.get(key)
    return found if isinstance(found, dict) else {}


def _sidra(found: Any, dataset: Dataset, name: str) -> Iterator[Record]:  # noqa: ANN401
    """SIDRA's rows, the dimensions put in order: município, variable, year."""
    rows = _rows_of(found, dataset, name)
    keys = [column.name.upper() for column in dataset.columns]
    for row in rows[:2]:
        _refuse_missing(row, keys, dataset, name)
    header = rows[0] if rows and rows[0]["V"] == "Valor" else None
    body = rows[1:] if header else rows
    order = _dimensions(header, body[0] if body else {})
    if len(order) < 3:  # noqa: PLR2004 - a município, a variable, a year
        raise InvalidInput(f"{name}: a resposta não é por município e ano; {_AGAIN}")
    for row in body:
        _refuse_missing(row, keys, dataset, name)
        if row[f"{order['v']}C"] != dataset.variable:
            raise InvalidInput(
                f"{name}: a resposta é da variável {row[order['v'] + 'C']} do SIDRA, {dataset.id} é"
                f" a {dataset.variable}; nada mudou"
            )
        dimensions = {
            f"D{at}{part}": row[f"{order[what]}{part}"]
            for at, what in enumerate("mva", 1)
            for part in "CN"
        }
        whole = {key: row[key] for key in keys} | dimensions
        if whole["V"] == _SECRET:
            whole["V"] = ""
        yield {key.lower(): value for key, value in whole.items()}


def _dimensions(header: Record | None, first: Record) -> dict[str, str]:
    """m, v, a → ``D1`` … ``D3``: by the header's names, else by how the codes look."""
    found = {}
    for place in ("D1", "D2", "D3"):
        if header:
            initial = str(header.get(f"{place}N", ""))[:1].lower()
            found[{"m": "m", "v": "v", "a": "a"}.get(initial, "?")] = place
            continue
        code = str(first.get(f"{place}C", ""))
        looks = {7: "m", 4: "a"}.get(len(code), "v")
        found["a" if looks == "a" and code[:2] in ("19", "20") else looks.replace("a", "v")] = place
    found.pop("?", None)
    return found

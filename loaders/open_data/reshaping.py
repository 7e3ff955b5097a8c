"""Answers in JSON, and INMET's station files, written as one plain CSV with the declared columns.

Belongs here: the shapes of answers, whether one is whole. Not here: fetching (client.py), types.
"""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from zipfile import ZipFile

from loaders.errors import InvalidInput
from loaders.open_data.dataset import Dataset


def answer(file: Path, target: Path, dataset: Dataset, name: str) -> Path:
    """An API's answer as a CSV.

    Raises:
        InvalidInput: cut, an error, of another shape, or with fewer rows than it says.
    """
    try:
        with file.open(encoding="utf-8-sig") as opened:
            found = json.load(opened)
    except (ValueError, RecursionError):
        raise InvalidInput(
            f"{name}: resposta JSON cortada ou danificada; baixe o arquivo de novo"
        ) from None
    rows = list(_records(found, name))
    write(target, rows)
    return target


def _records(found: object, name: str) -> Iterator[Mapping[str, object]]:
    """The records of a ``datastore_search``."""
    result = found.get("result") if isinstance(found, dict) else None
    if not isinstance(result, dict) or not isinstance(result.get("records"), list):
        raise InvalidInput(f"{name}: resposta JSON de outra forma; baixe o arquivo de novo")
    records, total = result["records"], result.get("total")
    if isinstance(total, int) and len(records) < total:
        raise InvalidInput(
            f"{name}: a resposta tem {len(records)} de {total} linhas; baixe o arquivo inteiro"
        )
    for record in records:
        if not isinstance(record, dict):
            raise InvalidInput(f"{name}: resposta JSON de outra forma; baixe o arquivo de novo")
        yield {column: value for column, value in record.items() if column != "_id"}


def write(target: Path, rows: Iterable[Mapping[str, object]]) -> None:
    """A record a line, ``;``, the first record's names as header."""
    with target.open("w", encoding="utf-8", newline="") as out:
        writer: csv.DictWriter[str] | None = None
        for row in rows:
            if writer is None:
                writer = csv.DictWriter(
                    out, list(row), delimiter=";", lineterminator="\n", restval=""
                )
                writer.writeheader()
            writer.writerow({name: _one_line(value) for name, value in row.items()})


def _one_line(value: object) -> str:
    return "" if value is None else " ".join(str(value).split())


def stations(archive: ZipFile, target: Path, dataset: Dataset, name: str) -> Path:
    """INMET's yearly zip: every station's file."""
    raise NotImplementedError


def station_file(file: Path, target: Path, dataset: Dataset, name: str) -> Path:
    """One station's file."""
    raise NotImplementedError

"""The seeds as people edit them: what is wrong in seeds/*.csv, before any build, in a second.

Belongs here: reading the files against their description (seeds/_seeds.yml: column_types, and
meta.regras). Not here: loading them (dbt), what a seed means.
"""

import csv
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path
from typing import Any

import yaml

from dagster_pipeline.manifest import CLONE
from loaders.errors import InvalidInput

FOLDER = CLONE / "seeds"
SHOWN = 5
_NEAR = 1e-6


@dataclass(frozen=True)
class Table:
    """A seed that could be read: each row's line in the file, and its cells by column."""

    name: str
    columns: list[str]
    rows: list[tuple[int, dict[str, str]]]


def refuse(folder: Path = FOLDER) -> None:
    """Stop before a build that would fail half a minute later, in dbt's or PostgreSQL's words.

    Raises:
        InvalidInput: names the first cells that are wrong, a line each.
    """
    found = list(problems(folder))
    if found:
        more = f"\n… e mais {len(found) - SHOWN}" if len(found) > SHOWN else ""
        raise InvalidInput(
            "\n".join(found[:SHOWN]) + more + "\nnada foi construído: corrija e repita"
        )


def problems(folder: Path = FOLDER) -> Iterator[str]:
    """What is wrong: ``seeds/x.csv, linha N, coluna C: regra``."""
    described = yaml.safe_load((folder / "_seeds.yml").read_text(encoding="utf-8"))["seeds"]
    seeds = {seed["name"]: seed for seed in described}
    tables: dict[str, Table] = {}
    for name, seed in seeds.items():
        try:
            tables[name] = _read(folder / f"{name}.csv", seed)
        except ValueError as error:
            yield f"seeds/{name}.csv, {error}"
    for name, table in tables.items():
        for line, column, rule in sorted(_wrong(table, seeds[name], tables)):
            yield f"seeds/{name}.csv, linha {line}, coluna {column}: {rule}"


def _read(file: Path, seed: Mapping[str, Any]) -> Table:
    """A seed's rows.

    Raises:
        ValueError: it is no CSV as dbt reads it.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ValueError("o arquivo não está lá") from None
    except UnicodeDecodeError:
        raise ValueError("o arquivo não é UTF-8: no Excel, salve como CSV UTF-8") from None
    reader = csv.reader(text.splitlines(keepends=True))
    header = next(reader, [])
    if len(header) == 1 and ";" in header[0]:
        raise ValueError("linha 1: as colunas se separam por vírgula, e não por ponto e vírgula")
    wanted = [*seed["config"]["column_types"], *(c["name"] for c in seed.get("columns", ()))]
    lacking = [name for name in dict.fromkeys(wanted) if name not in header]
    if lacking:
        raise ValueError(f"linha 1: falta a coluna {', '.join(lacking)}")
    rows = []
    for row in reader:
        if row and len(row) != len(header):
            raise ValueError(f"linha {reader.line_num}: {len(row)} campos, devem ser {len(header)}")
        if row:
            rows.append((reader.line_num, dict(zip(header, row, strict=True))))
    return Table(seed["name"], header, rows)


Problem = tuple[int, str, str]


def _wrong(table: Table, seed: Mapping[str, Any], tables: Mapping[str, Table]) -> Iterator[Problem]:
    key, seen = table.columns[0], set()
    types = seed["config"]["column_types"]
    rules = seed["config"].get("meta", {}).get("regras", ())
    for line, row in table.rows:
        if not row[key]:
            yield line, key, "vazia"
        elif row[key] in seen:
            yield line, key, f"{row[key]!r} já está numa linha acima"
        seen.add(row[key])
        for column, kind in types.items():
            if row[column] and (rule := _against_type(row[column], kind)):
                yield line, column, rule
    for rule in rules:
        check = _sums if "soma" in rule else _cells
        yield from check(table, rule, tables)


def _number(text: str) -> None:
    if not re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", text):
        raise ValueError


def _array(text: str) -> None:
    if not re.fullmatch(r"\{.*\}", text):
        raise ValueError
    for part in text[1:-1].split(","):
        _number(part.strip())


def _whole(text: str) -> None:
    if not re.fullmatch(r"[-+]?\d+", text):
        raise ValueError


def _boolean(text: str) -> None:
    if text not in ("true", "false"):
        raise ValueError


_TYPES: dict[str, tuple[Callable[[str], object], str]] = {
    "integer": (_whole, "um número inteiro"),
    "smallint": (_whole, "um número inteiro"),
    "bigint": (_whole, "um número inteiro"),
    "double precision": (_number, "um número (decimal com ponto: 0.35)"),
    "double precision[]": (_array, "números entre chaves, separados por vírgula"),
    "boolean": (_boolean, "true ou false"),
    "date": (date.fromisoformat, "uma data (AAAA-MM-DD)"),
    "time": (time.fromisoformat, "uma hora (HH:MM)"),
}


def _against_type(text: str, kind: str) -> str:
    """Why a cell is not of its type; empty: it is, or it is text."""
    if kind not in _TYPES:
        return ""
    check, said = _TYPES[kind]
    try:
        check(text)
    except ValueError:
        return f"{text!r} não é {said}"
    return ""


def _cells(table: Table, rule: Mapping[str, Any], tables: Mapping[str, Table]) -> Iterator[Problem]:
    """One rule of meta.regras over its column: obrigatoria, valores, minimo, maximo, existe_em."""
    column = rule["coluna"]
    known: set[str] | None = None
    if "existe_em" in rule:
        name, _, of = rule["existe_em"].partition(".")
        if name in tables:
            known = {row[of] for _, row in tables[name].rows}
    for line, row in table.rows:
        text = row[column]
        if not text:
            if rule.get("obrigatoria"):
                yield line, column, "vazia"
        elif "valores" in rule and text not in map(str, rule["valores"]):
            yield line, column, f"{text!r} não é {' ou '.join(map(str, rule['valores']))}"
        elif known is not None and text not in known:
            yield line, column, f"{text!r} não está em seeds/{rule['existe_em'].split('.')[0]}.csv"
        elif not _inside(text, rule):
            least, most = rule.get("minimo", "…"), rule.get("maximo", "…")
            yield line, column, f"{text} não está entre {least} e {most}"


def _inside(text: str, rule: Mapping[str, Any]) -> bool:
    if not {"minimo", "maximo"} & rule.keys():
        return True
    try:
        number = float(text)
    except ValueError:  # told by its type
        return True
    return rule.get("minimo", number) <= number <= rule.get("maximo", number)


def _sums(table: Table, rule: Mapping[str, Any], _: Mapping[str, Table]) -> Iterator[Problem]:
    """The rule ``soma``: a column's sum over the rows that share what ``por`` names."""
    column, groups = rule["coluna"], defaultdict(list)
    for line, row in table.rows:
        if _against_type(row[column], "double precision") or not row[column]:
            return
        groups[row[rule["por"]]].append((line, float(row[column])))
    for name, parts in groups.items():
        total = sum(value for _, value in parts)
        if abs(total - rule["soma"]) > _NEAR:
            yield parts[-1][0], column, f"em {name} somam {total:g}, devem somar {rule['soma']}"

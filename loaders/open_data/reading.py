"""A CSV of open data as batches of the declared columns, counted before by other code.

Belongs here: header, which rows are refused, batches. Not here: one value's rule (values.py),
lines and their count (bdgd/csv_lines.py, bdgd/csv_census.py), the database (landing.py).
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from loaders.bdgd import csv_census, csv_safras
from loaders.bdgd.csv_census import Census
from loaders.bdgd.csv_lines import BLOCK, Grammar, Lines, read_grammar
from loaders.bdgd.number_text import sayable
from loaders.bdgd.transfer import Rejected
from loaders.errors import InvalidInput
from loaders.open_data import values
from loaders.open_data.dataset import Column, Dataset, Kind

_BAD_SHARE = 0.05
"""Of the values of a column: with more of another kind, the column is another."""
_FEW = 2
_STRAGGLERS = 0.01
"""Of the rows: years with fewer are late bills of another year's file, and replace nothing."""


@dataclass
class Reading:
    """A file that was counted and may be landed.

    Attributes:
        path: the plain CSV.
        name: what messages call the file.
        positions: raw column → where the header has it; None for one that it lacks.
        census: records, as another parser counts them.
        cut: the last record stops in its last value.
        years: year as written in the rows → the year whose rows this file replaces.
        groups: raw column → mark of thousands to take out.
        notes: what a person should know.
    """

    path: Path
    name: str
    dataset: Dataset
    grammar: Grammar
    positions: Mapping[str, int | None]
    census: Census
    cut: bool = False
    years: dict[int | None, int] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Batch:
    """Rows to land, ``linha`` first, and those to keep with a reason."""

    data: pa.RecordBatch
    rejects: list[Rejected]


def examine(path: Path, dataset: Dataset, name: str) -> Reading:
    """Look at header and bytes, and refuse what is not this dataset whole.

    Raises:
        InvalidInput: a column is missing, lines are misshapen, the file is cut or too short, a
            column's numbers can be read in two ways.
    """
    with path.open("rb") as stream:
        grammar = read_grammar(stream, name)
    positions, notes = _match(dataset, grammar, name)
    key = positions[dataset.by_year.lower()] if dataset.by_year else 0
    numeric = {
        column.raw: position
        for column in dataset.columns
        if column.kind is Kind.NUMBER and (position := positions[column.raw]) is not None
    }
    with path.open("rb") as stream:
        census = csv_census.take(stream, grammar, name, keys=(key or 0,), numeric=numeric)
    csv_safras.refuse_misshapen(census, name)
    _refuse_few(census.records, "", dataset, name)
    reading = Reading(path, name, dataset, grammar, positions, census, notes=notes)
    if census.unended:
        with path.open("rb") as stream:
            reading.cut = csv_census.last_value_cut(stream, grammar, name)
    reading.groups = _groups(reading)
    if dataset.by_year:
        counted: Counter[int | None] = Counter()
        for (text, _), rows in census.keys.items():
            counted[values.year_of(text)] += rows
        reading.years = _years(counted)
        for year in set(reading.years.values()):
            _refuse_few(counted[year], f", ano {year}", dataset, name)
    return reading


def _refuse_few(rows: int, where: str, dataset: Dataset, name: str) -> None:
    if rows < dataset.rows:
        raise InvalidInput(
            f"{name}{where}: {rows} linhas; {dataset.id} inteiro tem pelo menos {dataset.rows}:"
            " baixe o arquivo de novo"
        )


def _match(
    dataset: Dataset, grammar: Grammar, name: str
) -> tuple[dict[str, int | None], list[str]]:
    """Where each declared column stands."""
    header = [written.lower() for written in grammar.names]
    found: dict[str, int | None] = {}
    missing = []
    for column in dataset.columns:
        places = [at for at, written in enumerate(header) if written in column.names]
        if len(places) > 1:
            raise InvalidInput(f"{name}: o cabeçalho tem {column.name} mais de uma vez")
        found[column.raw] = places[0] if places else None
        if not places and not column.optional:
            missing.append(column.name)
    private = {column.lower() for column in dataset.private}
    extra = [
        grammar.names[at]
        for at, written in enumerate(header)
        if written and at not in found.values() and written not in private
    ]
    if missing:
        what = "não tem a coluna" if len(missing) == 1 else "não tem as colunas"
        other = f"; tem {', '.join(extra)}, que ninguém espera: mudou de nome?" if extra else ""
        raise InvalidInput(
            f"{name}: o cabeçalho {what} {', '.join(missing)} de {dataset.id}{other}; nada mudou"
        )
    return found, [f"colunas não carregadas: {', '.join(extra)}"] if extra else []


def _groups(reading: Reading) -> dict[str, str]:
    """Marks of thousands, where a column's numbers tell that they are.

    A comma that comes once starts decimals in all these sources; a point is decimal too in some.
    """
    groups = {}
    for raw, shapes in reading.census.shapes.items():
        seen = shapes.seen.keys()
        if {"brazilian", "english"} <= seen or seen == {"point_group"}:
            written = shapes.seen.get("point_group") or [
                shapes.seen[form][0] for form in ("brazilian", "english")
            ]
            quoted = " e ".join(map(repr, written))
            raise InvalidInput(
                f"{reading.name}: coluna {raw}: {quoted} pode ser milhar ou decimal, e nada na"
                " coluna o diz; tire o separador de milhar e repita"
            )
        if "english" in seen:
            groups[raw] = ","
        elif "brazilian" in seen or (
            "point_group" in seen and seen & {"comma_decimal", "comma_group"}
        ):
            groups[raw] = "."
        if raw in groups:
            reading.notes.append(f"{raw}: separador de milhar retirado")
    return groups


def _years(counted: Counter[int | None]) -> dict[int | None, int]:
    """Each year of the rows → the year of the file that it belongs to: its own, or the nearest."""
    least = _STRAGGLERS * counted.total()
    main = [year for year, rows in counted.items() if year is not None and rows >= least]
    if not main:
        return {}
    return {
        year: min(main, key=lambda m: (abs(m - year), m)) if year is not None else max(main)
        for year in counted
    }


def batches(reading: Reading) -> Iterator[Batch]:
    """The rows, batch by batch; misshapen lines come with the last of them.

    Raises:
        InvalidInput: a column has too many values of another kind.
    """
    bad: Counter[str] = Counter()
    first_bad: dict[str, str] = {}
    said: dict[str, set[str]] = {c.raw: set() for c in reading.dataset.columns if c.says}
    with reading.path.open("rb") as stream:
        lines = Lines(stream, reading.grammar, reading.name, cut=reading.cut)
        try:
            before = 0
            for parsed in _parse(reading, lines):
                numbers = pa.array(lines.numbers(before, parsed.num_rows))
                before += parsed.num_rows
                for raw, texts in said.items():
                    texts.update(pc.unique(parsed.column(str(reading.positions[raw]))).to_pylist())
                yield _batch(reading, parsed, numbers, bad, first_bad)
        except pa.ArrowInvalid as error:
            reason = str(error).partition(": ")[2].partition(": ")[0] or "estrutura"
            raise InvalidInput(
                f"{reading.name}: CSV malformado ({reason}); baixe o arquivo de novo"
            ) from None
        _refuse_bad(reading, bad, first_bad)
        _refuse_other_words(reading, said)
        yield Batch(_empty(reading), [_misshapen(reading, *found) for found in lines.malformed])
    if lines.headings > 0:
        reading.notes.append(f"o cabeçalho aparece {lines.headings + 1} vezes: arquivos juntados")
    if lines.recoded:
        reading.notes.append(f"{lines.recoded} linhas não eram UTF-8 e foram lidas como cp1252")


def _parse(reading: Reading, lines: Lines) -> pa_csv.CSVStreamingReader:
    width = range(len(reading.grammar.names))
    wanted = [str(at) for at in reading.positions.values() if at is not None]
    return pa_csv.open_csv(
        lines,
        read_options=pa_csv.ReadOptions(block_size=BLOCK, column_names=[str(at) for at in width]),
        parse_options=pa_csv.ParseOptions(delimiter=reading.grammar.separator),
        convert_options=pa_csv.ConvertOptions(
            include_columns=wanted,
            column_types=dict.fromkeys(wanted, pa.string()),
            strings_can_be_null=False,
        ),
    )


def _batch(
    reading: Reading,
    parsed: pa.RecordBatch,
    numbers: pa.Array,
    bad: Counter[str],
    first_bad: dict[str, str],
) -> Batch:
    """The declared columns of some rows, without those that cannot be used."""
    found: dict[str, pa.Array] = {"linha": numbers}
    reasons: list[tuple[str, pa.Array]] = []
    for column in reading.dataset.columns:
        position = reading.positions[column.raw]
        if position is None:
            found[column.raw] = pa.nulls(parsed.num_rows, pa.string())
            continue
        texts = pc.utf8_trim_whitespace(parsed.column(str(position)))
        if group := reading.groups.get(column.raw):
            texts = pc.replace_substring(texts, group, "")
        found[column.raw] = pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)
        reasons += _reasons(column, texts, bad, first_bad)
    if reading.dataset.by_year:
        found["ano_arquivo"] = _file_years(reading, found[reading.dataset.by_year.lower()])
    data = pa.RecordBatch.from_pydict(found)
    if not reasons:
        return Batch(data, [])
    rejects: dict[int, Rejected] = {}
    for reason, mask in reasons:
        for row in data.filter(mask).to_pylist():
            number = row.pop("linha")
            row.pop("ano_arquivo", None)
            rejects.setdefault(number, Rejected(number, reason, row))
    kept = pc.invert(pc.is_in(data.column("linha"), pa.array(list(rejects), pa.int64())))
    return Batch(data.filter(kept), list(rejects.values()))


def _reasons(
    column: Column, texts: pa.Array, bad: Counter[str], first_bad: dict[str, str]
) -> Iterator[tuple[str, pa.Array]]:
    if column.kind is not Kind.TEXT:
        unfit = values.unfit(texts, column)
        if count := pc.sum(unfit).as_py():
            bad[column.raw] += count
            first_bad.setdefault(column.raw, sayable(texts.filter(unfit)[0].as_py()))
            yield f"{column.name} não é {column.kind}", unfit
    if column.not_negative:
        negative = values.negative(texts)
        if pc.any(negative).as_py():
            yield f"{column.name} é negativo", negative
    if column.needed:
        empty = values.blank(texts)
        if pc.any(empty).as_py():
            yield f"{column.name} em branco", empty


def _file_years(reading: Reading, texts: pa.Array) -> pa.Array:
    """Each row's year of the file; a row whose date says none goes with the file's last."""
    last = max(reading.years.values(), default=0)
    different = pc.unique(texts).to_pylist()
    of_text = {t: reading.years.get(values.year_of(t or ""), last) for t in different}
    return pa.array([of_text[t] for t in texts.to_pylist()], pa.int16())


def _refuse_bad(reading: Reading, bad: Counter[str], first_bad: dict[str, str]) -> None:
    records = reading.census.records
    most = min(max(_FEW, int(_BAD_SHARE * records)), records // 2)
    for column in reading.dataset.columns:
        if bad[column.raw] > most:
            raise InvalidInput(
                f"{reading.name}: coluna {column.name}: {bad[column.raw]} de {records} valores"
                f" não são {column.kind} (o primeiro: {first_bad[column.raw]}); nada mudou"
            )


def _refuse_other_words(reading: Reading, said: Mapping[str, set[str]]) -> None:
    """A source that changes its wording would leave models without a row, and without an error."""
    for column in reading.dataset.columns:
        if not column.says:
            continue
        wanted = set(map(values.folded, column.says))
        if not wanted & {values.folded(text) for text in said[column.raw]}:
            found = ", ".join(repr(text[:60]) for text in sorted(said[column.raw])[:5])
            raise InvalidInput(
                f"{reading.name}: coluna {column.name}: nenhuma linha diz"
                f" {' nem '.join(map(repr, column.says))}; dizem {found}: a fonte mudou as"
                " palavras; nada mudou"
            )


def columns(dataset: Dataset) -> list[str]:
    """Names of a batch's columns, in order."""
    year = ["ano_arquivo"] if dataset.by_year else []
    return ["linha", *(column.raw for column in dataset.columns), *year]


def _empty(reading: Reading) -> pa.RecordBatch:
    typed = {"linha": pa.int64(), "ano_arquivo": pa.int16()}
    names = columns(reading.dataset)
    return pa.RecordBatch.from_pylist(
        [], pa.schema([(n, typed.get(n, pa.string())) for n in names])
    )


def _misshapen(reading: Reading, number: int, record: object) -> Rejected:
    """A line that is no record; its text stays out where the file has personal columns."""
    text = "" if reading.dataset.private else record.text  # type: ignore[attr-defined]
    return Rejected(number, record.reason, {"texto": text})  # type: ignore[attr-defined]

"""ANEEL's ``ucat_pj``, ``ucmt_pj``, ``ucbt_pj`` CSVs as a source: legal persons, the whole country.

Belongs here: header, splitting one file into safras, what a person is told. Not here: lines
(csv_lines.py), counting (csv_census.py), which safras and notations (csv_safras.py,
csv_notation.py), column types, PostgreSQL.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from loaders.bdgd import csv_census, csv_notation, csv_safras, zip_archive
from loaders.bdgd.columns import Match, convert, match_columns, whole_number
from loaders.bdgd.csv_census import Census
from loaders.bdgd.csv_lines import BLOCK, Grammar, Lines, read_grammar
from loaders.bdgd.kinds import identify
from loaders.bdgd.layers import NUMBER, TEXT, Layer
from loaders.bdgd.number_text import NONE, Notation
from loaders.bdgd.source import Source
from loaders.bdgd.transfer import Batch, Rejected
from loaders.errors import InvalidInput
from loaders.ledger import PARTIAL
from loaders.safra import Safra, listed

_PJ_ONLY = "somente pessoas jurídicas (arquivo _pj)"


@dataclass(frozen=True)
class _File:
    """A CSV that was counted.

    Attributes:
        columns: unique names for the parser, the header's own where they are.
        dist: name of the distributor's column.
        date: name of the base date's column, if there is one.
        matched: which raw column each of the columns is.
        notations: column → how its numbers are written.
        safras: (DIST, DATA_BASE) as written → safra, of those to land.
        every: the same of all that the file has.
        lost: (DIST, DATA_BASE) of which no safra can be made → why.
        largest: of the safras to land that with most records: it keeps rejected rows of none.
        cut: the last record stops in its last value.
    """

    path: Path
    grammar: Grammar
    columns: tuple[str, ...]
    dist: str
    date: str | None
    matched: Match
    notations: dict[str, Notation]
    safras: dict[tuple[str, str], Safra]
    every: dict[tuple[str, str], Safra]
    lost: dict[tuple[str, str], str]
    largest: Safra
    cut: bool

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.path.name

    def owner(self, dist: str) -> Safra | None:
        """The safra that keeps a rejected record: the file's one, or its distributor's only one.

        The largest where it may be of several; None where it is of one that is not to land.
        """
        found = self._possible(dist)
        if len(found) != 1:
            return self.largest
        return found[0] if found[0] in self.safras.values() else None

    def why(self, dist: str, reason: str) -> str:
        """The reason of a rejected record; says so where its safra is not known."""
        if len(self._possible(dist)) == 1:
            return reason
        return f"{reason}; de safra desconhecida, guardada com a maior do arquivo"

    def _possible(self, dist: str) -> list[Safra]:
        of_file = list({safra.key: safra for safra in self.every.values()}.values())
        code = whole_number(dist)
        return of_file if len(of_file) == 1 else [s for s in of_file if s.distribuidora_id == code]


@contextmanager
def opened(
    path: Path,
    *,
    safra: Safra | None = None,
    among: Collection[str] | None = None,
    thousands: str | None = None,
) -> Iterator[Source]:
    """Open a ``_pj`` CSV, or a zip with one inside.

    Reads it twice: first it only counts, to know its safras, records and how it writes numbers.

    Args:
        path: the file.
        safra: the only vintage to take; required when there is no DATA_BASE.
        among: keys of the vintages to take, None for all.
        thousands: what groups them in columns that do not tell: ``ponto``, ``virgula``, ``nao``.

    Raises:
        InvalidInput: not such a CSV, rows without DIST or base date, nothing of that vintage,
            a column whose numbers can be read in two ways.
    """
    layer = identify(path).layer
    if layer is None:
        raise InvalidInput(f"{path.name}: não é um CSV ucat_pj, ucmt_pj nem ucbt_pj")
    with _stream(path) as stream:
        grammar = read_grammar(stream, path.name)
    columns, dist, date = _columns(grammar, layer, path.name)
    matched = match_columns(layer, columns)
    numeric = {
        source: columns.index(source)
        for raw, source in matched.sources.items()
        if layer.columns[raw] != TEXT
    }
    keys = tuple(columns.index(c) for c in (dist, date) if c)
    grouped = tuple(
        columns.index(source)
        for raw, source in matched.sources.items()
        if layer.columns[raw] == NUMBER and raw not in csv_notation.COORDINATES
    )
    with _stream(path) as stream:
        census = csv_census.take(
            stream, grammar, path.name, keys=keys, numeric=numeric, grouped=grouped
        )
    csv_safras.refuse_misshapen(census, path.name)
    if cut := census.unended and _stops_in_a_value(path, grammar):
        census.reject_last()
    every, lost = csv_safras.of(census, path.name, dated=date is not None, asked=safra)
    csv_safras.refuse_many_lost(census, lost, columns, path.name)
    wanted = {key: s for key, s in every.items() if safra is None or s.key == safra.key}
    if not wanted:
        raise InvalidInput(f"{path.name}: nenhuma linha da safra {safra and safra.key}")
    if among is not None:
        of_file = sorted({s.key for s in wanted.values()})
        wanted = {key: s for key, s in wanted.items() if s.key in among}
        if not wanted:
            raise InvalidInput(
                f"{path.name}: o armazém não tem {layer.name} de {listed(of_file)} que se possa"
                " complementar; carregue antes a geodatabase"
            )
    notations = csv_notation.of(census, matched, path.name, thousands)
    if thousands != NONE:
        csv_notation.refuse_another(census, wanted, notations, path.name)
    largest = max(sorted(set(wanted.values())), key=_sizes(census, wanted).__getitem__)
    yield _source(
        _File(
            path=path,
            grammar=grammar,
            columns=columns,
            dist=dist,
            date=date,
            matched=matched,
            notations=notations,
            safras=wanted,
            every=every,
            lost=lost,
            largest=largest,
            cut=cut,
        ),
        census,
    )


def _sizes(census: Census, safras: dict[tuple[str, str], Safra]) -> Counter[Safra]:
    """Records of each safra."""
    sizes: Counter[Safra] = Counter()
    for key, safra in safras.items():
        sizes[safra] += census.keys[key]
    return sizes


def _stops_in_a_value(path: Path, grammar: Grammar) -> bool:
    with _stream(path) as stream:
        return csv_census.last_value_cut(stream, grammar, path.name)


@contextmanager
def _stream(path: Path) -> Iterator[BinaryIO]:
    """The CSV's bytes; out of a zip they are streamed and their CRC-32 is checked at the end."""
    if (member := identify(path).member) is None:
        with path.open("rb") as file:
            yield file
        return
    with zip_archive.opened(path) as zipped, zipped.open(member) as file:
        yield file  # type: ignore[misc]


def _columns(
    grammar: Grammar, layer: Layer, filename: str
) -> tuple[tuple[str, ...], str, str | None]:
    """The columns' unique names, DIST's and DATA_BASE's."""
    seen: Counter[str] = Counter()
    columns = []
    for name in grammar.names:
        seen[name.casefold()] += 1
        again = seen[name.casefold()] > 1 or not name
        columns.append(f"{name}#{len(columns)}" if again else name)
    twice = [n for n, count in seen.items() if count > 1 and match_columns(layer, [n]).sources]
    if twice:
        raise InvalidInput(
            f"{filename}: o cabeçalho tem {', '.join(twice).upper()} mais de uma vez; deixe uma só"
        )
    names = {name.casefold(): name for name in columns}
    missing = {"dist", f"{layer.energy[0]}_01"} - names.keys()
    if missing:
        raise InvalidInput(
            f"{filename}: o cabeçalho não tem {', '.join(sorted(missing)).upper()};"
            " não é o CSV _pj da ANEEL"
        )
    return tuple(columns), names["dist"], names.get("data_base")


def _source(file: _File, census: Census) -> Source:
    layer = file.matched.layer
    sizes = _sizes(census, file.safras)
    rejected = [(dist, census.keys[dist, date]) for dist, date in file.lost]
    for dist, count in [*census.malformed.items(), *rejected]:
        if safra := file.owner(dist):
            sizes[safra] += count
    notices = [_PJ_ONLY]
    if len(file.safras) < len(file.every):
        notices.append(PARTIAL)
    if file.matched.unknown:
        names = ", ".join(name for name in file.matched.unknown if not name.startswith("#"))
        notices += [f"colunas não carregadas: {names}"] if names else []
    notices += file.matched.months_missing
    if file.grammar.hinted:
        notices.append(
            f"a linha sep={file.grammar.separator} do Excel diz o separador, não é linha"
        )
    if file.cut:
        notices.append(
            "o arquivo acaba sem fim de linha e o último valor é mais curto que todos os outros da"
            f" coluna {file.columns[-1]}: a última linha foi rejeitada; baixe o arquivo de novo ou,"
            " se está inteiro, acrescente o fim de linha"
        )
    elif census.unended:
        notices.append(
            "o arquivo acaba sem fim de linha: se veio cortado, o último valor da última linha"
            f" ({file.columns[-1]}) está incompleto"
        )
    remarks = {layer.name: tuple(notices)}

    def batches(_: Layer) -> Iterator[Batch]:
        with _stream(file.path) as stream:
            lines = Lines(stream, file.grammar, file.name, cut=file.cut)  # type: ignore[arg-type]
            yield from _batches(file, lines)
        remarks[layer.name] += tuple(_notes(lines))

    return Source(
        safras=tuple(sorted(set(file.safras.values()))),
        layers=(layer,),
        rows={(safra, layer.name): count for safra, count in sizes.items()},
        remarks=remarks,
        batches=batches,
    )


def _notes(lines: Lines) -> Iterator[str]:
    """What the reader had to mend, for the ledger."""
    if lines.recoded:
        yield f"{lines.recoded} linhas do arquivo não eram UTF-8 e foram lidas como cp1252"
    if lines.nul:
        yield f"{lines.nul} linhas do arquivo tinham bytes nulos, que foram retirados"
    if lines.headings:
        yield f"o cabeçalho se repete {lines.headings} vezes no arquivo e foi passado por alto"


def _parse(file: _File, lines: Lines, columns: list[str]) -> pa_csv.CSVStreamingReader:
    """Stream some columns as text, by the header's own names."""
    return pa_csv.open_csv(
        lines,
        read_options=pa_csv.ReadOptions(block_size=BLOCK, column_names=file.columns),
        parse_options=pa_csv.ParseOptions(delimiter=file.grammar.separator),
        convert_options=pa_csv.ConvertOptions(
            include_columns=columns,
            column_types=dict.fromkeys(columns, pa.string()),
            strings_can_be_null=False,
        ),
    )


def _keys(file: _File, batch: pa.RecordBatch) -> pa.Array:
    data = batch.column(file.date) if file.date else pa.scalar("")
    return pc.binary_join_element_wise(batch.column(file.dist), data, "|")


def _batches(file: _File, lines: Lines) -> Iterator[Batch]:
    """The rows of each safra, batch by batch; what has no shape comes with the last of them."""
    columns = list(
        dict.fromkeys([*file.matched.sources.values(), *([file.date] if file.date else [])])
    )
    safras = {"|".join(key): safra for key, safra in file.safras.items()}
    first = 0
    try:
        for batch in _parse(file, lines, columns):
            numbers = pa.array(lines.numbers(first, batch.num_rows))
            first += batch.num_rows
            keys = _keys(file, batch)
            present_ones = [written for written in pc.unique(keys).to_pylist() if written in safras]
            lost = list(_lost(file, batch, keys, numbers))
            asked = pc.is_in(keys, pa.array(present_ones, pa.string()))
            keys, numbers = keys.filter(asked), numbers.filter(asked)
            data = convert(
                batch.filter(asked), file.matched, file=file.name, notations=file.notations
            )
            for safra in dict.fromkeys(safras[written] for written in present_ones):
                its_keys = pa.array(
                    [written for written in present_ones if safras[written] == safra]
                )
                mask = pc.is_in(keys, its_keys)
                yield Batch(safra, data.filter(mask), numbers.filter(mask))
            yield from _rejected(file, lost, data.slice(0, 0))
    except pa.ArrowInvalid as error:
        raise InvalidInput(
            f"{file.name}: CSV malformado ({_without_values(error)}); baixe o arquivo de novo"
        ) from None
    dist = file.columns.index(file.dist)
    misshapen = (
        ("".join(record.cells[dist : dist + 1]), number, record.reason, {"texto": record.text})
        for number, record in lines.malformed
    )
    yield from _rejected(file, misshapen, data.slice(0, 0))


def _without_values(error: pa.ArrowInvalid) -> str:
    """Arrow's reason without the row that it quotes."""
    return str(error).partition(": ")[2].partition(": ")[0] or "estrutura"


_Refused = tuple[str, int, str, dict[str, str]]
"""A rejected row: its DIST as written, its number, the reason, what it holds."""


def _lost(
    file: _File, batch: pa.RecordBatch, keys: pa.Array, numbers: pa.Array
) -> Iterator[_Refused]:
    """The rows of no safra, by the raw layer's names."""
    reasons = {"|".join(key): why for key, why in file.lost.items()}
    which = pc.is_in(keys, pa.array(list(reasons), pa.string()))
    found = zip(
        numbers.filter(which).to_pylist(),
        keys.filter(which).to_pylist(),
        batch.filter(which).to_pylist(),
        strict=True,
    )
    for number, key, row in found:
        held = {raw: row[source] for raw, source in file.matched.sources.items()}
        yield row[file.dist], number, reasons[key], held


def _rejected(file: _File, refused: Iterable[_Refused], none: pa.RecordBatch) -> Iterator[Batch]:
    """Batches without rows that carry the rejected ones of each safra."""
    rejected: dict[Safra, list[Rejected]] = {}
    for dist, number, reason, held in refused:
        if safra := file.owner(dist):
            why = file.why(dist, reason)
            rejected.setdefault(safra, []).append(Rejected(number, why, held))
    for safra, rows in rejected.items():
        yield Batch(safra, none, pa.array([], pa.int64()), tuple(rows))

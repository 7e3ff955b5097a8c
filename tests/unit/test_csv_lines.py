"""The grammar of the CSVs: what is written in it is read back, however it is cut into blocks.

Not here: columns, safras (test_csv_pj.py).
"""

import csv
import io

import pyarrow as pa
import pyarrow.csv as pa_csv
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loaders.bdgd import csv_census, csv_lines
from loaders.bdgd.csv_lines import Grammar, Lines, Malformed, blocks, read_grammar

HEADER = ("COD_ID", "DIST", "ENE_01")
CELLS = st.text(
    st.characters(exclude_characters="\r\n\0\x1a\ufeff", exclude_categories=["Cs"]), max_size=12
) | st.sampled_from(['"', '""', ";", '";"', "401", "1,5", " ", 'a"b', '"x', 'x"'])
TABLES = st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=30)
SEPARATORS = st.sampled_from([";", ",", "\t", "|"])


def written(
    table: list[tuple[str, ...]],
    separator: str,
    end: str = "\n",
    *,
    quoting: int = csv.QUOTE_MINIMAL,
) -> bytes:
    """As Python's csv writes it, who knows nothing of ours."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator, lineterminator=end, quoting=quoting)
    writer.writerows([HEADER, *table])
    return out.getvalue().encode()


def landed(data: bytes) -> tuple[list[tuple[str, ...]], Lines]:
    """The cells that Arrow's parser gets."""
    grammar = read_grammar(io.BytesIO(data), "x.csv")
    lines = Lines(io.BytesIO(data), grammar, "x.csv")
    names = [str(n) for n in range(len(grammar.names))]
    read = pa_csv.read_csv(
        pa.PythonFile(lines, "r"),
        read_options=pa_csv.ReadOptions(column_names=names),
        parse_options=pa_csv.ParseOptions(delimiter=grammar.separator),
        convert_options=pa_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
        ),
    )
    return list(zip(*(read.column(n).to_pylist() for n in names), strict=True)), lines


def plain(table: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Without what is no record: nothing but blanks in a line, or the header once more."""
    return [
        r for r in table if tuple(c.strip().casefold() for c in r) != ("cod_id", "dist", "ene_01")
    ]


@given(
    TABLES,
    SEPARATORS,
    st.sampled_from(["\n", "\r\n"]),
    st.integers(1, 70),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_what_is_written_in_the_grammar_is_read_back(
    table: list[tuple[str, ...]], separator: str, end: str, size: int, quoting: int
) -> None:
    table = [("x", *row[1:]) if not "".join(row).strip() else row for row in plain(table)]
    if not table:
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_lines, "BLOCK", size)
        cells, lines = landed(written(table, separator, end, quoting=quoting))
    assert cells == table
    assert (lines.malformed, lines.recoded, lines.headings) == ([], 0, 0)


@given(st.binary(max_size=400), st.integers(1, 60))
def test_blocks_hold_the_same_lines_however_the_file_is_cut(data: bytes, size: int) -> None:
    data = b"A;B\n" + data.replace(b"\0", b"")
    whole = b"".join(blocks(io.BytesIO(data), "x", size=10**6))
    parts = list(blocks(io.BytesIO(data), "x", size=size))
    assert b"".join(parts) == whole
    assert all(part.endswith(b"\n") for part in parts[:-1])


@given(st.lists(st.binary(max_size=30), min_size=1, max_size=40), st.integers(5, 90))
def test_every_line_is_kept_rejected_or_blank_and_the_census_counts_the_same(
    rows: list[bytes], size: int
) -> None:
    """Whatever bytes: two passes that share no parser agree on how many records there are."""
    data = b"COD_ID;DIST;ENE_01\nU;401;1\n" + b"\n".join(rows) + b"\n"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_lines, "BLOCK", size)
        cells, lines = landed(data)
        grammar = read_grammar(io.BytesIO(data), "x")
        census = csv_census.take(io.BytesIO(data), grammar, "x", keys=(1,), numeric={"ENE_01": 2})
    assert census.records == len(cells) + len(lines.malformed) == lines.kept + len(lines.malformed)
    assert census.malformed.total() == len(lines.malformed)
    assert sum(census.keys.values()) == len(cells)


def test_quotes_that_hide_separators_by_mistake_are_text() -> None:
    grammar = Grammar(";", HEADER)
    assert grammar.read(b'"A;401;B"') == ['"A', "401", 'B"']
    assert grammar.read(b'"A;x";401;2') == ["A;x", "401", "2"]
    assert grammar.read(b'"A" x;401;2') == ['"A" x', "401", "2"]
    assert isinstance(grammar.read(b"A;401"), Malformed)
    assert grammar.read(b" \t\x1a") is None

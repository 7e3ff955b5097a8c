"""Line breaks within quoted cells of open data: one record is read as one, nothing else is joined.

Not here: cells of a line (test_csv_lines.py), which rows land (test_open_data_reading.py).
"""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loaders.bdgd.csv_lines import Lines, read_grammar
from loaders.open_data import line_breaks


def joined(folder: Path, content: bytes) -> bytes:
    path, target = folder / "a.csv", folder / "inteiro.csv"
    path.write_bytes(content)
    return line_breaks.joined(path, target, "a.csv").read_bytes()


@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        (b'1;"a|b";3', b'1;"a b";3'),
        (b'1;2;"a|b"', b'1;2;"a b"'),
        (b'"a|b";2;3', b'"a b";2;3'),
        (b'1;"a||b|c";3', b'1;"a  b c";3'),
        (b'1;"a ""x""|b";3', b'1;"a ""x"" b";3'),
        (b'1;"a;b|c";3', b'1;"a;b c";3'),
    ],
    ids=["middle", "last", "first", "three", "doubled", "separator"],
)
def test_a_quoted_cell_keeps_its_record_whole(
    written: bytes, wanted: bytes, end: bytes, tmp_path: Path
) -> None:
    rows = [b"x;y;z", b"0;0;0", written, b"9;9;9", b""]
    got = joined(tmp_path, end.join(rows).replace(b"|", end))
    assert got == b"\n".join([*rows[:2], wanted, *rows[3:]])


@pytest.mark.parametrize(
    "rows",
    [
        [b'1;tubo 3/4";3', b'4;tubo 1/2";6'],
        [b'1;"nunca fecha;3', b"4;5;6", b"7;8;9"],
        [b'1;2;"abc', b'4;5;"def'],
        [b'1;"a', b"4;5;6", b'b";3'],
        [b'1;"a', b'4;tubo 1/2";6'],
        [b'1;"a'] + [b"x"] * 80 + [b'b";3'],
    ],
    ids=["inches", "unclosed", "two-unclosed", "record-between", "inches-after", "too-many"],
)
def test_lines_that_are_no_record_together_stay_apart(rows: list[bytes], tmp_path: Path) -> None:
    content = b"\n".join([b"x;y;z", *rows, b"9;9;9", b""])
    assert joined(tmp_path, content) == content


def test_a_file_that_is_cut_after_a_line_break_stays_without_its_end(tmp_path: Path) -> None:
    assert joined(tmp_path, b'x;y;z\n1;"a\nb";3') == b'x;y;z\n1;"a b";3'


cells = (st.text("ab1 ;'", max_size=6) | st.text("ab1 \n'", max_size=6)).map(str.strip)
"""A separator beside a line break in one cell can be read in two ways; doubled quotes are above."""


@given(rows=st.lists(st.tuples(cells, cells, cells), max_size=8))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_what_a_program_writes_is_read_back(rows: list[tuple[str, ...]], tmp_path: Path) -> None:
    """Every cell quoted, as spreadsheets write line breaks; a line break is a blank then."""
    rows = [("0", "0", "0"), *rows, ("9", "9", "9")]
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerows([("x", "y", "z"), *rows])
    got = joined(tmp_path, text.getvalue().encode())
    grammar = read_grammar(io.BytesIO(got), "a.csv")
    lines = Lines(io.BytesIO(got), grammar, "a.csv")
    kept = b"".join(iter(lambda: lines.read(1 << 20), b"")).decode()
    found = [tuple(row) for row in csv.reader(io.StringIO(kept), delimiter=";")]
    wanted = [tuple(cell.replace("\n", " ") for cell in row) for row in rows if any(row)]
    assert not lines.malformed
    assert found == [row for row in wanted if any(cell.strip() for cell in row)]

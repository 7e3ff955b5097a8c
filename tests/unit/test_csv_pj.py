"""ANEEL's national CSVs: encodings, decimals, many safras in one file.

Not here: the database, lines and cells by themselves (test_csv_lines.py).
"""

import codecs
import re
import traceback
import zipfile
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from loaders.bdgd import csv_pj
from loaders.bdgd.csv_lines import CUT
from loaders.bdgd.csv_pj import opened
from loaders.bdgd.layers import UCMT
from loaders.errors import InvalidInput
from loaders.safra import Safra

HEADER = "COD_ID_ENCR;DIST;CONJ;LGRD;ENE_01;ENE_02;DATA_BASE;POINT_X;POINT_Y;OBJECTID;NOVA"
LINES = (
    "AA11;401;1;RUA DA CONCEIÇÃO;1,5;2;31DEC2024:00:00:00.0000000;-52,01;-28.07;1;x",
    "BB22;86;2;;115.58;;31DEC2022;;;2;x",
    'CC33;401;1;"RUA ""A""; 2";3;4;31DEC2024;-52;-28;3;x',
    "DD44;401;1;;5;6;31/12/2023;-52;-28;4;x",
)


def write_csv(
    folder: Path, *rows: str, name: str = "ucmt_pj.csv", encoding: str = "latin-1"
) -> Path:
    file = folder / name
    file.write_bytes("\r\n".join([*(rows or (HEADER, *LINES)), ""]).encode(encoding))
    return file


def read(file: Path, *, safra: str | None = None) -> dict[str, pa.Table]:
    """Safra → its rows, ``linha`` among them."""
    batches, rejects = defaultdict(list), Counter()
    with opened(file, safra=Safra.from_key(safra) if safra else None) as source:
        for batch in source.batches(UCMT):
            batches[batch.safra].append(batch.data.append_column("linha", batch.rows))
            rejects[batch.safra] += len(batch.rejects)
        tables = {safra: pa.Table.from_batches(parts) for safra, parts in batches.items()}
        assert source.rows == {(s, "UCMT"): t.num_rows + rejects[s] for s, t in tables.items()}
    return {safra.key: table for safra, table in tables.items()}


def test_one_file_is_split_into_its_safras(tmp_path: Path) -> None:
    read_value = read(write_csv(tmp_path))
    assert {key: t["linha"].to_pylist() for key, t in read_value.items()} == {
        "401-2024": [1, 3],
        "86-2022": [2],
        "401-2023": [4],
    }


def test_comma_and_point_are_decimals_and_blank_is_null(tmp_path: Path) -> None:
    read_value = read(write_csv(tmp_path))
    assert read_value["401-2024"]["ene_01"].to_pylist() == [1.5, 3.0]
    assert read_value["401-2024"]["point_x"].to_pylist() == [-52.01, -52.0]
    assert read_value["86-2022"]["ene_01"].to_pylist() == [115.58]
    assert read_value["86-2022"]["ene_02"].to_pylist() == [None]


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8", "utf-8-sig"])
def test_accents_survive_every_encoding(tmp_path: Path, encoding: str) -> None:
    read_value = read(write_csv(tmp_path, encoding=encoding))["401-2024"]
    assert read_value["lgrd"].to_pylist() == ["RUA DA CONCEIÇÃO", 'RUA "A"; 2']
    assert read_value["cod_id"].to_pylist() == ["AA11", "CC33"]


def test_encoding_is_told_by_the_whole_file_not_by_its_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loaders.bdgd.csv_lines.BLOCK", 400)
    many = [LINES[1]] * 100
    file = write_csv(tmp_path, HEADER, *many, LINES[0])
    assert read(file)["401-2024"]["lgrd"].to_pylist() == ["RUA DA CONCEIÇÃO"]


def test_a_zip_is_streamed_whatever_it_is_called(tmp_path: Path) -> None:
    loose = write_csv(tmp_path)
    with zipfile.ZipFile(tmp_path / "baixado.zip", "w", zipfile.ZIP_DEFLATED) as packet:
        packet.write(loose, "ucmt_pj.csv")
    assert read(tmp_path / "baixado.zip").keys() == read(loose).keys()


def test_a_corrupted_zip_is_refused(tmp_path: Path) -> None:
    packet = tmp_path / "ucmt_pj.zip"
    with zipfile.ZipFile(packet, "w") as opened:
        opened.write(write_csv(tmp_path), "ucmt_pj.csv")
    packet.write_bytes(packet.read_bytes().replace(b"CONCEI", b"CONCEJ"))
    with pytest.raises(InvalidInput, match="CRC"):
        read(packet)


def test_unknown_columns_and_the_legal_persons_limit_are_observed(tmp_path: Path) -> None:
    with opened(write_csv(tmp_path)) as source:
        assert "pessoas jurídicas" in source.remarks["UCMT"][0]
        assert source.remarks["UCMT"][1] == "colunas não carregadas: NOVA"


def test_one_safra_can_be_taken_out_of_the_file(tmp_path: Path) -> None:
    assert read(write_csv(tmp_path), safra="86-2022").keys() == {"86-2022"}
    with pytest.raises(InvalidInput, match="nenhuma linha da safra 86-2021"):
        read(write_csv(tmp_path), safra="86-2021")


def test_without_base_date_the_safra_is_asked_for(tmp_path: Path) -> None:
    file = write_csv(tmp_path, "COD_ID_ENCR;DIST;ENE_01", "A;401;1", "B;86;2")
    with pytest.raises(InvalidInput, match="--safra"):
        read(file)
    assert read(file, safra="401-2024")["401-2024"]["cod_id"].to_pylist() == ["A"]


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([HEADER], "nenhuma linha"),
        (["A;B;C", "1;2;3"], "cabeçalho não tem DIST"),
        ([HEADER, LINES[0].replace(";401;", ";;")], "DIST ou DATA_BASE"),
        ([HEADER, LINES[0].replace("31DEC2024", "ontem")], "DIST ou DATA_BASE"),
        ([HEADER, LINES[0].replace("1,5", "x")], "coluna ENE_01"),
        ([HEADER, LINES[0], "curta;401"], "1 de 2 linhas não têm os campos"),
        ([HEADER.replace("NOVA", "ENE_01"), LINES[0]], "ENE_01 mais de uma vez"),
    ],
)
def test_bad_content_is_refused(tmp_path: Path, rows: list[str], reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        read(write_csv(tmp_path, *rows))


@pytest.mark.parametrize(
    "row",
    [
        "RUA SECRETA;401",
        LINES[0].replace(";401;", ";RUA SECRETA;"),
        LINES[0].replace("31DEC2024", "RUA SECRETA"),
        LINES[0].replace(";401;", ";x;").replace("0000000", "RUA SECRETA"),
        LINES[0].replace("1,5", "RUA SECRETA"),
    ],
)
def test_a_refusal_quotes_no_row(tmp_path: Path, row: str) -> None:
    """Neither in its message nor in what led to it, which a log writes as well."""
    with pytest.raises(InvalidInput) as refusal:
        read(write_csv(tmp_path, HEADER, row))
    assert refusal.value.__cause__ is None
    assert "SECRETA" not in "".join(traceback.format_exception(refusal.value))


@pytest.mark.parametrize(
    ("dist", "data", "said"),
    [
        ("401.5", "31/12/2024", "('401.5', '31/12/2024')"),
        ("401", "31DEZ2024:00:00:00.0000000", "('401', '31DEZ2024')"),
        ("", "2024-13-31", "(vazio, '2024-13-31')"),
        ("Maria", "12345678901", "(outro texto, outro texto)"),
    ],
)
def test_a_refusal_says_what_a_key_cell_holds_if_it_is_a_number_or_a_date(
    tmp_path: Path, dist: str, data: str, said: str
) -> None:
    row = LINES[1].replace(";86;", f";{dist};").replace("31DEC2022", data)
    with pytest.raises(InvalidInput, match=re.escape(said)):
        read(write_csv(tmp_path, HEADER, row))


def table(*cells: str, column: str = "ENE_01", dist: str = "401") -> list[str]:
    """A header and a row for each cell of one column."""
    return [
        f"COD_ID_ENCR;DIST;ENE_01;DATA_BASE;{column if column != 'ENE_01' else 'LGRD'}",
        *(
            f"U{n};{dist};{cell if column == 'ENE_01' else 1};31DEC2024;{cell}"
            for n, cell in enumerate(cells)
        ),
    ]


def written_values(folder: Path, rows: list[str], column: str, **options: str) -> list[object]:
    """One column of a file that has one safra."""
    with opened(write_csv(folder, *rows), **options) as source:  # type: ignore[arg-type]
        return [v for batch in source.batches(UCMT) for v in batch.data.column(column).to_pylist()]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["12.34", "12.345"], [12.34, 12.345]),
        (["0.123", "12.345"], [0.123, 12.345]),
        (["1234", "12.345"], [1234.0, 12.345]),
        (["1234.567", "12.345"], [1234.567, 12.345]),
        (["1.234,56", "12.345", "7"], [1234.56, 12345.0, 7.0]),
        (["1.234.567,8", "0,5"], [1234567.8, 0.5]),
        (["1,234.56", "12,345"], [1234.56, 12345.0]),
        (["1,5", "12,34", "12,345"], [1.5, 12.34, 12.345]),
        (["1,5", "2.5"], [1.5, 2.5]),
        (["1E+05", "1.5e3", "+3"], [1e5, 1500.0, 3.0]),
        (["0", "12", "999", "1000"], [0.0, 12.0, 999.0, 1000.0]),
        (["-", ".", "NULL", "null", "NA", "\\N", " ", "7"], [None] * 7 + [7.0]),
        (["-12.34", " 5 "], [-12.34, 5.0]),
    ],
)
def test_numbers_are_read_as_their_column_writes_them(
    tmp_path: Path, cells: list[str], expected: list[float | None]
) -> None:
    assert written_values(tmp_path, table(*cells), "ene_01") == expected


@pytest.mark.parametrize("column", ["ENE_01", "DEM_03", "DIC_05", "CAR_INST"])
@pytest.mark.parametrize(
    ("cells", "thousands", "expected"),
    [
        (["12.345", "7", "1.234.567"], "ponto", [12345.0, 7.0, 1234567.0]),
        (["12.345", "-1.000"], "ponto", [12345.0, -1000.0]),
        (["12.345", "7,5"], "ponto", [12345.0, 7.5]),
        (["12,345", "7"], "virgula", [12345.0, 7.0]),
    ],
)
def test_what_can_be_thousands_or_decimals_is_refused_until_a_person_says(
    tmp_path: Path, column: str, cells: list[str], thousands: str, expected: list[float]
) -> None:
    rows = table(*cells, column=column)
    with pytest.raises(InvalidInput, match=f"coluna {column}: '12.345'.*--milhar {thousands}"):
        written_values(tmp_path, rows, column.lower())
    assert written_values(tmp_path, rows, column.lower(), thousands=thousands) == expected


def test_a_month_of_one_value_is_read_as_the_other_months_of_its_series(tmp_path: Path) -> None:
    """One value of three decimals is chance beside months of four; two of them are none."""
    columns = "COD_ID_ENCR;DIST;DATA_BASE;DEM_01;DEM_02;ENE_01"
    months = {"one": ("395.957", "395.957"), "two": ("395.957", "12.345")}

    def lines(values: tuple[str, str], sibling: str) -> list[str]:
        rows = [f"A{n};401;31/12/2023;{v};{sibling};9" for n, v in enumerate(values)]
        return [columns, *rows]

    assert written_values(tmp_path, lines(months["one"], "529.2444"), "dem_01") == [395.957] * 2
    for values, sibling in (
        (months["two"], "529.2444"),
        (months["one"], "529"),
        (months["one"], "1.234,5"),
    ):
        with pytest.raises(InvalidInput, match=r"coluna DEM_01: '395\.957'"):
            written_values(tmp_path, lines(values, sibling), "dem_01")


def test_what_a_person_calls_decimals_are_decimals(tmp_path: Path) -> None:
    assert written_values(tmp_path, table("12.345", "7"), "ene_01", thousands="nao") == [
        12.345,
        7.0,
    ]


def test_thousands_are_told_by_the_whole_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one value that settles it may come after many blocks; so may the first dot."""
    monkeypatch.setattr("loaders.bdgd.csv_lines.BLOCK", 200)
    assert written_values(tmp_path, table(*["12.345"] * 60, "1.5"), "ene_01")[:2] == [12.345] * 2
    assert (
        written_values(tmp_path, table(*["12.345"] * 60, "1.234,5"), "ene_01")[:2] == [12345.0] * 2
    )
    with pytest.raises(InvalidInput, match=r"'12\.345'"):
        written_values(tmp_path, table(*["7"] * 60, "12.345"), "ene_01")


def test_contradictory_numbers_are_refused(tmp_path: Path) -> None:
    for one, other in (("1.234,5", "1,234.5"), ("1.234,5", "7.25"), ("1,234.5", "7,25")):
        with pytest.raises(InvalidInput, match=f"ENE_01: '{one}' e '{other}'"):
            written_values(tmp_path, table(one, other), "ene_01")


def test_what_was_looked_for_and_not_found_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="coluna ENE_01: '#N/D' não cabe"):
        written_values(tmp_path, table("1", "#N/D"), "ene_01")


def test_degrees_have_no_thousands(tmp_path: Path) -> None:
    rows = table("-52.012", column="POINT_X")
    assert written_values(tmp_path, rows, "point_x", thousands="ponto") == [-52.012]


@pytest.mark.parametrize("dist", ["401.0", "401,0", " 401 ", "401."])
def test_a_real_that_is_whole_is_an_integer(tmp_path: Path, dist: str) -> None:
    assert written_values(tmp_path, table("1", dist=dist), "dist") == [401]


def test_a_real_that_is_not_whole_is_refused_with_its_column_and_value(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"'401\.5'"):
        written_values(tmp_path, table("1", dist="401.5"), "dist")
    with pytest.raises(InvalidInput, match=r"coluna CONJ: '7\.5' não cabe em integer"):
        written_values(tmp_path, table("7.5", column="CONJ"), "conj")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_every_way_to_end_a_line_and_to_write_a_letter(
    tmp_path: Path, end: str, encoding: str, separator: str
) -> None:
    rows = [row.replace(";", separator) for row in table("“É”", "é –", column="LGRD")]
    file = tmp_path / "ucmt_pj.csv"
    for last in ("", end, end * 3, end + "\x1a"):
        file.write_bytes((end.join(rows) + last).encode(encoding))
        assert read(file)["401-2024"]["lgrd"].to_pylist() == ["“É”", "é –"]


@pytest.mark.parametrize("mark", ["\ufeff", ""])
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_is_told_with_a_mark_and_without(tmp_path: Path, encoding: str, mark: str) -> None:
    rows = table("7", "8")
    file = write_csv(tmp_path, mark + rows[0], *rows[1:], encoding=encoding)
    assert read(file)["401-2024"]["ene_01"].to_pylist() == [7, 8]


def test_one_row_that_is_not_utf8_spoils_no_other(tmp_path: Path) -> None:
    file = write_csv(tmp_path, *table("SÃO", "JOÃO", "x", column="LGRD"), encoding="utf-8")
    file.write_bytes(file.read_bytes().replace("JOÃO".encode(), "JOÃO".encode("latin-1")))
    with opened(file) as source:
        rows_read = [
            v for batch in source.batches(UCMT) for v in batch.data.column("lgrd").to_pylist()
        ]
    assert rows_read == ["SÃO", "JOÃO", "x"]
    assert source.remarks["UCMT"][-1] == (
        "1 linhas do arquivo não eram UTF-8 e foram lidas como cp1252"
    )


def test_a_byte_that_cp1252_lacks_and_a_nul_keep_their_row(tmp_path: Path) -> None:
    file = write_csv(tmp_path, *table("a", "b", column="LGRD"))
    file.write_bytes(file.read_bytes().replace(b";a", b";a\x81\0"))
    assert read(file)["401-2024"]["lgrd"].to_pylist() == ["a\ufffd", "b"]


def test_a_stray_quote_is_text_and_joins_no_lines(tmp_path: Path) -> None:
    cells = ['"A CASA', 'BAR "DO ZE', '"a;""b"', "x", '"']
    rows_read = read(write_csv(tmp_path, *table(*cells, column="LGRD")))["401-2024"]
    assert rows_read["lgrd"].to_pylist() == ['"A CASA', 'BAR "DO ZE', 'a;"b', "x", '"']


def test_a_line_without_the_headers_fields_is_rejected_with_its_reason(tmp_path: Path) -> None:
    rows = table(*map(str, range(20)))
    rows.insert(5, "U;401;1;31DEC2024;RUA;A MAIS")
    rows.insert(9, "U;401;1")
    with opened(write_csv(tmp_path, *rows)) as source:
        batches = list(source.batches(UCMT))
        (total,) = source.rows.values()
    rejects = [r for batch in batches for r in batch.rejects]
    assert [(r.row, r.reason) for r in rejects] == [
        (5, "linha com 6 campos, o cabeçalho tem 5"),
        (9, "linha com 3 campos, o cabeçalho tem 5"),
    ]
    assert rejects[1].record == {"texto": "U;401;1"}
    numbers = [n for batch in batches for n in batch.rows.to_pylist()]
    assert numbers == [n for n in range(1, 23) if n not in (5, 9)]
    assert total == 22


def test_a_file_that_stops_in_a_row_is_refused_and_one_without_last_line_end_is_not(
    tmp_path: Path,
) -> None:
    file = tmp_path / "ucmt_pj.csv"
    text = "\n".join(table(*map(str, range(40))))
    file.write_text(text)
    assert read(file)["401-2024"].num_rows == 40
    with opened(file) as source:
        assert "acaba sem fim de linha" in "".join(source.remarks["UCMT"])
    file.write_text(text + "\n")
    with opened(file) as source:
        assert "sem fim de linha" not in "".join(source.remarks["UCMT"])
    file.write_text(text[: text.rindex(";31DEC")])
    with pytest.raises(InvalidInput, match="última linha para no meio"):
        read(file)


def test_the_header_again_and_blank_lines_are_no_rows(tmp_path: Path) -> None:
    rows = table("1", "2")
    with opened(write_csv(tmp_path, "", *rows, "", rows[0], rows[1], "  ")) as source:
        assert sum(batch.data.num_rows for batch in source.batches(UCMT)) == 3
        assert list(source.rows.values()) == [3]
    assert "o cabeçalho se repete 1 vezes" in " ".join(source.remarks["UCMT"])


def test_separators_too_many_at_the_end_are_a_spreadsheets(tmp_path: Path) -> None:
    rows = table("1", "2")
    assert read(write_csv(tmp_path, rows[0], rows[1] + ";;", rows[2] + "; "))
    assert read(write_csv(tmp_path, rows[0] + ";", rows[1] + ";", rows[2]))["401-2024"].num_rows


def test_names_may_be_quoted_and_spaced(tmp_path: Path) -> None:
    rows = table("1", "2")
    header = ";".join(f'" {name} "' for name in rows[0].split(";"))
    assert read(write_csv(tmp_path, header, *rows[1:]))["401-2024"]["ene_01"].to_pylist() == [1, 2]


def rejects(file: Path, *, safra: str | None = None) -> list[tuple[str, int, str]]:
    """Safra, number and reason of each rejected row; the others land, and none is missing."""
    read(file, safra=safra)
    with opened(file, safra=Safra.from_key(safra) if safra else None) as source:
        return [
            (batch.safra.key, r.row, r.reason)
            for batch in source.batches(UCMT)
            for r in batch.rejects
        ]


NO_SAFRA = "; de safra desconhecida, guardada com a maior do arquivo"


def test_a_shapeless_row_of_who_knows_which_safra_stays_with_the_largest(tmp_path: Path) -> None:
    rows = [*table(*map(str, range(20))), "U;86;1;31DEC2024;x", "U;86;1;31DEC2023;x"]
    reason = "linha com 2 campos, o cabeçalho tem 5"
    assert rejects(write_csv(tmp_path, *rows, "U;401")) == [("401-2024", 23, reason)]
    assert rejects(write_csv(tmp_path, *rows, "U;86")) == [("401-2024", 23, reason + NO_SAFRA)]


@pytest.mark.parametrize(
    ("dist", "data", "reason"),
    [
        ("", "31DEC2024", "DIST em branco" + NO_SAFRA),
        (" ", "31DEC2024", "DIST em branco" + NO_SAFRA),
        ("4O1", "31DEC2024", "DIST ilegível" + NO_SAFRA),
        ("86", "", "DATA_BASE em branco"),
        ("86", "31/02/2024", "DATA_BASE ilegível"),
        ("0", "31DEC2024", "DIST 0 não é um código de distribuidora" + NO_SAFRA),
        ("86", "31DEC1924", "data-base 31/12/1924 fora do intervalo possível"),
    ],
)
def test_a_row_of_no_safra_is_rejected_and_the_others_land(
    tmp_path: Path, dist: str, data: str, reason: str
) -> None:
    rows = [*table(*map(str, range(20))), "V;86;1;31DEC2024;x"]
    rows.insert(3, f"U;{dist};7;{data};RUA")
    file = write_csv(tmp_path, *rows)
    owner = "401-2024" if reason.endswith(NO_SAFRA) else "86-2024"
    assert rejects(file) == [(owner, 3, reason)]
    assert read(file)["401-2024"]["linha"].to_pylist() == [1, 2, *range(4, 22)]
    with opened(file) as source:
        (rejected,) = [r for batch in source.batches(UCMT) for r in batch.rejects]
    assert rejected.record == {
        "cod_id": "U", "dist": dist, "ene_01": "7", "lgrd": "RUA",
    }  # fmt: skip


def test_a_row_of_no_safra_is_nobodys_where_one_safra_is_asked_for(tmp_path: Path) -> None:
    rows = [*table(*map(str, range(20))), "V;86;1;31DEC2024;x", "V;86;1;;x", "V;;1;31DEC2024;x"]
    file = write_csv(tmp_path, *rows)
    assert rejects(file, safra="401-2024") == [("401-2024", 23, "DIST em branco" + NO_SAFRA)]
    assert [n for _, n, _ in rejects(file, safra="86-2024")] == [22, 23]


def test_many_rows_of_no_safra_refuse_the_file(tmp_path: Path) -> None:
    rows = [*table(*map(str, range(18))), "V;;1;31DEC2024;x", "V; ;1;31DEC2024;x"]
    assert len(rejects(write_csv(tmp_path, *rows))) == 2
    with pytest.raises(InvalidInput, match="3 de 21 linhas com DIST ou DATA_BASE.*em branco"):
        read(write_csv(tmp_path, *rows, "V;;1;31DEC2024;x"))


def test_a_refusal_says_what_most_of_the_lost_rows_lack(tmp_path: Path) -> None:
    rows = [*table(*map(str, range(18))), "V;;1;31DEC2024;x", *["V;86;1;;x"] * 3]
    with pytest.raises(InvalidInput, match=r"4 de 22 .* \('86', vazio\): DATA_BASE em branco"):
        read(write_csv(tmp_path, *rows))


def test_another_header_within_the_file_refuses_it(tmp_path: Path) -> None:
    """Its columns stand elsewhere: the rows below it would land in the wrong ones."""
    rows = table(*map(str, range(40)))
    other = rows[0].replace("DIST;ENE_01", "ENE_01;DIST").lower()
    with pytest.raises(InvalidInput, match="outro cabeçalho, de outras colunas"):
        read(write_csv(tmp_path, *rows, other, "U;1;401;31DEC2024;x"))


@pytest.mark.parametrize("separator", [";", "\t", "|", ",", ":"])
@pytest.mark.parametrize(
    "shape", ["sep={}", '"sep={}"', "SEP={}", "\ufeffsep={}{}{}{}{}", "\nsep={}\n"]
)
def test_excels_line_that_says_the_separator_is_no_header(
    tmp_path: Path, separator: str, shape: str
) -> None:
    rows = [
        shape.format(*[separator] * 5),
        *(x.replace(";", separator) for x in table("7", "8")),
    ]
    file = write_csv(tmp_path, *rows, *rows, encoding="utf-8")
    assert read(file)["401-2024"]["ene_01"].to_pylist() == [7, 8, 7, 8]
    with opened(file) as source:
        list(source.batches(UCMT))
        notes = source.remarks["UCMT"]
    assert f"a linha sep={separator} do Excel diz o separador, não é linha" in notes
    assert "o cabeçalho se repete 1 vezes no arquivo e foi passado por alto" in notes


def test_a_separator_said_and_not_used_is_not_believed(tmp_path: Path) -> None:
    assert read(write_csv(tmp_path, "sep=,", *table("7", "8")))["401-2024"].num_rows == 2


@pytest.mark.parametrize("changes", [str.lower, str.title, lambda x: f" {x.replace(';', ' ; ')} "])
def test_the_header_again_in_another_case_or_spacing_is_no_row(
    tmp_path: Path, changes: Callable[[str], str]
) -> None:
    rows = table(*"12345")
    with opened(write_csv(tmp_path, *rows, changes(rows[0]), rows[1])) as source:
        assert sum(batch.data.num_rows for batch in source.batches(UCMT)) == 6
        assert list(source.rows.values()) == [6]
    assert "o cabeçalho se repete 1 vezes" in " ".join(source.remarks["UCMT"])


@pytest.mark.parametrize("first", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("block", [7, 60, 2**20])
def test_line_ends_may_differ_within_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: str, block: int
) -> None:
    monkeypatch.setattr("loaders.bdgd.csv_lines.BLOCK", block)
    rows = table(*map(str, range(30)))
    ends = [first, *["\n", "\r\n", "\r", "\r", "\r\r\n"] * 6]
    file = tmp_path / "ucmt_pj.csv"
    file.write_bytes("".join(map("".join, zip(rows, ends, strict=True))).encode())
    read_value = read(file)["401-2024"]
    assert read_value["ene_01"].to_pylist() == list(range(30))
    assert read_value["linha"].to_pylist() == list(range(1, 31))


def test_a_cr_within_a_cell_ends_no_line(tmp_path: Path) -> None:
    rows_read = read(write_csv(tmp_path, *table("RUA A\rCASA 2", "x", column="LGRD")))["401-2024"]
    assert rows_read["lgrd"].to_pylist() == ["RUA A CASA 2", "x"]


def unended(folder: Path, *cells: str, column: str = "POINT_X") -> Path:
    """A file of 30 rows and those of the cells, the last one without line end."""
    filled_ones = [f"-52.{n:06d}" for n in range(100_001, 100_031)] if column == "POINT_X" else []
    file = folder / "ucmt_pj.csv"
    file.write_text("\n".join(table(*filled_ones, *cells, column=column)))
    return file


@pytest.mark.parametrize("last", ["-52.10003", "-52.1", "-52.", "-52", "-5", "-", ""])
def test_a_last_value_cut_short_rejects_its_row(tmp_path: Path, last: str) -> None:
    file = unended(tmp_path, last)
    (rejected,) = rejects(file)
    assert rejected == ("401-2024", 31, CUT)
    assert read(file)["401-2024"]["linha"].to_pylist() == list(range(1, 31))
    with opened(file) as source:
        assert "mais curto que todos os outros da coluna POINT_X" in "".join(source.remarks["UCMT"])


@pytest.mark.parametrize(
    ("cells", "column"),
    [
        (["-52.100031"], "POINT_X"),  # whole
        (["-52.10", "-52.1000"], "POINT_X"),  # another has fewer decimals
        (["-52.10", "-52.10"], "POINT_X"),
        (["", ""], "POINT_X"),  # blanks are usual in it
        (["RUA A"] * 25 + ["RUA BB"] + ["RUA"], "LGRD"),  # texts of mixed lengths
        (["1.23"] * 19 + ["1.2"], "DEM_01"),  # too few to say
    ],
)
def test_a_last_row_without_line_end_is_kept_where_nothing_says_that_it_is_cut(
    tmp_path: Path, cells: list[str], column: str
) -> None:
    file = unended(tmp_path, *cells, column=column)
    assert rejects(file) == []
    with opened(file) as source:
        assert "se veio cortado, o último valor da última linha" in "".join(source.remarks["UCMT"])


def test_a_last_value_cut_short_is_told_across_blocks_and_not_of_a_file_that_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loaders.bdgd.csv_lines.BLOCK", 90)
    file = unended(tmp_path, "-52.1")
    assert len(rejects(file)) == 1
    for end in ("\n", "\r\n", "\r", "\n\x1a"):
        whole = unended(tmp_path, "-52.1").read_bytes()
        file.write_bytes(whole + end.encode())
        assert rejects(file) == []


def test_a_file_that_only_has_a_bom_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "ucmt_pj.csv"
    file.write_bytes(codecs.BOM_UTF8)
    with pytest.raises(InvalidInput):
        read(file)


@pytest.mark.parametrize("before", ["4100.5", "4100"])
def test_thousands_are_told_safra_by_safra(tmp_path: Path, before: str) -> None:
    """Files put together: one year's ``12.345`` is not read by another year's decimals."""
    header = "COD_ID_ENCR;DIST;ENE_01;ENE_02;DATA_BASE"
    old_ones = [f"V{n};401;{before};{n}.25;31DEC2023" for n in range(9)]
    new_ones = [f"N{n};401;12.{n}45;0;31DEC2024" for n in range(9)]
    file = write_csv(tmp_path, header, *old_ones, *new_ones)
    with pytest.raises(InvalidInput, match="na safra 401-2024, '12.045' e '12.145' podem"):
        read(file)
    assert read(file, safra="401-2023")["401-2023"].num_rows == 9
    file = write_csv(tmp_path, header, *old_ones, *new_ones, "D;401;7.5;0;31DEC2024")
    assert read(file)["401-2024"]["ene_01"][0].as_py() == 12.045


def test_a_spreadsheets_rows_of_separators_alone_are_blank(tmp_path: Path) -> None:
    rows = table("1", "2")
    only_separators = ";" * rows[0].count(";")
    with opened(
        write_csv(tmp_path, *rows, only_separators, only_separators + ";", ";; ")
    ) as source:
        assert sum(batch.data.num_rows for batch in source.batches(UCMT)) == 2
        assert list(source.rows.values()) == [2]
    assert not any("cabeçalho" in note for note in source.remarks["UCMT"])


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("CSV parse error: Row #3: Expected 2 columns, got 3: 1;MARIA;2", "Row #3"),
        ("CSV parse error: Expected 2 columns, got 3: 1;MARIA;2", "Expected 2 columns, got 3"),
        ("straddling object straddles two block boundaries", "estrutura"),
    ],
)
def test_what_arrow_says_is_quoted_without_the_row(said: str, reason: str) -> None:
    assert csv_pj._without_values(pa.ArrowInvalid(said)) == reason

"""A CSV of outcomes as teams write it: what is read, what is refused and how that is said.

Not here: the database (integration/test_learning.py).
"""

from datetime import date
from pathlib import Path

import pytest

from loaders.errors import InvalidInput
from loaders.outcomes import table

TODAY = date(2026, 11, 29)
HEADER = "distribuidora;cod_id;cnpj;oferta;resultado;data\n"


def written(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "resultados.csv"
    path.write_bytes(text.encode(encoding))
    return path


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(InvalidInput) as error:
        table.read(written(folder, text), TODAY)
    return str(error.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("separator", ";,\t")
def test_a_file_of_excel_is_read_whatever_its_encoding_and_separator(
    tmp_path: Path, encoding: str, separator: str
) -> None:
    text = HEADER + "401;açu-1;;Backup;GANHO;03/02/2025\n\n401;;11.222.333/0001-81;gtd;perdido;"
    text += "2025-12-31\r\n"
    found = table.read(written(tmp_path, text.replace(";", separator), encoding), TODAY)
    assert found == [
        table.Outcome(2, 401, "açu-1", None, "backup", "ganho", date(2025, 2, 3)),
        table.Outcome(4, 401, None, "11222333000181", "gtd", "perdido", date(2025, 12, 31)),
    ]


def test_the_columns_stand_in_any_order_and_one_of_the_keys_may_lack(tmp_path: Path) -> None:
    text = "data;oferta;resultado;cod_id;distribuidora\n03/02/2025;backup;ganho;x;401\n"
    assert table.read(written(tmp_path, text), TODAY)[0].cod_id == "x"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("MUX;x;;backup;ganho;03/02/2025", "linha 2, distribuidora"),
        ("401;;;backup;ganho;03/02/2025", "linha 2, cod_id e cnpj"),
        ("401;x;;bakup;ganho;03/02/2025", "linha 2, oferta"),
        ("401;x;;backup;sim;03/02/2025", "linha 2, resultado"),
        ("401;x;;backup;ganho;31/02/2025", "linha 2, data"),
        ("401;x;;backup;ganho;30/11/2026", "linha 2, data: entre"),
        ("401;x;;backup;ganho", "linha 2, 5 campos, o cabeçalho tem 6"),
        ("401;;11.222.333/0001-82;backup;ganho;03/02/2025", "linha 2, cnpj: os dígitos"),
        (
            "401;x;;backup;ganho;03/02/2025\n401;x;;backup;perdido;03/02/2025",
            "linha 3, resultado: perdido, e na linha 2 ganho",
        ),
        ("", "não há nenhuma linha"),
    ],
)
def test_a_wrong_row_is_refused_by_line_and_column(tmp_path: Path, row: str, said: str) -> None:
    assert said in refusal(tmp_path, HEADER + row + "\n")


def test_a_persons_cpf_is_refused_and_not_repeated(tmp_path: Path) -> None:
    said = refusal(tmp_path, HEADER + "401;;123.456.789-09;backup;ganho;03/02/2025\n")
    assert "linha 2, cnpj" in said and "123" not in said.replace("resultados.csv", "")


def test_a_cnpj_of_letters_is_one() -> None:
    assert table.as_cnpj("12.ABC.345/01DE-35") == "12ABC34501DE35"


def test_of_many_wrong_rows_the_first_are_said_and_the_rest_counted(tmp_path: Path) -> None:
    said = refusal(tmp_path, HEADER + "401;x;;nada;ganho;03/02/2025\n" * 12)
    assert said.count("linha ") == table.SHOWN and "e mais 7" in said


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("distribuidora;cod_id;oferta;data", "falta resultado"),
        ("distribuidora;oferta;resultado;data", "falta cod_id ou cnpj"),
        ("distribuidora;cod_id;oferta;resultado;data;valor", "sobra valor"),
        ("distribuidora;cod_id;oferta;resultado;data;data", "repete data"),
    ],
)
def test_a_wrong_header_says_what_it_should_be(tmp_path: Path, header: str, said: str) -> None:
    text = refusal(tmp_path, header + "\n")
    assert said in text and ";".join(table.COLUMNS) in text

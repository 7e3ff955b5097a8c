"""The contract of predictions that come from R: what is read, what is refused, how."""

from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from loaders.errors import InvalidInput
from loaders.exchange.contract import COLUMNS, read

GOOD = {
    "contrato": "1",
    "distribuidora_id": "401",
    "nivel": "segmento",
    "serie_id": "industrial",
    "competencia": "2025-01-01",
    "modelo": "arima",
    "media": "1234,5",
    "inferior": "1000",
    "superior": "1500,25",
    "treinado_ate": "2024-12",
}


def written(folder: Path, *rows: dict[str, str], separator: str = ";", bom: str = "") -> Path:
    file = folder / "p.csv"
    lines = [separator.join(rows[0]), *(separator.join(row.values()) for row in rows)]
    file.write_text(bom + "\n".join(lines) + "\n", encoding="utf-8")
    return file


def test_the_two_spellings_of_r_and_parquet_say_the_same(tmp_path: Path) -> None:
    """write.csv2 with a comma, write.csv with a point, arrow with types."""
    pointed = {k: v.replace(",", ".") for k, v in GOOD.items()}
    one = read(written(tmp_path, GOOD, bom="\ufeff"))
    assert one == read(written(tmp_path, pointed, separator=","))
    assert (one[0].media, one[0].superior) == (1234.5, 1500.25)
    assert (one[0].competencia, one[0].treinado_ate) == (date(2025, 1, 1), date(2024, 12, 1))
    typed = {"contrato": 1.0, "distribuidora_id": 401, "media": 1234.5, "inferior": 1000.0}
    typed |= {"superior": 1500.25, "competencia": date(2025, 1, 1)}
    file = tmp_path / "p.parquet"
    pq.write_table(pa.table({k: [typed.get(k, v)] for k, v in GOOD.items()}), file)
    assert read(file) == one


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"contrato": "2"}, "linha 2: contrato 2: este armazém só conhece o 1"),
        ({"nivel": "bairro"}, "nivel 'bairro': é um de distribuidora"),
        ({"serie_id": " "}, "serie_id em branco"),
        ({"serie_id": "NA"}, "serie_id em branco"),
        ({"competencia": "2025-13"}, "competencia '2025-13' não é um mês"),
        ({"competencia": "01/2025"}, "não é um mês: AAAA-MM"),
        ({"competencia": "2025-01-15"}, "não é um mês"),
        ({"competencia": "2024-12"}, "o mês previsto é depois do último visto"),
        ({"competencia": "2030-01"}, "até 60 meses"),
        ({"media": "1.234,5"}, "media '1.234,5' não é número"),
        ({"media": "Inf"}, "media 'Inf' não é número"),
        ({"media": ""}, "media em branco"),
        ({"inferior": "-1"}, "inferior -1 abaixo de zero"),
        ({"superior": "1200"}, "fora de ordem: inferior 1000, media 1234.5, superior 1200"),
        ({"distribuidora_id": "401.5"}, "distribuidora_id 401.5 não é inteiro"),
    ],
)
def test_a_row_outside_the_contract_refuses_the_file_and_says_where(
    tmp_path: Path, change: dict[str, str], said: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        read(written(tmp_path, GOOD | change))
    assert said in str(refused.value)
    assert "nada mudou" in str(refused.value)


def test_a_month_twice_is_refused_and_many_lines_are_told_as_one(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="linha 3, 4, 5 e mais 1: repete outra"):
        read(written(tmp_path, *[GOOD] * 5))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "faltam as colunas: contrato"),
        (";".join(COLUMNS[:-1]), "faltam as colunas: treinado_ate"),
        (";".join(("", *COLUMNS)), "não são do contrato: sem nome"),
        (";".join((*COLUMNS, "media")), "repetidas: media"),
        (";".join(COLUMNS), "nenhuma previsão"),
        (";".join(COLUMNS) + "\n1;401;seg", "a linha 2 tem 3 campos e o cabeçalho 10"),
        ("<html><body>", "faltam as colunas"),
        (";".join(COLUMNS) + "\n" + "x" * 140_000, "na linha 2 não se lê como CSV"),
        ("PAR1 e mais nada", "não se lê como Parquet"),
    ],
    ids=["empty", "lacking", "nameless", "twice", "no_row", "cut", "html", "endless", "parquet"],
)
def test_what_is_no_such_file_is_refused(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "p.csv"
    file.write_text(text)
    with pytest.raises(InvalidInput) as refused:
        read(file)
    assert said in str(refused.value)


def test_latin_1_is_refused_with_the_remedy(tmp_path: Path) -> None:
    file = tmp_path / "p.csv"
    file.write_bytes(";".join(COLUMNS).encode() + "\nsérie".encode("latin-1"))
    with pytest.raises(InvalidInput, match="não é UTF-8.*fileEncoding"):
        read(file)

"""Columns of any BDGD model find their raw column and type. Not here: reading files."""

from datetime import date

import pyarrow as pa
import pytest

from loaders.bdgd.columns import (
    convert,
    match_columns,
    rejection_reasons,
    rows_of_another_distribuidora,
)
from loaders.bdgd.layers import PONNOT, UCBT, UCMT
from loaders.bdgd.number_text import sayable
from loaders.errors import InvalidInput


def convert_ucbt(**columns: pa.Array) -> pa.RecordBatch:
    return convert(pa.RecordBatch.from_pydict(columns), match_columns(UCBT, list(columns)))


def test_m10_names_become_v11_names() -> None:
    found = match_columns(UCBT, ["CEG", "UNI_TR_D", "UNI_TR_S", "DIC"])
    assert found.sources == {
        "ceg_gd": "CEG",
        "uni_tr_mt": "UNI_TR_D",
        "uni_tr_at": "UNI_TR_S",
        "dic": "DIC",
    }
    assert "dic_01" in found.absent


def test_unknown_columns_are_reported_and_bookkeeping_is_not() -> None:
    found = match_columns(UCMT, ["cod_id", "NOVIDADE", "OBJECTID", "Shape_Length"])
    assert found.unknown == ("NOVIDADE",)


def test_the_new_name_wins_when_a_file_has_both() -> None:
    for names in (["CEG", "CEG_GD"], ["CEG_GD", "CEG"]):
        found = match_columns(UCBT, names)
        assert found.sources == {"ceg_gd": "CEG_GD"}
        assert found.unknown == ("CEG",)


def test_order_of_the_source_does_not_matter() -> None:
    assert list(match_columns(UCBT, ["ENE_01", "DIST", "COD_ID"]).sources) == [
        "cod_id",
        "dist",
        "ene_01",
    ]


def test_numbers_as_text_keep_their_value() -> None:
    batch = convert_ucbt(ENE_01=pa.array(["1.5", "2,25", " ", None]), CONJ=pa.array(["7"] * 4))
    assert batch.column("ene_01").to_pylist() == [1.5, 2.25, None, None]
    assert batch.column("conj").to_pylist() == [7] * 4


def test_codes_as_integers_and_dates_become_text() -> None:
    batch = convert_ucbt(MUN=pa.array([4309803]), DAT_CON=pa.array([date(2020, 12, 31)]))
    assert batch.column("mun").to_pylist() == ["4309803"]
    assert batch.column("dat_con").to_pylist() == ["31/12/2020"]


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("ENE_01", pa.array(["12 mil"])),
        ("COD_ID", pa.array([1.5])),
        ("CONJ", pa.array([1.5])),
        ("CONJ", pa.array(["99999999999"])),
        ("ENE_02", pa.array([b"x"])),
    ],
)
def test_a_value_that_does_not_fit_is_refused_by_layer_and_column(
    column: str, values: pa.Array
) -> None:
    with pytest.raises(InvalidInput, match=f"camada UCBT, coluna {column}"):
        convert_ucbt(**{column: values})


def test_a_refusal_says_two_values_of_a_numeric_column_and_no_text() -> None:
    with pytest.raises(InvalidInput) as refusal:
        convert_ucbt(ENE_01=pa.array(["1", "RUA SECRETA", "1.2.3", "4"]))
    assert str(refusal.value) == (
        "camada UCBT, coluna ENE_01: um texto e '1.2.3' não cabe em double precision"
        " (milhares e decimais misturados na coluna); corrija a coluna no arquivo de origem"
    )
    with pytest.raises(InvalidInput, match=r"'1\.5' e '2\.5' não cabe em integer"):
        convert_ucbt(CONJ=pa.array([1.0, 1.5, 2.5, 3.5]))
    with pytest.raises(InvalidInput, match="coluna trocada") as refusal:
        convert_ucbt(ENE_01=pa.array(["123.456.789-09"]))
    assert "123" not in str(refusal.value)


def test_a_whole_real_is_an_integer_and_a_code() -> None:
    batch = convert_ucbt(
        DIST=pa.array([61111.0]), CONJ=pa.array(["7.0"]), MUN=pa.array([4309803.0])
    )
    assert batch.to_pydict() == {"dist": [61111], "conj": [7], "mun": ["4309803"]}
    batch = convert_ucbt(MUN=pa.array(["4309803.0", "x.0"]), CNAE=pa.array(["1113-5/02", None]))
    assert batch.to_pydict() == {"mun": ["4309803", "x.0"], "cnae": ["1113-5/02", None]}


def test_blank_keys_and_points_nowhere_are_rejected() -> None:
    uc = pa.RecordBatch.from_pydict({"cod_id": pa.array(["A", " ", None])})
    assert rejection_reasons(uc, UCBT)["cod_id em branco"].to_pylist() == [False, True, True]
    point = pa.RecordBatch.from_pydict({"cod_id": ["A", "B"], "point_x": pa.array([-51.0, None])})
    assert rejection_reasons(point, PONNOT)["ponto sem geometria"].to_pylist() == [False, True]


def test_without_a_cod_id_column_no_row_is_rejected() -> None:
    assert rejection_reasons(pa.RecordBatch.from_pydict({"dist": [401]}), UCBT) == {}


def test_rows_of_another_distributor_are_counted_and_blank_dist_is_not() -> None:
    batch = pa.RecordBatch.from_pydict({"dist": pa.array([401, 402, None], pa.int32())})
    assert rows_of_another_distribuidora(batch, 401) == 1


def test_months_that_a_source_lacks_are_told() -> None:
    months = [f"ENE_{m:02d}" for m in range(1, 13)]
    assert match_columns(UCBT, [*months, "DIC"]).months_missing == []
    assert "colunas ENE_05:" in "".join(
        match_columns(UCBT, [*months[:4], *months[5:]]).months_missing
    )
    assert "ENE_03 a ENE_12 (10):" in "".join(match_columns(UCBT, months[:2]).months_missing)
    assert len(match_columns(UCBT, ["DIC_01"]).months_missing) == 2


def test_a_missing_whole_number_among_reals_is_blank() -> None:
    batch = convert_ucbt(
        CONJ=pa.array([7.0, float("nan"), None]), MUN=pa.array([4309803.0, float("nan"), None])
    )
    assert batch.column("conj").to_pylist() == [7, None, None]
    assert batch.column("mun").to_pylist() == ["4309803", None, None]


def test_what_is_said_of_a_value_is_no_persons_number() -> None:
    assert sayable("1234567890") == "'1234567890'"
    assert sayable("12345678901") == "um texto"
    assert sayable(" ") == "vazio"

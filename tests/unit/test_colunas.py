"""Columns of any BDGD model find their raw column and type. Not here: reading files."""

from datetime import date

import pyarrow as pa
import pytest

from loaders.camadas import PONNOT, UCBT, UCMT
from loaders.colunas import casar, converter, linhas_de_outra_distribuidora, motivos_de_rejeicao
from loaders.erros import EntradaInvalida
from loaders.number_text import sayable


def converter_ucbt(**colunas: pa.Array) -> pa.RecordBatch:
    return converter(pa.RecordBatch.from_pydict(colunas), casar(UCBT, list(colunas)))


def test_m10_names_become_v11_names() -> None:
    achada = casar(UCBT, ["CEG", "UNI_TR_D", "UNI_TR_S", "DIC"])
    assert achada.fontes == {
        "ceg_gd": "CEG",
        "uni_tr_mt": "UNI_TR_D",
        "uni_tr_at": "UNI_TR_S",
        "dic": "DIC",
    }
    assert "dic_01" in achada.ausentes


def test_unknown_columns_are_reported_and_bookkeeping_is_not() -> None:
    achada = casar(UCMT, ["cod_id", "NOVIDADE", "OBJECTID", "Shape_Length"])
    assert achada.desconhecidas == ("NOVIDADE",)


def test_the_new_name_wins_when_a_file_has_both() -> None:
    for nomes in (["CEG", "CEG_GD"], ["CEG_GD", "CEG"]):
        achada = casar(UCBT, nomes)
        assert achada.fontes == {"ceg_gd": "CEG_GD"}
        assert achada.desconhecidas == ("CEG",)


def test_order_of_the_source_does_not_matter() -> None:
    assert list(casar(UCBT, ["ENE_01", "DIST", "COD_ID"]).fontes) == ["cod_id", "dist", "ene_01"]


def test_numbers_as_text_keep_their_value() -> None:
    lote = converter_ucbt(ENE_01=pa.array(["1.5", "2,25", " ", None]), CONJ=pa.array(["7"] * 4))
    assert lote.column("ene_01").to_pylist() == [1.5, 2.25, None, None]
    assert lote.column("conj").to_pylist() == [7] * 4


def test_codes_as_integers_and_dates_become_text() -> None:
    lote = converter_ucbt(MUN=pa.array([4309803]), DAT_CON=pa.array([date(2020, 12, 31)]))
    assert lote.column("mun").to_pylist() == ["4309803"]
    assert lote.column("dat_con").to_pylist() == ["31/12/2020"]


@pytest.mark.parametrize(
    ("coluna", "valores"),
    [
        ("ENE_01", pa.array(["12 mil"])),
        ("COD_ID", pa.array([1.5])),
        ("CONJ", pa.array([1.5])),
        ("CONJ", pa.array(["99999999999"])),
        ("ENE_02", pa.array([b"x"])),
    ],
)
def test_a_value_that_does_not_fit_is_refused_by_layer_and_column(
    coluna: str, valores: pa.Array
) -> None:
    with pytest.raises(EntradaInvalida, match=f"camada UCBT, coluna {coluna}"):
        converter_ucbt(**{coluna: valores})


def test_a_refusal_says_two_values_of_a_numeric_column_and_no_text() -> None:
    with pytest.raises(EntradaInvalida) as recusa:
        converter_ucbt(ENE_01=pa.array(["1", "RUA SECRETA", "1.2.3", "4"]))
    assert str(recusa.value) == (
        "camada UCBT, coluna ENE_01: um texto e '1.2.3' não cabe em double precision"
        " (milhares e decimais misturados na coluna); corrija a coluna no arquivo de origem"
    )
    with pytest.raises(EntradaInvalida, match=r"'1\.5' e '2\.5' não cabe em integer"):
        converter_ucbt(CONJ=pa.array([1.0, 1.5, 2.5, 3.5]))
    with pytest.raises(EntradaInvalida, match="coluna trocada") as recusa:
        converter_ucbt(ENE_01=pa.array(["123.456.789-09"]))
    assert "123" not in str(recusa.value)


def test_a_whole_real_is_an_integer_and_a_code() -> None:
    lote = converter_ucbt(
        DIST=pa.array([61111.0]), CONJ=pa.array(["7.0"]), MUN=pa.array([4309803.0])
    )
    assert lote.to_pydict() == {"dist": [61111], "conj": [7], "mun": ["4309803"]}
    lote = converter_ucbt(MUN=pa.array(["4309803.0", "x.0"]), CNAE=pa.array(["1113-5/02", None]))
    assert lote.to_pydict() == {"mun": ["4309803", "x.0"], "cnae": ["1113-5/02", None]}


def test_blank_keys_and_points_nowhere_are_rejected() -> None:
    uc = pa.RecordBatch.from_pydict({"cod_id": pa.array(["A", " ", None])})
    assert motivos_de_rejeicao(uc, UCBT)["cod_id em branco"].to_pylist() == [False, True, True]
    ponto = pa.RecordBatch.from_pydict({"cod_id": ["A", "B"], "point_x": pa.array([-51.0, None])})
    assert motivos_de_rejeicao(ponto, PONNOT)["ponto sem geometria"].to_pylist() == [False, True]


def test_without_a_cod_id_column_no_row_is_rejected() -> None:
    assert motivos_de_rejeicao(pa.RecordBatch.from_pydict({"dist": [401]}), UCBT) == {}


def test_rows_of_another_distributor_are_counted_and_blank_dist_is_not() -> None:
    lote = pa.RecordBatch.from_pydict({"dist": pa.array([401, 402, None], pa.int32())})
    assert linhas_de_outra_distribuidora(lote, 401) == 1


def test_months_that_a_source_lacks_are_told() -> None:
    months = [f"ENE_{m:02d}" for m in range(1, 13)]
    assert casar(UCBT, [*months, "DIC"]).months_missing == []
    assert "colunas ENE_05:" in "".join(casar(UCBT, [*months[:4], *months[5:]]).months_missing)
    assert "ENE_03 a ENE_12 (10):" in "".join(casar(UCBT, months[:2]).months_missing)
    assert len(casar(UCBT, ["DIC_01"]).months_missing) == 2


def test_a_missing_whole_number_among_reals_is_blank() -> None:
    lote = converter_ucbt(
        CONJ=pa.array([7.0, float("nan"), None]), MUN=pa.array([4309803.0, float("nan"), None])
    )
    assert lote.column("conj").to_pylist() == [7, None, None]
    assert lote.column("mun").to_pylist() == ["4309803", None, None]


def test_what_is_said_of_a_value_is_no_persons_number() -> None:
    assert sayable("1234567890") == "'1234567890'"
    assert sayable("12345678901") == "um texto"
    assert sayable(" ") == "vazio"

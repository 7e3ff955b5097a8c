"""The device's shapes and what is read from them. Not here: the database (integration)."""

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loaders import amostra_aicss
from loaders.leitura_aicss import (
    LEITORES,
    MAX_REGISTRO,
    Ilegivel,
    Leitura,
    Origem,
    Registro,
    dispositivo_do_nome,
    formato,
    horario,
    leitura,
    linhas,
)

CHEGADA = datetime(2025, 1, 20, 12, tzinfo=UTC)
ORIGEM = Origem(dispositivo="sala", inicio=None, recebido_em=CHEGADA)
AS_DEZ = datetime(2025, 1, 15, 13, tzinfo=UTC)  # 10:00 in São Paulo


def registros(conteudo: bytes | str) -> list[Registro]:
    """All records of a file, its shape told by its content."""
    arquivo = io.BytesIO(conteudo if isinstance(conteudo, bytes) else conteudo.encode())
    tipo = formato([texto for _, texto in linhas(arquivo)])
    assert tipo is not None
    return list(LEITORES[tipo](linhas(arquivo)))


def lidas(conteudo: bytes | str, origem: Origem = ORIGEM) -> Iterator[Leitura]:
    """The readings of a file in which every record is one."""
    for ordem, registro in enumerate(registros(conteudo)):
        assert registro.valores is not None, registro.motivo
        yield leitura(registro.valores, ordem, origem)


@pytest.mark.parametrize(
    "conteudo",
    [
        '{"luz": 1234, "distancia": 87, "timestamp": "2025-01-15T10:00:00"}',
        '[\n  {\n    "luz": "1234", "distancia": 87.0, "timestamp": 1736946000\n  }\n]',
        "boot\n" + '{"LUZ": 1234, "Distância": 87, "timestamp": "2025-01-15T13:00:00Z"}',
        "timestamp,light_level,distance\n2025-01-15 10:00:00,1234,87",
        "\ufeffdata_hora;luz;distancia\n15/01/2025 10:00:00;1234,0;87",
        "2025-01-15 10:00:00 Luz: 1234 | Distância: 87 cm",
        "[2025-01-15T10:00:00-03:00] Luz: 1234 | Distância: 87 cm\r\n",
        "2025-01-15 10:00:00 -> Luz: 1234 | Distância: 87 cm".encode("latin-1"),
    ],
)
def test_every_shape_says_the_same_reading(conteudo: bytes | str) -> None:
    validos = [r for r in registros(conteudo) if r.valores]
    assert len(validos) == 1
    assert leitura(validos[0].valores or {}, 0, ORIGEM) == Leitura(
        "sala", AS_DEZ, "campo", luz=1234, distancia_cm=87
    )


def test_one_spoiled_line_leaves_its_neighbours_in_utf8() -> None:
    sujo = "{0}\n{0}\n".format("Luz: 1 | Distância: 2 cm").encode() + b"\xff\xfe\x00 lixo\n"
    assert [r.motivo for r in registros(sujo)] == [None, None, "linha ilegível"]
    assert "\x00" not in registros(sujo)[2].texto


def test_a_broken_json_line_costs_only_itself() -> None:
    achados = registros('{"luz": 1}\n{"luz": 2,\n{"luz": 3}\n\n7\n{"luz": 4}\n{"luz": ')
    assert [r.linha for r in achados] == [1, 2, 3, 5, 6, 7]
    assert [r.valores and r.valores["luz"] for r in achados] == [1, None, 3, None, 4, None]


def test_a_broken_object_in_an_array_of_one_line_costs_only_itself() -> None:
    achados = registros('[{"luz": 1}, {"luz": x}, {"luz": 3}]')
    assert [r.valores and r.valores["luz"] for r in achados] == [1, None, 3]


def test_an_array_of_one_line_larger_than_the_buffer_is_read_whole() -> None:
    valores = [{"luz": i % 4096, "local": "ção" * 20} for i in range(20_000)]
    texto = json.dumps(valores, ensure_ascii=False)
    assert len(texto) > 10 * MAX_REGISTRO
    assert [r.valores for r in registros(texto)] == valores


@given(st.lists(st.integers(0, 4095), min_size=1), st.sampled_from(["\n", ",", "\n\n", " "]))
def test_json_objects_survive_any_separator(luzes: list[int], entre: str) -> None:
    texto = entre.join(json.dumps({"luz": x}) for x in luzes)
    assert [r.valores and r.valores["luz"] for r in registros(texto)] == luzes


def test_a_csv_header_that_repeats_is_no_record_and_a_short_row_is_unreadable() -> None:
    achados = registros("luz,distancia\n1,2\nluz,distancia\n3\n")
    assert [(r.linha, r.motivo) for r in achados] == [
        (2, None),
        (4, "esperadas 2 colunas, há 1"),
    ]


def test_what_is_no_reading_at_all_has_no_shape() -> None:
    assert formato(["a,b,c\n", "1,2,3\n"]) is None
    assert formato([]) is None


def test_the_time_is_the_fields_else_derived_else_the_arrival() -> None:
    serial = "Luz: 1 | Distância: 2 cm\nlixo\nLuz: 3 | Distância: 4 cm\n"
    com_inicio = Origem("sala", AS_DEZ, CHEGADA)
    tempos = [
        leitura(r.valores, i, com_inicio) for i, r in enumerate(registros(serial)) if r.valores
    ]
    assert [(x.medido_em, x.origem_horario) for x in tempos] == [
        (AS_DEZ, "derivado"),
        (AS_DEZ + timedelta(seconds=2), "derivado"),
    ]
    chegadas = list(lidas('{"luz": 1}{"luz": 1}'))
    assert {x.origem_horario for x in chegadas} == {"chegada"}
    assert CHEGADA == chegadas[0].medido_em < chegadas[1].medido_em


def test_a_time_of_day_takes_its_date_from_the_beginning() -> None:
    inicio = datetime(2025, 1, 16, 2, 59, 59, 500_000, tzinfo=UTC)  # 23:59:59.5 in São Paulo
    antes, depois = lidas(
        "23:59:59.700 -> Luz: 1 | Distância: 2 cm\n00:00:01 -> Luz: 1 | Distância: 2 cm",
        Origem("sala", inicio, CHEGADA),
    )
    assert depois.medido_em - antes.medido_em == timedelta(seconds=1.3)
    assert antes.origem_horario == "derivado"


@pytest.mark.parametrize(
    ("valores", "motivo"),
    [
        ({"luz": "abc"}, "luz não é número"),
        ({"luz": "nan"}, "luz não é número"),
        ({"luz": 1, "consumo_interno": 2}, "consumo_interno não é ligado/desligado"),
        ({"luz": "", "distancia": None}, "nenhuma medida"),
        ({"luz": 1, "timestamp": "ontem"}, "horário ilegível"),
        ({"luz": 1, "timestamp": "1970-01-01T00:00:05Z"}, "horário implausível"),
        ({"luz": 1, "timestamp": "2030-01-01T00:00:00Z"}, "horário implausível"),
        ({"luz": 1, "timestamp": "10:00:00"}, "horário sem data: informe --inicio"),
        ({"luz": 1, "nota": "\x00"}, "texto com caracteres de controle"),
        ({"luz": 1, "device_id": "a\x00"}, "texto com caracteres de controle"),
    ],
)
def test_what_cannot_be_read_says_why(valores: dict[str, object], motivo: str) -> None:
    with pytest.raises(Ilegivel, match=motivo):
        leitura(valores, 0, ORIGEM)


def test_without_any_device_a_reading_is_refused() -> None:
    with pytest.raises(Ilegivel, match="--dispositivo"):
        leitura({"luz": 1}, 0, Origem(None, None, CHEGADA))


def test_out_of_range_is_kept_and_flagged_and_no_echo_is_in_range() -> None:
    assert leitura({"luz": 4096, "distancia": 1}, 0, ORIGEM).fora_da_faixa == [
        "luz",
        "distancia_cm",
    ]
    assert leitura({"luz": 4095, "distancia": 0}, 0, ORIGEM).fora_da_faixa == []


def test_states_numbers_and_unknown_fields() -> None:
    lida = leitura(
        {"internal_led": "0.0", "consumo_externo": True, "movimento": "não", "rssi": -60}, 0, ORIGEM
    )
    assert (lida.consumo_interno, lida.consumo_externo, lida.movimento) == (False, True, False)
    assert lida.outros == {"rssi": -60}


def test_an_offset_is_kept() -> None:
    assert horario("2025-01-15T10:00:00+01:00").utcoffset() == timedelta(hours=1)


def test_a_file_is_named_after_its_device_and_perhaps_a_day() -> None:
    nomes = ("sala.log", "sala_2025-01-15.csv", "sala-20250115T10.json", "2025-01-15.log")
    achados = [dispositivo_do_nome(Path(n)) for n in nomes]
    assert achados == ["sala", "sala", "sala", "2025-01-15"]


def test_the_committed_sample_is_what_its_function_makes(tmp_path: Path) -> None:
    pasta = Path(amostra_aicss.__file__).parent
    feitos = amostra_aicss.gerar(tmp_path)
    assert [f.read_bytes() for f in feitos] == [(pasta / f.name).read_bytes() for f in feitos]
    assert sum(f.stat().st_size for f in feitos) < 300_000

"""The device's shapes and what is read from them. Not here: the database (integration)."""

import io
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loaders import aicss, amostra_aicss
from loaders.aicss_clock import Ilegivel, Relogio, horario, meia_noite
from loaders.aicss_text import MAX_REGISTRO, NOISE, count_lines, count_objects, encoding, lines
from loaders.erros import EntradaInvalida
from loaders.leitura_aicss import (
    INCOMPLETA,
    JSON_ILEGIVEL,
    LEITORES,
    OUTSIDE,
    Leitura,
    Origem,
    Registro,
    dispositivo_do_nome,
    formato,
    in_a_list,
    leitura,
)

CHEGADA = datetime(2025, 1, 20, 12, tzinfo=UTC)
ORIGEM = Origem(dispositivo="sala", inicio=None, recebido_em=CHEGADA)
AS_DEZ = datetime(2025, 1, 15, 13, tzinfo=UTC)  # 10:00 in São Paulo


def registros(conteudo: bytes | str) -> list[Registro]:
    """All records of a file, its shape told by its content."""
    arquivo = io.BytesIO(conteudo if isinstance(conteudo, bytes) else conteudo.encode())
    tipo = formato([texto for _, texto in lines(arquivo)])
    assert tipo is not None
    return list(LEITORES[tipo](lines(arquivo)))


def lidas(conteudo: bytes | str, origem: Origem = ORIGEM) -> Iterator[Leitura]:
    """The readings of a file in which every record is one."""
    relogio = Relogio()
    for ordem, registro in enumerate(registros(conteudo)):
        assert registro.valores is not None, registro.motivo
        yield leitura(registro, ordem, origem, relogio)


def uma(valores: dict[str, object], origem: Origem = ORIGEM) -> Leitura:
    """The reading of one record."""
    return leitura(Registro(1, "", valores), 0, origem, Relogio())


@pytest.mark.parametrize(
    "conteudo",
    [
        '{"luz": 1234, "distancia": 87, "timestamp": "2025-01-15T10:00:00"}',
        '[\n  {\n    "luz": "1234", "distancia": 87.0, "timestamp": 1736946000\n  }\n]',
        "boot\n" + '{"LUZ": 1234, "Distância": 87, "timestamp": "2025-01-15T13:00:00Z"}',
        "timestamp,light_level,distance\n2025-01-15 10:00:00,1234,87\n",
        "\ufeffdata_hora;luz;distancia\n15/01/2025 10:00:00;1234,0;87\n",
        "2025-01-15 10:00:00 Luz: 1234 | Distância: 87 cm\n",
        "[2025-01-15T10:00:00-03:00] Luz: 1234 | Distância: 87 cm\r\n",
        "2025-01-15 10:00:00 -> Luz: 1234 | Distância: 87 cm\r".encode("latin-1"),
        "2025/01/15, 10:00:00.000 AM > Luz: 1234 | Distancia: 87cm\r\r\n",
        "15-1-2025 10:00 Luz: 1234 | Distância: 87 cm\n",
        '[2025-01-15 10:00:00] {"luz": 1234, "distancia": 87}\n',
        'boot: ok\n2025-01-15 10:00:00.0 -> {"luz": 1234, "distancia": 87}\n',
        'COM3> {"luz": 1234, "distancia": 87, "timestamp": 1736946000}\n',
        '"Data";"Hora";" LUZ ";"Distância (cm)"\n15/01/2025;10:00:00;1234,0;"87,0"\n',
        "1,87\nsep=\t\ntimestamp\tluz\tdistancia\n2025-01-15 10:00:00\t1234\t87\t\n",
        "2025-01-15 10:00:00 Luz: 1234 | Distância: 87 cm\n".encode("utf-16"),
        "2025-01-15 10:00:00 Luz: 1234 | Distância: 87 cm\r\n".encode("utf-16-be"),
        '{"luz": 1234, "distancia": 87, "timestamp": "2025-01-15T10:00:00"}'.encode("utf-16-le"),
        "\x1b[0;32mI (523) main: 2025-01-15 10:00:00 Luz: 12\b\b1234 | Distância: 87 cm\x1b[0m\n",
        "[0;32m[2025-01-15 10:00:00] [I][main.cpp:4] loop(): Luz: 1234 | Distância: 87 cm[0m\n",
        "\x1b]0;COM3\x07\x1b[2K\x1b72025-01-15 10:00:00 Luz: 1234 | Distância: 87 \x00cm\x00\n\x00",
    ],
)
def test_every_shape_says_the_same_reading(conteudo: bytes | str) -> None:
    validos = [r for r in registros(conteudo) if r.valores]
    assert len(validos) == 1
    assert leitura(validos[0], 0, ORIGEM, Relogio()) == Leitura(
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
        leitura(r, i, com_inicio, Relogio()) for i, r in enumerate(registros(serial)) if r.valores
    ]
    assert [(x.medido_em, x.origem_horario) for x in tempos] == [
        (AS_DEZ, "derivado"),
        (AS_DEZ + timedelta(seconds=2), "derivado"),
    ]
    chegadas = list(lidas('{"luz": 1}{"luz": 1}'))
    assert {x.origem_horario for x in chegadas} == {"chegada"}
    assert CHEGADA == chegadas[0].medido_em < chegadas[1].medido_em


SERIAL = "{} Luz: {} | Distância: 87 cm\n"
MEIA_NOITE = Origem("sala", datetime(2025, 3, 1, 3, tzinfo=UTC), CHEGADA + timedelta(days=90))


def instantes(*horas: str, origem: Origem = MEIA_NOITE) -> list[str]:
    """Day, time and remark of a serial log whose lines have these times of day."""
    texto = "".join(SERIAL.format(hora, 400 + i) for i, hora in enumerate(horas))
    return [
        f"{x.medido_em:%d %H:%M:%S} {x.ressalva_horario or ''}".strip()
        for x in lidas(texto, origem)
    ]


@pytest.mark.parametrize(
    ("horas", "esperado"),
    [
        (("8:20:00", "08:20:01", "8:20:02.5 >"), ["01 08:20:00", "01 08:20:01", "01 08:20:02"]),
        (("8:20", "[8:21]", "(8:22) ->"), ["01 08:20:00", "01 08:21:00", "01 08:22:00"]),
        (("11:59:59 AM", "12:00:01 PM"), ["01 11:59:59", "01 12:00:01"]),
        (("11:59:59 p.m.", "12:00:01 a.m."), ["01 23:59:59", "02 00:00:01"]),
        (("9:59:59", "10:00:00"), ["01 09:59:59", "01 10:00:00"]),
        (("23:59:50", "00:00:05", "23:59:58"), ["01 23:59:50", "02 00:00:05", "01 23:59:58 recuo"]),
        (("10:00:00", "09:30:00", "10:00:05"), ["01 10:00:00", "01 09:30:00 recuo", "01 10:00:05"]),
        (("10:00:00", "23:00:01", "10:00:02"), ["01 10:00:00", "01 23:00:01", "01 10:00:02 recuo"]),
        (("08:00:00", "21:00:00", "08:00:00"), ["01 08:00:00", "01 21:00:00", "01 08:00:00 recuo"]),
        (("00:00:00:123", "12:00:00", "23:00:00", "1:00:00"),
         ["01 00:00:00", "01 12:00:00", "01 23:00:00", "02 01:00:00"]),
    ],
)  # fmt: skip
def test_a_time_of_day_is_of_the_day_that_its_fall_says(
    horas: tuple[str, ...], esperado: list[str]
) -> None:
    assert instantes(*horas) == esperado


@given(st.lists(st.integers(1, 12 * 3600 - 1), min_size=1, max_size=60), st.integers(0, 86399))
def test_times_of_day_less_than_half_a_day_apart_never_lose_a_day(
    passos: list[int], primeiro: int
) -> None:
    segundos = [primeiro]
    for passo in passos:
        segundos.append(segundos[-1] + passo)
    dia = datetime(2025, 3, 1)
    texto = "".join(
        SERIAL.format(f"{dia + timedelta(seconds=s):%H:%M:%S}", i) for i, s in enumerate(segundos)
    )
    achados = [x.medido_em.replace(tzinfo=None) for x in lidas(texto, MEIA_NOITE)]
    assert achados == [dia + timedelta(seconds=s) for s in segundos]


def test_each_device_of_a_file_has_a_clock_of_its_own() -> None:
    linhas = ["device_id,hora,luz", "a,23:00:00,1", "b,01:00:00,2", "a,00:10:00,3", "b,01:10:00,4"]
    achados = lidas("\n".join(linhas) + "\n", MEIA_NOITE)
    assert [f"{x.dispositivo_id} {x.medido_em:%d %H}" for x in achados] == [
        "a 01 23", "b 01 01", "a 02 00", "b 01 01"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("primeira", "segunda", "cortada"),
    [
        ("20:00 Luz", "10:20:05 Luz", True),
        ("0:20:00 Luz", "10:20:05 Luz", True),
        ("9:59:59 Luz", "20:00:00 Luz", True),
        ("025-03-01 10:00:00 Luz", "2025-03-01 10:00:01 Luz", True),
        ("Luz", "10:20:05 Luz", True),
        ("5 Luz", "10:20:05 Luz", True),
        (":05.000 Luz", "10:20:05.000 Luz", True),
        ("ESP32: Luz", "10:20:05 Luz", False),
        ("9:59:59 Luz", "10:00:00 Luz", False),
        ("9:00:00 Luz", "15:00:00 Luz", False),
        ("uz", "10:20:05 Luz", None),
    ],
)
def test_a_line_whose_beginning_the_terminal_missed_is_no_reading(
    primeira: str, segunda: str, cortada: bool | None
) -> None:
    resto = ": 400 | Distância: 87 cm\n"
    motivos = [r.motivo for r in registros(primeira + resto + segunda + resto)]
    esperado = {True: "linha cortada no começo", False: None, None: "linha ilegível"}[cortada]
    assert motivos == [esperado, None]


@pytest.mark.parametrize(
    "linha",
    [
        "Luz: 12Luz: 1234 | Distância: 87 cm",
        "10:00:00 Luz: 12 10:00:01 Luz: 1234 | Distância: 87 cm",
        "Luz: 1234 | Distância: 8Luz: 1234 | Distância: 87 cm",
        "Luz: 1234 | Distância: 87 cmLuz: 1234 | Distância: 87 cm",
        "Luz: 1234 Distância: 87 cm",
    ],
)
def test_lines_glued_by_lost_bytes_are_no_reading(linha: str) -> None:
    inteira = "Luz: 1 | Distância: 2 cm"
    achados = registros(f"{inteira}\n{linha}\n{inteira}\n")
    assert [r.motivo for r in achados] == [None, "linha ilegível", None]


@pytest.mark.parametrize(
    ("conteudo", "motivos"),
    [
        ("luz,distancia\n400,187\n400,1", [None, INCOMPLETA]),
        ("Luz: 1 | Distância: 2 cm\nLuz: 1 | Distância: 2 cm", [None, INCOMPLETA]),
        ('{"luz": 1}\n{"luz": 1', [None, INCOMPLETA]),
        ('{"luz": 1}\n{"luz": 1}', [None, None]),
        ('[{"luz": 1},\n{"luz": 1}]', [None, None]),
        ("luz,distancia\n400,187\n", [None]),
        ("Luz: 1 | Distância: 2 cm\r\n\x00\x1a", [None]),
    ],
)
def test_a_last_line_without_its_end_is_incomplete(conteudo: str, motivos: list[str]) -> None:
    """A JSON value says itself where it ends."""
    assert [r.motivo for r in registros(conteudo)] == motivos


FINS = ("\n", "\r", "\r\n", "\r\r\n")


@given(
    st.lists(st.tuples(st.integers(0, 4095), st.sampled_from(FINS)), min_size=1, max_size=30),
    st.sampled_from(["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be"]),
    st.integers(1, 40),
)
def test_no_encoding_and_no_line_end_costs_a_line(
    linhas: list[tuple[int, str]], codificacao: str, pedaco: int
) -> None:
    texto = "".join(f"Luz: {luz} | Distância: 2 cm{fim}" for luz, fim in linhas)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("loaders.aicss_text.CHUNK", pedaco)
        conteudo = texto.encode(codificacao)
        assert [int((r.valores or {})["luz"]) for r in registros(conteudo)] == [
            n for n, _ in linhas
        ]
        assert count_lines(io.BytesIO(conteudo)) == len(linhas)


def test_noise_is_counted_and_stripped() -> None:
    ruido: Counter[str] = Counter()
    achadas = list(lines(io.BytesIO(b"\x1b[1mL\x00uz\x00\n\x00\n\x1b[0m\n"), ruido))
    assert achadas == [(1, "Luz\n"), (2, "\n"), (3, "\n")]
    assert ruido == {NOISE: 3}


def test_an_overlong_line_is_one_record() -> None:
    texto = "Luz: 1 | Distância: 2 cm\n" + "x" * 3 * MAX_REGISTRO + "\nLuz: 1 | Distância: 2 cm\n"
    assert [r.motivo for r in registros(texto)] == [None, "linha longa demais", None]
    assert count_lines(io.BytesIO(texto.encode())) == 3


@given(st.lists(st.text('ab"\\{}[], \n', max_size=9), max_size=20), st.integers(1, 40))
def test_objects_are_counted_by_their_brackets(textos: list[str], pedaco: int) -> None:
    valores = [{"luz": 1, "local": texto, "dentro": {"x": [{}]}} for texto in textos]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("loaders.aicss_text.CHUNK", pedaco)
        for texto in (json.dumps(valores, indent=1), "\n".join(map(json.dumps, valores))):
            assert count_objects(io.BytesIO(texto.encode())) == len(valores)


def test_a_time_of_day_takes_its_date_from_the_beginning() -> None:
    inicio = datetime(2025, 1, 16, 2, 59, 59, 500_000, tzinfo=UTC)  # 23:59:59.5 in São Paulo
    antes, depois = lidas(
        "23:59:59.700 -> Luz: 1 | Distância: 2 cm\n00:00:01 -> Luz: 1 | Distância: 2 cm\n",
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
        ({"luz": 1, "timestamp": "25:00:00"}, "horário ilegível"),
        ({"luz": 1, "timestamp": "15/01/2025 13:00 PM"}, "horário ilegível"),
        ({"luz": 1, "timestamp": "2025-13-01 10:00:00"}, "horário ilegível"),
        ({"luz": 1, "nota": "\x00"}, "texto com caracteres de controle"),
        ({"luz": 1, "device_id": "a\x00"}, "texto com caracteres de controle"),
    ],
)
def test_what_cannot_be_read_says_why(valores: dict[str, object], motivo: str) -> None:
    with pytest.raises(Ilegivel, match=motivo):
        uma(valores)


def test_without_any_device_a_reading_is_refused() -> None:
    with pytest.raises(Ilegivel, match="--dispositivo"):
        uma({"luz": 1}, Origem(None, None, CHEGADA))


def test_out_of_range_is_kept_and_flagged_and_no_echo_is_in_range() -> None:
    assert uma({"luz": 4096, "distancia": 1}).fora_da_faixa == [
        "luz",
        "distancia_cm",
    ]
    assert uma({"luz": 4095, "distancia": 0}).fora_da_faixa == []


def test_states_numbers_and_unknown_fields() -> None:
    lida = uma({"internal_led": "0.0", "consumo_externo": True, "movimento": "não", "rssi": -60})
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


def test_lines_are_counted_to_the_last_without_its_end_but_for_blanks_and_the_header() -> None:
    file = io.BytesIO(b"luz,distancia\n10,20\n\n  \nluz,distancia\n30,40")
    assert count_lines(file, "luz,distancia") == 2
    assert count_lines(io.BytesIO(b"")) == 0


READINGS = [{"luz": n, "distancia": 87} for n in range(4)]


@pytest.mark.parametrize(
    "conteudo",
    [
        json.dumps({"readings": READINGS}),
        json.dumps({"leituras": READINGS}, indent=2) + "\n",
        json.dumps({"data": READINGS, "total": 4, "próxima": None, "ok": True}, indent=1),
        "\n".join(json.dumps({"data": READINGS[i : i + 2]}) for i in (0, 2)),
        "[" + ", ".join(json.dumps({"data": [r]}) for r in READINGS) + "]",
    ],
)
def test_readings_may_stand_in_a_list_with_a_name(conteudo: str) -> None:
    beside = {"total": 4, "próxima": None, "ok": True} if "total" in conteudo else {}
    assert [r.valores for r in registros(conteudo)] == [beside | r for r in READINGS]
    assert in_a_list([conteudo])
    assert count_objects(io.BytesIO(conteudo.encode()), within=1) == 4


def test_what_stands_beside_the_list_is_of_every_reading_and_a_reading_wins() -> None:
    texto = (
        '{"device_id": "d1", "lote": 7, "readings": [{"luz": 1}, {"luz": 2, "device_id": "d2"}]}'
    )
    assert [(x.dispositivo_id, x.luz, x.outros) for x in lidas(texto)] == [
        ("d1", 1, {"lote": 7}),
        ("d2", 2, {"lote": 7}),
    ]


def test_a_list_larger_than_the_buffer_is_read_whole_and_numbered() -> None:
    valores = [{"luz": i % 4096, "local": "ção" * 20} for i in range(5_000)]
    texto = json.dumps({"readings": valores}, ensure_ascii=False, indent=0)
    achados = registros(texto)
    assert [r.valores for r in achados] == valores
    assert texto.splitlines()[achados[-1].linha - 1] == "{"


def test_a_device_said_after_a_long_list_is_refused_and_after_a_short_one_read() -> None:
    longa = [{"luz": i} for i in range(MAX_REGISTRO // 5)]
    with pytest.raises(Ilegivel, match="device está depois da lista"):
        registros(json.dumps({"readings": longa, "device": "d1"}, indent=0))
    assert len(registros(json.dumps({"readings": longa, "total": 3}, indent=0))) == len(longa)
    (curta,) = registros('{"readings": [{"luz": 1}], "device": "d1"}')
    assert curta.valores == {"luz": 1, "device": "d1"}


def test_a_reading_that_holds_a_list_is_a_reading() -> None:
    texto = '{"luz": 1, "eventos": [{"luz": 9}]}\n{"eventos": [{"a": 9}], "luz": 2}\n'
    assert not in_a_list([texto])
    assert [r.valores and r.valores["luz"] for r in registros(texto)] == [1, 2]


def test_a_broken_reading_in_a_named_list_costs_only_itself_and_one_outside_is_told() -> None:
    achados = registros('{"data": [{"luz": 1}, {"luz": x}, {"luz": 3}]}\n{"luz": 4}\n')
    assert [(r.valores and r.valores["luz"], r.motivo) for r in achados] == [
        (1, None),
        (None, JSON_ILEGIVEL),
        (3, None),
        (None, OUTSIDE),
    ]


def test_a_bar_separates_columns_too() -> None:
    assert [x.luz for x in lidas("timestamp|luz|distancia\n2025-01-15 10:00:00|12,5|87\n")] == [
        12.5
    ]


@pytest.mark.parametrize(
    ("texto", "instante"),
    [
        ("2025-03-01", "2025-03-01T00:00:00-03:00"),
        (" 1/3/2025 ", "2025-03-01T00:00:00-03:00"),
        ("2025-03-01Z", "2025-03-01T00:00:00+00:00"),
        ("2025-03-01+02:00", "2025-03-01T00:00:00+02:00"),
        ("2019-01-15", "2019-01-15T00:00:00-02:00"),
    ],
)
def test_a_day_begins_at_midnight(texto: str, instante: str) -> None:
    assert meia_noite(texto) == datetime.fromisoformat(instante)


def test_a_day_that_is_none_and_an_instant_are_no_midnight() -> None:
    assert meia_noite("2025-03-01T10:00") is None
    assert meia_noite("2025-3") is None
    with pytest.raises(Ilegivel, match="não existe"):
        meia_noite("2025-02-30")
    with pytest.raises(Ilegivel):
        horario("2025-03-01")


def test_a_line_end_cut_by_a_chunk_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for size in range(1, 7):
        monkeypatch.setattr("loaders.aicss_text.CHUNK", size)
        achadas = list(lines(io.BytesIO(b"a\r\nb\r\r\nc\rd\r")))
        assert achadas == [(1, "a\n"), (2, "b\n"), (3, "c\n"), (4, "d\n")]


def test_nothing_but_nul_is_not_utf16() -> None:
    assert encoding(io.BytesIO(bytes(50))) == ("utf-8", 0)
    assert encoding(io.BytesIO("luz".encode("utf-16-le"))) == ("utf-16-le", 0)
    assert encoding(io.BytesIO("luz".encode("utf-16-be"))) == ("utf-16-be", 0)


def test_a_time_in_iso_without_separators_is_read() -> None:
    assert horario("20250115T100000-0300") == AS_DEZ
    with pytest.raises(Ilegivel):
        horario("2025-W03-3T10:00:00")


def test_a_clock_that_was_never_set_is_implausible() -> None:
    for texto in ("2009-12-31T23:59:59Z", "2025-01-21T12:00:01Z"):
        with pytest.raises(Ilegivel, match="implausível"):
            uma({"luz": 1, "timestamp": texto})
    for texto in ("2010-01-01T00:00:00Z", "2025-01-21T12:00:00Z"):
        assert uma({"luz": 1, "timestamp": texto}).luz == 1


def test_a_path_is_itself_and_a_folder_the_logs_in_and_below_it(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    logs = [tmp_path / "a" / "b" / "x.JSONL", tmp_path / "a" / "y.log", tmp_path / "z.csv"]
    for file in (*logs, tmp_path / "a" / "foto.png"):
        file.write_bytes(b"x")
    alone = tmp_path / "a" / "foto.png"
    assert list(aicss.arquivos([alone, tmp_path])) == [alone, *logs]
    (tmp_path / "c").mkdir()
    with pytest.raises(EntradaInvalida, match="c: sem arquivos .*csv"):
        list(aicss.arquivos([tmp_path / "c"]))

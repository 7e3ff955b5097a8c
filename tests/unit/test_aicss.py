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

from loaders.aicss import command
from loaders.aicss.clock import Clocks, Unreadable, instant, midnight
from loaders.aicss.reading import Origin, Reading, device_of_name, reading
from loaders.aicss.records import (
    INCOMPLETE,
    OUTSIDE,
    READERS,
    UNREADABLE_JSON,
    Record,
    format_of,
    in_a_list,
)
from loaders.aicss.text import LONGEST_RECORD, NOISE, count_lines, count_objects, encoding, lines
from loaders.errors import InvalidInput
from loaders.synthetic import aicss_sample

ARRIVAL = datetime(2025, 1, 20, 12, tzinfo=UTC)
ORIGIN = Origin(device="sala", start=None, recebido_em=ARRIVAL)
AT_TEN = datetime(2025, 1, 15, 13, tzinfo=UTC)  # 10:00 in São Paulo


def records(content: bytes | str) -> list[Record]:
    """All records of a file, its shape told by its content."""
    file = io.BytesIO(content if isinstance(content, bytes) else content.encode())
    shape = format_of([text for _, text in lines(file)])
    assert shape is not None
    return list(READERS[shape](lines(file)))


def rows_read(content: bytes | str, origin: Origin = ORIGIN) -> Iterator[Reading]:
    """The readings of a file in which every record is one."""
    clocks = Clocks()
    for order, record in enumerate(records(content)):
        assert record.values is not None, record.reason
        yield reading(record, order, origin, clocks)


def one(values: dict[str, object], origin: Origin = ORIGIN) -> Reading:
    """The reading of one record."""
    return reading(Record(1, "", values), 0, origin, Clocks())


@pytest.mark.parametrize(
    "content",
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
def test_every_shape_says_the_same_reading(content: bytes | str) -> None:
    valid = [r for r in records(content) if r.values]
    assert len(valid) == 1
    assert reading(valid[0], 0, ORIGIN, Clocks()) == Reading(
        "sala", AT_TEN, "campo", luz=1234, distancia_cm=87
    )


def test_one_spoiled_line_leaves_its_neighbours_in_utf8() -> None:
    dirty = "{0}\n{0}\n".format("Luz: 1 | Distância: 2 cm").encode() + b"\xff\xfe\x00 lixo\n"
    assert [r.reason for r in records(dirty)] == [None, None, "linha ilegível"]
    assert "\x00" not in records(dirty)[2].text


def test_a_broken_json_line_costs_only_itself() -> None:
    found = records('{"luz": 1}\n{"luz": 2,\n{"luz": 3}\n\n7\n{"luz": 4}\n{"luz": ')
    assert [r.line for r in found] == [1, 2, 3, 5, 6, 7]
    assert [r.values and r.values["luz"] for r in found] == [1, None, 3, None, 4, None]


def test_a_broken_object_in_an_array_of_one_line_costs_only_itself() -> None:
    found = records('[{"luz": 1}, {"luz": x}, {"luz": 3}]')
    assert [r.values and r.values["luz"] for r in found] == [1, None, 3]


def test_an_array_of_one_line_larger_than_the_buffer_is_read_whole() -> None:
    values = [{"luz": i % 4096, "local": "ção" * 20} for i in range(20_000)]
    text = json.dumps(values, ensure_ascii=False)
    assert len(text) > 10 * LONGEST_RECORD
    assert [r.values for r in records(text)] == values


@given(st.lists(st.integers(0, 4095), min_size=1), st.sampled_from(["\n", ",", "\n\n", " "]))
def test_json_objects_survive_any_separator(lights: list[int], between: str) -> None:
    text = between.join(json.dumps({"luz": x}) for x in lights)
    assert [r.values and r.values["luz"] for r in records(text)] == lights


def test_a_csv_header_that_repeats_is_no_record_and_a_short_row_is_unreadable() -> None:
    found = records("luz,distancia\n1,2\nluz,distancia\n3\n")
    assert [(r.line, r.reason) for r in found] == [
        (2, None),
        (4, "esperadas 2 colunas, há 1"),
    ]


def test_what_is_no_reading_at_all_has_no_shape() -> None:
    assert format_of(["a,b,c\n", "1,2,3\n"]) is None
    assert format_of([]) is None


def test_the_time_is_the_fields_else_derived_else_the_arrival() -> None:
    serial = "Luz: 1 | Distância: 2 cm\nlixo\nLuz: 3 | Distância: 4 cm\n"
    with_start = Origin("sala", AT_TEN, ARRIVAL)
    times = [reading(r, i, with_start, Clocks()) for i, r in enumerate(records(serial)) if r.values]
    assert [(x.medido_em, x.origem_horario) for x in times] == [
        (AT_TEN, "derivado"),
        (AT_TEN + timedelta(seconds=2), "derivado"),
    ]
    arrivals = list(rows_read('{"luz": 1}{"luz": 1}'))
    assert {x.origem_horario for x in arrivals} == {"chegada"}
    assert ARRIVAL == arrivals[0].medido_em < arrivals[1].medido_em


SERIAL = "{} Luz: {} | Distância: 87 cm\n"
MIDNIGHT = Origin("sala", datetime(2025, 3, 1, 3, tzinfo=UTC), ARRIVAL + timedelta(days=90))


def instants(*hours: str, origin: Origin = MIDNIGHT) -> list[str]:
    """Day, time and remark of a serial log whose lines have these times of day."""
    text = "".join(SERIAL.format(hour, 400 + i) for i, hour in enumerate(hours))
    return [
        f"{x.medido_em:%d %H:%M:%S} {x.ressalva_horario or ''}".strip()
        for x in rows_read(text, origin)
    ]


@pytest.mark.parametrize(
    ("hours", "expected"),
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
    hours: tuple[str, ...], expected: list[str]
) -> None:
    assert instants(*hours) == expected


@given(st.lists(st.integers(1, 12 * 3600 - 1), min_size=1, max_size=60), st.integers(0, 86399))
def test_times_of_day_less_than_half_a_day_apart_never_lose_a_day(
    steps_for: list[int], first: int
) -> None:
    seconds = [first]
    for step in steps_for:
        seconds.append(seconds[-1] + step)
    day = datetime(2025, 3, 1)
    text = "".join(
        SERIAL.format(f"{day + timedelta(seconds=s):%H:%M:%S}", i) for i, s in enumerate(seconds)
    )
    found = [x.medido_em.replace(tzinfo=None) for x in rows_read(text, MIDNIGHT)]
    assert found == [day + timedelta(seconds=s) for s in seconds]


def test_each_device_of_a_file_has_a_clock_of_its_own() -> None:
    rows = ["device_id,hora,luz", "a,23:00:00,1", "b,01:00:00,2", "a,00:10:00,3", "b,01:10:00,4"]
    found = rows_read("\n".join(rows) + "\n", MIDNIGHT)
    assert [f"{x.dispositivo_id} {x.medido_em:%d %H}" for x in found] == [
        "a 01 23", "b 01 01", "a 02 00", "b 01 01"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("first", "second", "cut"),
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
    first: str, second: str, cut: bool | None
) -> None:
    rest = ": 400 | Distância: 87 cm\n"
    reasons = [r.reason for r in records(first + rest + second + rest)]
    expected = {True: "linha cortada no começo", False: None, None: "linha ilegível"}[cut]
    assert reasons == [expected, None]


@pytest.mark.parametrize(
    "line",
    [
        "Luz: 12Luz: 1234 | Distância: 87 cm",
        "10:00:00 Luz: 12 10:00:01 Luz: 1234 | Distância: 87 cm",
        "Luz: 1234 | Distância: 8Luz: 1234 | Distância: 87 cm",
        "Luz: 1234 | Distância: 87 cmLuz: 1234 | Distância: 87 cm",
        "Luz: 1234 Distância: 87 cm",
    ],
)
def test_lines_glued_by_lost_bytes_are_no_reading(line: str) -> None:
    whole = "Luz: 1 | Distância: 2 cm"
    found = records(f"{whole}\n{line}\n{whole}\n")
    assert [r.reason for r in found] == [None, "linha ilegível", None]


@pytest.mark.parametrize(
    ("content", "reasons"),
    [
        ("luz,distancia\n400,187\n400,1", [None, INCOMPLETE]),
        ("Luz: 1 | Distância: 2 cm\nLuz: 1 | Distância: 2 cm", [None, INCOMPLETE]),
        ('{"luz": 1}\n{"luz": 1', [None, INCOMPLETE]),
        ('{"luz": 1}\n{"luz": 1}', [None, None]),
        ('[{"luz": 1},\n{"luz": 1}]', [None, None]),
        ("luz,distancia\n400,187\n", [None]),
        ("Luz: 1 | Distância: 2 cm\r\n\x00\x1a", [None]),
    ],
)
def test_a_last_line_without_its_end_is_incomplete(content: str, reasons: list[str]) -> None:
    """A JSON value says itself where it ends."""
    assert [r.reason for r in records(content)] == reasons


LINE_ENDS = ("\n", "\r", "\r\n", "\r\r\n")


@given(
    st.lists(st.tuples(st.integers(0, 4095), st.sampled_from(LINE_ENDS)), min_size=1, max_size=30),
    st.sampled_from(["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be"]),
    st.integers(1, 40),
)
def test_no_encoding_and_no_line_end_costs_a_line(
    rows: list[tuple[int, str]], encoding: str, piece: int
) -> None:
    text = "".join(f"Luz: {luz} | Distância: 2 cm{end}" for luz, end in rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("loaders.aicss.text.CHUNK", piece)
        content = text.encode(encoding)
        assert [int((r.values or {})["luz"]) for r in records(content)] == [n for n, _ in rows]
        assert count_lines(io.BytesIO(content)) == len(rows)


def test_noise_is_counted_and_stripped() -> None:
    noise: Counter[str] = Counter()
    found = list(lines(io.BytesIO(b"\x1b[1mL\x00uz\x00\n\x00\n\x1b[0m\n"), noise))
    assert found == [(1, "Luz\n"), (2, "\n"), (3, "\n")]
    assert noise == {NOISE: 3}


def test_an_overlong_line_is_one_record() -> None:
    text = "Luz: 1 | Distância: 2 cm\n" + "x" * 3 * LONGEST_RECORD + "\nLuz: 1 | Distância: 2 cm\n"
    assert [r.reason for r in records(text)] == [None, "linha longa demais", None]
    assert count_lines(io.BytesIO(text.encode())) == 3


@given(st.lists(st.text('ab"\\{}[], \n', max_size=9), max_size=20), st.integers(1, 40))
def test_objects_are_counted_by_their_brackets(texts: list[str], piece: int) -> None:
    values = [{"luz": 1, "local": text, "dentro": {"x": [{}]}} for text in texts]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("loaders.aicss.text.CHUNK", piece)
        for text in (json.dumps(values, indent=1), "\n".join(map(json.dumps, values))):
            assert count_objects(io.BytesIO(text.encode())) == len(values)


def test_a_time_of_day_takes_its_date_from_the_beginning() -> None:
    start = datetime(2025, 1, 16, 2, 59, 59, 500_000, tzinfo=UTC)  # 23:59:59.5 in São Paulo
    before, after = rows_read(
        "23:59:59.700 -> Luz: 1 | Distância: 2 cm\n00:00:01 -> Luz: 1 | Distância: 2 cm\n",
        Origin("sala", start, ARRIVAL),
    )
    assert after.medido_em - before.medido_em == timedelta(seconds=1.3)
    assert before.origem_horario == "derivado"


@pytest.mark.parametrize(
    ("values", "reason"),
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
def test_what_cannot_be_read_says_why(values: dict[str, object], reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        one(values)


def test_without_any_device_a_reading_is_refused() -> None:
    with pytest.raises(Unreadable, match="--dispositivo"):
        one({"luz": 1}, Origin(None, None, ARRIVAL))


def test_out_of_range_is_kept_and_flagged_and_no_echo_is_in_range() -> None:
    assert one({"luz": 4096, "distancia": 1}).fora_da_faixa == [
        "luz",
        "distancia_cm",
    ]
    assert one({"luz": 4095, "distancia": 0}).fora_da_faixa == []


def test_states_numbers_and_unknown_fields() -> None:
    parsed = one({"internal_led": "0.0", "consumo_externo": True, "movimento": "não", "rssi": -60})
    assert (parsed.consumo_interno, parsed.consumo_externo, parsed.movimento) == (
        False,
        True,
        False,
    )
    assert parsed.outros == {"rssi": -60}


def test_an_offset_is_kept() -> None:
    assert instant("2025-01-15T10:00:00+01:00").utcoffset() == timedelta(hours=1)


def test_a_file_is_named_after_its_device_and_perhaps_a_day() -> None:
    names = ("sala.log", "sala_2025-01-15.csv", "sala-20250115T10.json", "2025-01-15.log")
    found = [device_of_name(Path(n)) for n in names]
    assert found == ["sala", "sala", "sala", "2025-01-15"]


def test_the_committed_sample_is_what_its_function_makes(tmp_path: Path) -> None:
    folder = Path(aicss_sample.__file__).parent
    done = aicss_sample.generate(tmp_path)
    assert [f.read_bytes() for f in done] == [(folder / f.name).read_bytes() for f in done]
    assert sum(f.stat().st_size for f in done) < 300_000


def test_lines_are_counted_to_the_last_without_its_end_but_for_blanks_and_the_header() -> None:
    file = io.BytesIO(b"luz,distancia\n10,20\n\n  \nluz,distancia\n30,40")
    assert count_lines(file, "luz,distancia") == 2
    assert count_lines(io.BytesIO(b"")) == 0


READINGS = [{"luz": n, "distancia": 87} for n in range(4)]


@pytest.mark.parametrize(
    "content",
    [
        json.dumps({"readings": READINGS}),
        json.dumps({"leituras": READINGS}, indent=2) + "\n",
        json.dumps({"data": READINGS, "total": 4, "próxima": None, "ok": True}, indent=1),
        "\n".join(json.dumps({"data": READINGS[i : i + 2]}) for i in (0, 2)),
        "[" + ", ".join(json.dumps({"data": [r]}) for r in READINGS) + "]",
    ],
)
def test_readings_may_stand_in_a_list_with_a_name(content: str) -> None:
    beside = {"total": 4, "próxima": None, "ok": True} if "total" in content else {}
    assert [r.values for r in records(content)] == [beside | r for r in READINGS]
    assert in_a_list([content])
    assert count_objects(io.BytesIO(content.encode()), within=1) == 4


def test_what_stands_beside_the_list_is_of_every_reading_and_a_reading_wins() -> None:
    text = '{"device_id": "d1", "lote": 7, "readings": [{"luz": 1}, {"luz": 2, "device_id": "d2"}]}'
    assert [(x.dispositivo_id, x.luz, x.outros) for x in rows_read(text)] == [
        ("d1", 1, {"lote": 7}),
        ("d2", 2, {"lote": 7}),
    ]


def test_a_list_larger_than_the_buffer_is_read_whole_and_numbered() -> None:
    values = [{"luz": i % 4096, "local": "ção" * 20} for i in range(5_000)]
    text = json.dumps({"readings": values}, ensure_ascii=False, indent=0)
    found = records(text)
    assert [r.values for r in found] == values
    assert text.splitlines()[found[-1].line - 1] == "{"


def test_a_device_said_after_a_long_list_is_refused_and_after_a_short_one_read() -> None:
    long_one = [{"luz": i} for i in range(LONGEST_RECORD // 5)]
    with pytest.raises(Unreadable, match="device está depois da lista"):
        records(json.dumps({"readings": long_one, "device": "d1"}, indent=0))
    assert len(records(json.dumps({"readings": long_one, "total": 3}, indent=0))) == len(long_one)
    (curta,) = records('{"readings": [{"luz": 1}], "device": "d1"}')
    assert curta.values == {"luz": 1, "device": "d1"}


def test_a_reading_that_holds_a_list_is_a_reading() -> None:
    text = '{"luz": 1, "eventos": [{"luz": 9}]}\n{"eventos": [{"a": 9}], "luz": 2}\n'
    assert not in_a_list([text])
    assert [r.values and r.values["luz"] for r in records(text)] == [1, 2]


def test_a_broken_reading_in_a_named_list_costs_only_itself_and_one_outside_is_told() -> None:
    found = records('{"data": [{"luz": 1}, {"luz": x}, {"luz": 3}]}\n{"luz": 4}\n')
    assert [(r.values and r.values["luz"], r.reason) for r in found] == [
        (1, None),
        (None, UNREADABLE_JSON),
        (3, None),
        (None, OUTSIDE),
    ]


def test_a_bar_separates_columns_too() -> None:
    assert [x.luz for x in rows_read("timestamp|luz|distancia\n2025-01-15 10:00:00|12,5|87\n")] == [
        12.5
    ]


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2025-03-01", "2025-03-01T00:00:00-03:00"),
        (" 1/3/2025 ", "2025-03-01T00:00:00-03:00"),
        ("2025-03-01Z", "2025-03-01T00:00:00+00:00"),
        ("2025-03-01+02:00", "2025-03-01T00:00:00+02:00"),
        ("2019-01-15", "2019-01-15T00:00:00-02:00"),
    ],
)
def test_a_day_begins_at_midnight(text: str, instant: str) -> None:
    assert midnight(text) == datetime.fromisoformat(instant)


def test_a_day_that_is_none_and_an_instant_are_no_midnight() -> None:
    assert midnight("2025-03-01T10:00") is None
    assert midnight("2025-3") is None
    with pytest.raises(Unreadable, match="não existe"):
        midnight("2025-02-30")
    with pytest.raises(Unreadable):
        instant("2025-03-01")


def test_a_line_end_cut_by_a_chunk_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for size in range(1, 7):
        monkeypatch.setattr("loaders.aicss.text.CHUNK", size)
        found = list(lines(io.BytesIO(b"a\r\nb\r\r\nc\rd\r")))
        assert found == [(1, "a\n"), (2, "b\n"), (3, "c\n"), (4, "d\n")]


def test_nothing_but_nul_is_not_utf16() -> None:
    assert encoding(io.BytesIO(bytes(50))) == ("utf-8", 0)
    assert encoding(io.BytesIO("luz".encode("utf-16-le"))) == ("utf-16-le", 0)
    assert encoding(io.BytesIO("luz".encode("utf-16-be"))) == ("utf-16-be", 0)


def test_a_time_in_iso_without_separators_is_read() -> None:
    assert instant("20250115T100000-0300") == AT_TEN
    with pytest.raises(Unreadable):
        instant("2025-W03-3T10:00:00")


def test_a_clock_that_was_never_set_is_implausible() -> None:
    for text in ("2009-12-31T23:59:59Z", "2025-01-21T12:00:01Z"):
        with pytest.raises(Unreadable, match="implausível"):
            one({"luz": 1, "timestamp": text})
    for text in ("2010-01-01T00:00:00Z", "2025-01-21T12:00:00Z"):
        assert one({"luz": 1, "timestamp": text}).luz == 1


def test_a_path_is_itself_and_a_folder_the_logs_in_and_below_it(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    logs = [tmp_path / "a" / "b" / "x.JSONL", tmp_path / "a" / "y.log", tmp_path / "z.csv"]
    for file in (*logs, tmp_path / "a" / "foto.png"):
        file.write_bytes(b"x")
    alone = tmp_path / "a" / "foto.png"
    assert list(command.files([alone, tmp_path])) == [alone, *logs]
    (tmp_path / "c").mkdir()
    with pytest.raises(InvalidInput, match="c: sem arquivos .*csv"):
        list(command.files([tmp_path / "c"]))


LONG = LONGEST_RECORD - 100
ENDLESS = {
    "digits": "9" * LONG,
    "words": "a " * (LONG // 2),
    "decimals": "1." * (LONG // 2) + " Luz: x",
    "no_distance": "Luz: 1 | Dist" + "Dist" * (LONG // 4),
    "blanks_at_the_end": "Luz: 1 | Distancia: 1" + " " * (LONG - 50) + "x",
    "blanks_in_a_list": '{"readings": [{"luz": 1}], "b": 1' + " " * (LONG - 50) + "x",
    "braces": "{}" * (LONG // 2),
    "quotes": '"' * LONG,
}


@pytest.mark.parametrize("shape", list(READERS))
@pytest.mark.parametrize("text", ENDLESS.values(), ids=ENDLESS)
def test_one_long_line_costs_what_its_length_says(text: str, shape: str) -> None:
    """As long as a line may be. Read in time that grows with its square, each takes minutes."""
    given = list(lines(io.BytesIO(text.encode() + b"\n")))
    format_of(line for _, line in given)
    records = list(READERS[shape](given))
    assert [r for r in records if r.values and r.values.get("luz") not in (None, 1)] == []


@given(text=st.text(alphabet="ab\b", max_size=30))
def test_a_backspace_takes_the_character_before_it_away(text: str) -> None:
    """Of what is left on a terminal's line; at its beginning there is nothing to take."""
    shown = ""
    for character in text:
        shown = shown[:-1] if character == "\b" else shown + character
    expected = [(1, shown + "\n")]
    assert list(lines(io.BytesIO(text.encode() + b"\n"))) == expected


def test_backspaces_without_end_are_read_too() -> None:
    text = "a" * (LONG // 2) + "\b" * (LONG // 2)
    assert list(lines(io.BytesIO(text.encode() + b"\n"))) == [(1, "\n")]

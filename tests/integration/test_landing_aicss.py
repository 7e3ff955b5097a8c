"""AICSS readings from file to energy per hour on a real PostgreSQL. Not here: shapes (unit)."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner, Result

from loaders import connection as db
from loaders.__main__ import app
from loaders.aicss import landing
from loaders.synthetic import aicss_sample

CLONE = Path(__file__).resolve().parents[2]
SAMPLE = Path(aicss_sample.__file__).parent
CONTENT = """
    select 'leitura', l::text from raw.aicss_leitura as l
    union all
    select 'rejeitado', r::text from raw.rejeitado as r
    union all
    select 'arquivo', a::text from controle.aicss_arquivo as a
    order by 1, 2
"""
DAYS = "select d::text from marts.consumo_dispositivo_dia as d order by dispositivo_id, dia"
HOURS = "select * from marts.consumo_dispositivo_hora order by dispositivo_id, hora"

pytestmark = pytest.mark.usefixtures("empty_database_env")


@pytest.fixture
def con(empty_database_env: dict[str, str]) -> Iterator[psycopg.Connection]:
    with db.connect() as conn:
        db.prepare(conn)
        landing.prepare(conn)
        yield conn


def run(*arguments: object, given: str | None = None) -> Result:
    return CliRunner().invoke(app, ["aicss", *map(str, arguments)], input=given)


def dbt(*arguments: str) -> None:
    command = [Path(sys.executable).with_name("dbt"), *arguments, "--quiet"]
    done = subprocess.run(
        command, cwd=CLONE / "dbt_project", env=os.environ, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_sample_lands_and_every_record_is_accounted_for(con: psycopg.Connection) -> None:
    assert run(SAMPLE).exit_code == 0
    total = con.execute(
        "select sum(registros), sum(leituras), sum(repetidas), sum(ilegiveis), sum(fora_da_faixa)"
        " from controle.aicss_arquivo"
    ).fetchone()
    assert total == (2839, 2835, 2, 2, 1)
    assert con.execute("select count(*) from raw.aicss_leitura").fetchone() == (2835,)
    rejects = con.execute(
        "select linha, motivo, left(registro ->> 'texto', 7) from raw.rejeitado order by linha"
    ).fetchall()
    assert rejects == [(1, "linha ilegível", "rst:0x1"), (722, "JSON ilegível", '{"devic')]


def test_the_same_file_twice_changes_nothing_and_says_so(con: psycopg.Connection) -> None:
    run(SAMPLE)
    before = con.execute(CONTENT).fetchall()
    done = run(SAMPLE)
    assert done.exit_code == 0
    assert done.output.count("já carregado, nada mudou") == 3
    assert con.execute(CONTENT).fetchall() == before


def test_a_log_that_grew_lands_only_what_is_new(con: psycopg.Connection, tmp_path: Path) -> None:
    log = tmp_path / "sala.log"
    row = "2025-01-15 10:00:0{} Luz: {} | Distância: 5 cm\n"
    log.write_text(row.format(0, 1) + "lixo\n" + row.format(0, 2))
    run(log)
    log.write_text(log.read_text() + row.format(1, 3))
    done = run(log)
    assert "4 registros, 1 leituras, 2 repetidas, 0 conflitos, 1 ilegiveis" in done.output
    kept = con.execute("select linha, motivo from raw.rejeitado order by linha").fetchall()
    assert kept == [(2, "linha ilegível")]


def test_two_readings_of_one_second_are_both_kept_and_a_copy_is_not(
    con: psycopg.Connection, tmp_path: Path
) -> None:
    log = tmp_path / "sala.log"
    row = "2025-01-15 10:00:0{} Luz: {} | Distância: 5 cm\n"
    pairs = ((0, 1), (1, 2), (1, 3), (1, 2), (1, 4), (0, 5), (2, 6))
    log.write_text("".join(row.format(*pair) for pair in pairs))
    assert "7 registros, 6 leituras, 1 repetidas, 0 conflitos" in run(log).output
    found = con.execute(
        "select to_char(medido_em, 'SS.US'), luz, ressalva_horario"
        " from raw.aicss_leitura order by 2"
    ).fetchall()
    assert found == [
        ("00.000000", 1, None),
        ("01.000000", 2, None),
        ("01.000001", 3, "empate"),
        ("01.000002", 4, "empate"),
        ("00.000001", 5, "recuo"),
        ("02.000000", 6, None),
    ]


def test_a_clock_over_two_midnights_and_one_that_steps_back_lose_nothing(
    con: psycopg.Connection, tmp_path: Path
) -> None:
    log = tmp_path / "sala.log"
    log.write_text(
        "".join(
            f"{m // 60 % 24:02}:{m % 60:02}:00 Luz: {m % 4096} | Distância: 5 cm\n"
            for m in (*range(1438, 5000, 7), 4990, 5001)
        )
    )
    assert run(log, "--inicio", "2025-03-01T23:58:00-03:00").exit_code == 0
    found = con.execute(
        "select count(*), min(medido_em) = '2025-03-01 23:58-03',"
        " max(medido_em) = '2025-03-01 00:00-03'::timestamptz + 5001 * interval '1 minute',"
        " array_agg(extract(hour from medido_em at time zone 'America/Sao_Paulo') * 60"
        "  + extract(minute from medido_em at time zone 'America/Sao_Paulo'))"
        " filter (where ressalva_horario = 'recuo') from raw.aicss_leitura"
    ).fetchone()
    assert found == (len(range(1438, 5000, 7)) + 2, True, True, [4990 % 1440])


@pytest.mark.parametrize(
    ("content", "reader", "lost"),
    [
        ("luz,distancia\n1,2\n3,4\n5,6\n", "csv", slice(1, 2)),
        ("Luz: 1 | Distância: 2 cm\n" * 3, "serial", slice(2, 3)),
        ('{"luz": 1}\n{"luz": 2}\n{"luz": 3}\n', "json", slice(0, 1)),
    ],
)
def test_a_record_that_the_reader_loses_is_noticed(
    con: psycopg.Connection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    content: str,
    reader: str,
    lost: slice,
) -> None:
    """Records are counted by something other than what could lose them."""
    file = tmp_path / "sala.log"
    file.write_text(content)
    whole_number = landing.READERS[reader]

    def loses(given: Iterator[tuple[int, str]]) -> list[object]:
        records_read = list(whole_number(given))
        del records_read[lost]
        return records_read

    monkeypatch.setitem(landing.READERS, reader, loses)
    done = run(file)
    assert done.exit_code == 3
    assert "o arquivo tem 3 registros e a leitura deu conta de 2" in done.output
    assert con.execute(CONTENT).fetchall() == []


def test_a_reading_lost_on_its_way_to_the_table_is_noticed(
    con: psycopg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "sala.csv"
    file.write_text("luz,distancia\n1,2\n3,4\n")
    fewer = landing.INSERT_READINGS.replace("where motivo is null", "where ordem > 0")
    monkeypatch.setattr(landing, "INSERT_READINGS", fewer)
    assert run(file).exit_code == 3
    assert con.execute(CONTENT).fetchall() == []


def test_readings_in_a_named_list_are_counted_and_a_date_alone_is_midnight(
    con: psycopg.Connection, tmp_path: Path
) -> None:
    file = tmp_path / "sala.json"
    file.write_text('{"lote": 1, "readings": [{"luz": 1, "x": {}}, {"luz": 2}]}\n{"luz": 3}\n')
    done = run(file, "--inicio", "2025-03-01")
    assert done.exit_code == 0
    assert "tomado como 01/03/2025 00:00:00 (UTC-0300)" in done.output
    assert con.execute(
        "select medido_em at time zone 'America/Sao_Paulo', luz from raw.aicss_leitura order by 1"
    ).fetchall() == [(datetime(2025, 3, 1), 1), (datetime(2025, 3, 1, 0, 0, 1), 2)]  # noqa: DTZ001
    assert con.execute("select motivo from raw.rejeitado").fetchall() == [
        ("objeto fora da lista de leituras",)
    ]
    file.write_text(json.dumps({"readings": [{"luz": 1}] * 90_000, "device": "x"}, indent=0))
    done = run(file)
    assert done.exit_code == 3
    assert f"{file}: device está depois da lista" in done.output


def test_noise_and_oddities_stand_in_the_ledger(con: psycopg.Connection, tmp_path: Path) -> None:
    file = tmp_path / "sala.log"
    row = "2025-01-15 10:00:00 Luz: {} | Distância: 5 cm\x00\n"
    file.write_text(row.format(1) + row.format(2))
    assert "1 ressalvas, 2 ruido" in run(file).output
    found = con.execute("select ressalvas, ruido from controle.aicss_arquivo").fetchone()
    assert found == (1, 2)


OLD = """
    drop table raw.aicss_leitura;
    create table raw.aicss_leitura (
        leitura_id bigint generated always as identity primary key, dispositivo_id text not null,
        medido_em timestamptz not null, luz double precision, distancia_cm double precision,
        consumo_interno boolean, consumo_externo boolean, temperatura double precision,
        movimento boolean, energia_economizada_kwh double precision, outros jsonb,
        fora_da_faixa text[] not null default '{}', origem_horario text not null,
        arquivo text not null, linha bigint not null, recebido_em timestamptz not null,
        unique (dispositivo_id, medido_em));
    insert into raw.aicss_leitura (dispositivo_id, medido_em, luz, outros, origem_horario, arquivo,
        linha, recebido_em)
    select 'd' || n % 3, '2025-01-31T23:00:00-03'::timestamptz + n * interval '1 minute', n,
        '{"x": 1}', 'campo', 'a', n, now()
    from generate_series(0, 119) as n;
    delete from raw.aicss_leitura where luz = 119;
    grant insert on raw.aicss_leitura to public;
    alter table controle.aicss_arquivo drop column ressalvas, drop column ruido;
    comment on table controle.aicss_arquivo is 'esquema antigo'"""
"""The readings' table as versions until 2026-11-29 made it, in the middle of two months."""
KEPT = "select leitura_id, dispositivo_id, medido_em, luz, outros from raw.aicss_leitura order by 1"


def test_readings_of_an_earlier_version_move_into_their_months(con: psycopg.Connection) -> None:
    """Each with its number; rights stay, and no number is given twice."""
    con.execute(OLD)
    before = con.execute(KEPT).fetchall()
    assert run("-", "--dispositivo", "novo", given='{"luz": 1}').exit_code == 0
    after = con.execute(KEPT).fetchall()
    assert (len(before), after[:-1]) == (119, before)
    assert after[-1][0] == 121
    months = con.execute(
        "select tableoid::regclass::text, count(*) from raw.aicss_leitura"
        " where dispositivo_id ~ '^d' group by 1 order by 1"
    ).fetchall()
    assert months == [
        ("raw_safra.aicss_leitura_2025_01", 60),
        ("raw_safra.aicss_leitura_2025_02", 59),
    ]
    assert con.execute(
        "select relacl::text ~ '=a/' from pg_class where oid = 'raw.aicss_leitura'::regclass"
    ).fetchone() == (True,)


def test_a_kill_while_readings_move_leaves_them_as_they_were(
    con: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One transaction: the connection dies before its end, and the next landing begins anew."""
    con.execute(OLD)
    before = con.execute(KEPT).fetchall()

    def die(conn: psycopg.Connection) -> None:
        con.execute("select pg_terminate_backend(%s)", [conn.info.backend_pid])

    with monkeypatch.context() as broken, db.connect() as other:
        broken.setattr(landing.devices, "fill", die)
        with pytest.raises(psycopg.OperationalError):
            landing.prepare(other)
    assert con.execute(KEPT).fetchall() == before
    assert con.execute(
        "select relkind from pg_class where oid = 'raw.aicss_leitura'::regclass"
    ).fetchone() == ("r",)
    assert run("-", "--dispositivo", "novo", given='{"luz": 1}').exit_code == 0
    assert con.execute(KEPT).fetchall()[:-1] == before


def test_a_second_value_for_an_instant_is_kept_as_conflict(con: psycopg.Connection) -> None:
    read_value = '{{"device_id": "d", "timestamp": "2025-01-15T10:00:00", "luz": {}}}'
    run("-", given=read_value.format(1))
    run("-", given=read_value.format(2))
    assert con.execute("select luz from raw.aicss_leitura").fetchall() == [(1,)]
    found = con.execute("select motivo, registro ->> 'luz' from raw.rejeitado").fetchall()
    assert found == [("conflito", "2")]


def test_two_loads_at_once_land_each_reading_once(con: psycopg.Connection) -> None:
    def one(_: int) -> landing.Result:
        file = SAMPLE / "aicss-garagem_2025-01-15.log"
        with db.connect() as other, file.open("rb") as opened:
            return landing.land(other, opened, name="x", default="garagem")

    with ThreadPoolExecutor(2) as execution:
        done = list(execution.map(one, range(2)))
    assert sum(r.leituras for r in done) == 1440
    assert con.execute("select count(*) from raw.aicss_leitura").fetchone() == (1440,)


def test_a_failure_midway_leaves_nothing(
    con: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(landing, "REGISTER", "select 1/0 where %s" + " and %s" * 13)
    assert run(SAMPLE).exit_code == 4
    assert con.execute(CONTENT).fetchall() == []


@pytest.mark.parametrize("content", [b"", b"nada aqui\n", bytes(range(256)), b'{"luz": "x"}'])
def test_a_file_without_a_reading_changes_nothing(
    con: psycopg.Connection, tmp_path: Path, content: bytes
) -> None:
    bad = tmp_path / "ruim.json"
    bad.write_bytes(content)
    done = run(bad)
    assert done.exit_code == 3
    assert "ruim.json" in done.output
    assert ("é uma leitura (" in done.output) == content.startswith(b"{"), "why, if one is read"
    assert con.execute(CONTENT).fetchall() == []


def test_bad_input_does_not_hold_back_the_next_file(
    con: psycopg.Connection, tmp_path: Path
) -> None:
    (tmp_path / "a.json").write_text("ruim")
    (tmp_path / "b.json").write_text('{"luz": 1}')
    assert run(tmp_path).exit_code == 3
    assert con.execute("select dispositivo_id from raw.aicss_leitura").fetchall() == [("b",)]


def test_wrong_usage_and_no_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(tmp_path / "nada").exit_code == 2
    assert run("-", "--inicio", "ontem", given="").exit_code == 2
    monkeypatch.setenv("PGDATABASE", "nao_existe")
    assert run("-", given='{"luz": 1}').exit_code == 4


def device(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["dispositivo", *arguments])


def test_a_devices_settings_keep_their_history(con: psycopg.Connection) -> None:
    """First those of the seed; a change is valid from its instant, and what was valid stays."""
    assert "aicss-sala desde sempre: nome Amostra: sala" in device("mostrar").output
    done = device("mudar", "aicss-sala", "--potencia-interna", "80", "--desde", "2025-01-15")
    assert (done.exit_code, "potencia_interna_w: 60 → 80" in done.output) == (0, True)
    assert device("mudar", "aicss-sala", "--uc", "401:7", "--desde", "2025-01-14").exit_code == 0
    lines = device("historico", "aicss-sala").output.splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        "aicss-sala desde sempre",
        "aicss-sala desde 14/01/2025 00",
        "aicss-sala desde 15/01/2025 00",
    ]
    assert ["cod_id 7" in line for line in lines] == [False, True, False]
    for wrong, code in (
        (("mudar", "aicss-sala", "--potencia-interna", "80", "--desde", "2025-01-15"), 3),
        (("mudar", "aicss-sala", "--potencia-interna", "81", "--desde", "2025-01-15"), 3),
        (("mudar", "aicss-sala"), 2),
        (("mudar", "aicss-sala", "--municipio", "1"), 2),
        (("mudar", "aicss-sala", "--potencia-interna", "-1"), 2),
        (("mudar", "aicss-sala", "--periodo", "5", "--desde", "9999-01-01"), 3),
        (("historico", "nenhum"), 3),
    ):
        assert device(*wrong).exit_code == code, wrong
    assert "ainda não enviou leituras" in device("mudar", "novo", "--periodo", "5").output
    for command in (
        "update app.dispositivo_config set nome = ''",
        "delete from app.dispositivo_config",
    ):
        with pytest.raises(psycopg.errors.RaiseException, match="acrescente uma linha"):
            con.execute(command)


def test_energy_by_hours_built_step_by_step_equals_energy_built_at_once(
    con: psycopg.Connection,
) -> None:
    # The rooms' own dbt tests run in every `dbt build`; here only what is built counts.
    con.execute("set extra_float_digits = -3")  # a sum's last digits depend on its order
    models = ["--exclude-resource-type", "test", "--exclude-resource-type", "unit_test", "-s"]
    models += ["municipio_dominio", "municipio", "dispositivo_dominio", "dispositivo"]
    models += ["leitura_sensor", "leitura_estado", "dispositivo_vigencia"]
    models += ["consumo_dispositivo_hora", "consumo_dispositivo_dia", "feriado"]
    models += ["posto_tarifario_hora"]
    run(SAMPLE / "aicss-sala_2025-01-15.csv", SAMPLE / "aicss-garagem_2025-01-15.log")
    dbt("build", *models)
    run(SAMPLE)
    late = "".join(
        f'{{"device_id": "{d}", "timestamp": "2025-01-15T10:2{m}:00", "luz": 9, "distancia": 9}}\n'
        for d, m in (("aicss-sala", 0), ("aicss-sala", 2), ("novo", 0))
    )
    run("-", given=late)
    con.execute(
        "create schema acima; create view acima.v as select * from intel_lead.leitura_sensor"
    )
    dbt("build", *models)
    in_pieces = con.execute(HOURS).fetchall(), con.execute(DAYS).fetchall()
    dbt("build", *models, "--full-refresh")
    assert (con.execute(HOURS).fetchall(), con.execute(DAYS).fetchall()) == in_pieces
    assert con.execute("select count(*) from acima.v").fetchone() == (2838,)
    gap = con.execute(
        "select leituras, segundos_cobertos, round((energia_total_kwh * 3.6e6)::numeric)"
        " from marts.consumo_dispositivo_hora"
        " where dispositivo_id = 'aicss-sala' and hora = '2025-01-15 10:00-03'"
    ).fetchone()
    # 15 readings from 10:45, and the late ones of 10:20 and 10:22: 120 s of both lights on.
    assert gap == (17, 1020, 120 * 160)
    assert con.execute(
        "select energia_total_kwh from marts.consumo_dispositivo_hora where dispositivo_id = 'novo'"
    ).fetchall() == [(None,)]
    # From noon on the lamp inside is another: the hours of before keep the one that they had.
    sums = (
        "select sum(segundos_ligado_interno), sum(energia_interna_kwh * 3.6e6)"
        " from marts.consumo_dispositivo_hora where dispositivo_id = 'aicss-sala'"
        " group by hora < '2025-01-15 12:00-03' order by min(hora)"
    )
    change = ("mudar", "aicss-sala", "--potencia-interna", "600", "--desde", "2025-01-15T11:30:00")
    assert device(*change).exit_code == 0
    dbt("build", *models)
    (on_before, before), (on_after, after) = con.execute(sums).fetchall()
    assert (round(before), round(after)) == (round(on_before * 60), round(on_after * 600))

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

from loaders import aicss, amostra_aicss, conexao
from loaders.__main__ import app

CLONE = Path(__file__).resolve().parents[2]
AMOSTRA = Path(amostra_aicss.__file__).parent
CONTEUDO = """
    select 'leitura', l::text from raw.aicss_leitura as l
    union all
    select 'rejeitado', r::text from raw.rejeitado as r
    union all
    select 'arquivo', a::text from controle.aicss_arquivo as a
    order by 1, 2
"""
HORAS = "select * from marts.consumo_dispositivo_hora order by dispositivo_id, hora"

pytestmark = pytest.mark.usefixtures("banco_limpo")


@pytest.fixture
def con(banco_limpo: dict[str, str]) -> Iterator[psycopg.Connection]:
    with conexao.conectar() as conn:
        conexao.preparar(conn)
        aicss.preparar(conn)
        yield conn


def roda(*argumentos: object, entrada: str | None = None) -> Result:
    return CliRunner().invoke(app, ["aicss", *map(str, argumentos)], input=entrada)


def dbt(*argumentos: str) -> None:
    comando = [Path(sys.executable).with_name("dbt"), *argumentos, "--quiet"]
    feito = subprocess.run(
        comando, cwd=CLONE / "dbt_project", env=os.environ, capture_output=True, text=True
    )
    assert feito.returncode == 0, feito.stdout + feito.stderr


def test_the_sample_lands_and_every_record_is_accounted_for(con: psycopg.Connection) -> None:
    assert roda(AMOSTRA).exit_code == 0
    total = con.execute(
        "select sum(registros), sum(leituras), sum(repetidas), sum(ilegiveis), sum(fora_da_faixa)"
        " from controle.aicss_arquivo"
    ).fetchone()
    assert total == (2839, 2835, 2, 2, 1)
    assert con.execute("select count(*) from raw.aicss_leitura").fetchone() == (2835,)
    rejeitados = con.execute(
        "select linha, motivo, left(registro ->> 'texto', 7) from raw.rejeitado order by linha"
    ).fetchall()
    assert rejeitados == [(1, "linha ilegível", "rst:0x1"), (722, "JSON ilegível", '{"devic')]


def test_the_same_file_twice_changes_nothing_and_says_so(con: psycopg.Connection) -> None:
    roda(AMOSTRA)
    antes = con.execute(CONTEUDO).fetchall()
    feito = roda(AMOSTRA)
    assert feito.exit_code == 0
    assert feito.output.count("já carregado, nada mudou") == 3
    assert con.execute(CONTEUDO).fetchall() == antes


def test_a_log_that_grew_lands_only_what_is_new(con: psycopg.Connection, tmp_path: Path) -> None:
    log = tmp_path / "sala.log"
    linha = "2025-01-15 10:00:0{} Luz: {} | Distância: 5 cm\n"
    log.write_text(linha.format(0, 1) + "lixo\n" + linha.format(0, 2))
    roda(log)
    log.write_text(log.read_text() + linha.format(1, 3))
    feito = roda(log)
    assert "4 registros, 1 leituras, 2 repetidas, 0 conflitos, 1 ilegiveis" in feito.output
    guardados = con.execute("select linha, motivo from raw.rejeitado order by linha").fetchall()
    assert guardados == [(2, "linha ilegível")]


def test_two_readings_of_one_second_are_both_kept_and_a_copy_is_not(
    con: psycopg.Connection, tmp_path: Path
) -> None:
    log = tmp_path / "sala.log"
    linha = "2025-01-15 10:00:0{} Luz: {} | Distância: 5 cm\n"
    pares = ((0, 1), (1, 2), (1, 3), (1, 2), (1, 4), (0, 5), (2, 6))
    log.write_text("".join(linha.format(*par) for par in pares))
    assert "7 registros, 6 leituras, 1 repetidas, 0 conflitos" in roda(log).output
    achadas = con.execute(
        "select to_char(medido_em, 'SS.US'), luz, ressalva_horario"
        " from raw.aicss_leitura order by 2"
    ).fetchall()
    assert achadas == [
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
    assert roda(log, "--inicio", "2025-03-01T23:58:00-03:00").exit_code == 0
    achado = con.execute(
        "select count(*), min(medido_em) = '2025-03-01 23:58-03',"
        " max(medido_em) = '2025-03-01 00:00-03'::timestamptz + 5001 * interval '1 minute',"
        " array_agg(extract(hour from medido_em at time zone 'America/Sao_Paulo') * 60"
        "  + extract(minute from medido_em at time zone 'America/Sao_Paulo'))"
        " filter (where ressalva_horario = 'recuo') from raw.aicss_leitura"
    ).fetchone()
    assert achado == (len(range(1438, 5000, 7)) + 2, True, True, [4990 % 1440])


@pytest.mark.parametrize(
    ("conteudo", "leitor", "perdido"),
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
    conteudo: str,
    leitor: str,
    perdido: slice,
) -> None:
    """Records are counted by something other than what could lose them."""
    arquivo = tmp_path / "sala.log"
    arquivo.write_text(conteudo)
    inteiro = aicss.LEITORES[leitor]

    def perde(entrada: Iterator[tuple[int, str]]) -> list[object]:
        lidos = list(inteiro(entrada))
        del lidos[perdido]
        return lidos

    monkeypatch.setitem(aicss.LEITORES, leitor, perde)
    feito = roda(arquivo)
    assert feito.exit_code == 3
    assert "o arquivo tem 3 registros e a leitura deu conta de 2" in feito.output
    assert con.execute(CONTEUDO).fetchall() == []


def test_a_reading_lost_on_its_way_to_the_table_is_noticed(
    con: psycopg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arquivo = tmp_path / "sala.csv"
    arquivo.write_text("luz,distancia\n1,2\n3,4\n")
    menos = aicss.INSERE_LEITURAS.replace("where motivo is null", "where ordem > 0")
    monkeypatch.setattr(aicss, "INSERE_LEITURAS", menos)
    assert roda(arquivo).exit_code == 3
    assert con.execute(CONTEUDO).fetchall() == []


def test_readings_in_a_named_list_are_counted_and_a_date_alone_is_midnight(
    con: psycopg.Connection, tmp_path: Path
) -> None:
    arquivo = tmp_path / "sala.json"
    arquivo.write_text('{"lote": 1, "readings": [{"luz": 1, "x": {}}, {"luz": 2}]}\n{"luz": 3}\n')
    feito = roda(arquivo, "--inicio", "2025-03-01")
    assert feito.exit_code == 0
    assert "tomado como 01/03/2025 00:00:00 (UTC-0300)" in feito.output
    assert con.execute(
        "select medido_em at time zone 'America/Sao_Paulo', luz from raw.aicss_leitura order by 1"
    ).fetchall() == [(datetime(2025, 3, 1), 1), (datetime(2025, 3, 1, 0, 0, 1), 2)]  # noqa: DTZ001
    assert con.execute("select motivo from raw.rejeitado").fetchall() == [
        ("objeto fora da lista de leituras",)
    ]
    arquivo.write_text(json.dumps({"readings": [{"luz": 1}] * 90_000, "device": "x"}, indent=0))
    feito = roda(arquivo)
    assert feito.exit_code == 3
    assert f"{arquivo}: device está depois da lista" in feito.output


def test_noise_and_oddities_stand_in_the_ledger(con: psycopg.Connection, tmp_path: Path) -> None:
    arquivo = tmp_path / "sala.log"
    linha = "2025-01-15 10:00:00 Luz: {} | Distância: 5 cm\x00\n"
    arquivo.write_text(linha.format(1) + linha.format(2))
    assert "1 ressalvas, 2 ruido" in roda(arquivo).output
    achado = con.execute("select ressalvas, ruido from controle.aicss_arquivo").fetchone()
    assert achado == (1, 2)


def test_a_database_from_before_the_remark_on_times_is_upgraded(con: psycopg.Connection) -> None:
    con.execute("alter table raw.aicss_leitura drop column ressalva_horario")
    con.execute("alter table controle.aicss_arquivo drop column ressalvas, drop column ruido")
    con.execute("comment on table controle.aicss_arquivo is 'esquema antigo'")
    assert roda(AMOSTRA).exit_code == 0


def test_a_second_value_for_an_instant_is_kept_as_conflict(con: psycopg.Connection) -> None:
    lida = '{{"device_id": "d", "timestamp": "2025-01-15T10:00:00", "luz": {}}}'
    roda("-", entrada=lida.format(1))
    roda("-", entrada=lida.format(2))
    assert con.execute("select luz from raw.aicss_leitura").fetchall() == [(1,)]
    achado = con.execute("select motivo, registro ->> 'luz' from raw.rejeitado").fetchall()
    assert achado == [("conflito", "2")]


def test_two_loads_at_once_land_each_reading_once(con: psycopg.Connection) -> None:
    def uma(_: int) -> aicss.Resultado:
        arquivo = AMOSTRA / "aicss-garagem_2025-01-15.log"
        with conexao.conectar() as outra, arquivo.open("rb") as aberto:
            return aicss.carregar(outra, aberto, nome="x", padrao="garagem")

    with ThreadPoolExecutor(2) as execucao:
        feitos = list(execucao.map(uma, range(2)))
    assert sum(r.leituras for r in feitos) == 1440
    assert con.execute("select count(*) from raw.aicss_leitura").fetchone() == (1440,)


def test_a_failure_midway_leaves_nothing(
    con: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aicss, "REGISTRA", "select 1/0 where %s" + " and %s" * 13)
    assert roda(AMOSTRA).exit_code == 4
    assert con.execute(CONTEUDO).fetchall() == []


@pytest.mark.parametrize("conteudo", [b"", b"nada aqui\n", bytes(range(256)), b'{"luz": "x"}'])
def test_a_file_without_a_reading_changes_nothing(
    con: psycopg.Connection, tmp_path: Path, conteudo: bytes
) -> None:
    ruim = tmp_path / "ruim.json"
    ruim.write_bytes(conteudo)
    feito = roda(ruim)
    assert feito.exit_code == 3
    assert "ruim.json" in feito.output
    assert con.execute(CONTEUDO).fetchall() == []


def test_bad_input_does_not_hold_back_the_next_file(
    con: psycopg.Connection, tmp_path: Path
) -> None:
    (tmp_path / "a.json").write_text("ruim")
    (tmp_path / "b.json").write_text('{"luz": 1}')
    assert roda(tmp_path).exit_code == 3
    assert con.execute("select dispositivo_id from raw.aicss_leitura").fetchall() == [("b",)]


def test_wrong_usage_and_no_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert roda(tmp_path / "nada").exit_code == 2
    assert roda("-", "--inicio", "ontem", entrada="").exit_code == 2
    monkeypatch.setenv("PGDATABASE", "nao_existe")
    assert roda("-", entrada='{"luz": 1}').exit_code == 4


def test_energy_by_hours_built_step_by_step_equals_energy_built_at_once(
    con: psycopg.Connection,
) -> None:
    # The rooms' own dbt tests run in every `dbt build`; here only what is built counts.
    modelos = ["--exclude-resource-type", "test", "--exclude-resource-type", "unit_test", "-s"]
    modelos += ["municipio_dominio", "municipio", "dispositivo_dominio", "dispositivo"]
    modelos += ["leitura_sensor", "leitura_estado", "consumo_dispositivo_hora"]
    roda(AMOSTRA / "aicss-sala_2025-01-15.csv", AMOSTRA / "aicss-garagem_2025-01-15.log")
    dbt("build", *modelos)
    roda(AMOSTRA)
    atrasadas = "".join(
        f'{{"device_id": "{d}", "timestamp": "2025-01-15T10:2{m}:00", "luz": 9, "distancia": 9}}\n'
        for d, m in (("aicss-sala", 0), ("aicss-sala", 2), ("novo", 0))
    )
    roda("-", entrada=atrasadas)
    con.execute(
        "create schema acima; create view acima.v as select * from intel_lead.leitura_sensor"
    )
    dbt("build", *modelos)
    aos_poucos = con.execute(HORAS).fetchall()
    dbt("build", *modelos, "--full-refresh")
    assert con.execute(HORAS).fetchall() == aos_poucos
    assert con.execute("select count(*) from acima.v").fetchone() == (2838,)
    lacuna = con.execute(
        "select leituras, segundos_cobertos, round((energia_total_kwh * 3.6e6)::numeric)"
        " from marts.consumo_dispositivo_hora"
        " where dispositivo_id = 'aicss-sala' and hora = '2025-01-15 10:00-03'"
    ).fetchone()
    # 15 readings from 10:45, and the late ones of 10:20 and 10:22: 120 s of both lights on.
    assert lacuna == (17, 1020, 120 * 160)
    assert con.execute(
        "select energia_total_kwh from marts.consumo_dispositivo_hora where dispositivo_id = 'novo'"
    ).fetchall() == [(None,)]

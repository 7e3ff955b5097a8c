"""Alerts on marts made by hand: what opens, stays, closes, opens again; what people edit stays.

Not here: deliveries (test_alert_delivery.py), alerts on a built warehouse (test_alerts_built.py).
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from alerts.judge import Judged, judge
from alerts.metrics import METRICS
from loaders import connection as db
from loaders import ledger

MARTS = """
create schema marts;
create table marts.safra_publicada (ano smallint, distribuidora_id integer, distribuidora text);
create table marts.resumo_conjunto (
    ano smallint, distribuidora_id integer, conjunto_id integer, conjunto text,
    media_dic_anual_h double precision, dic_mediana_conjunto_h double precision,
    media_fic_anual double precision, fic_mediana_conjunto double precision,
    leads_dic_impossivel bigint, leads_fic_impossivel bigint, quantidade_leads bigint,
    dec_limite_h double precision);
create table marts.resumo_municipio (
    like marts.resumo_conjunto, municipio_id integer, municipio text, uf text, distribuidora text);
alter table marts.resumo_municipio drop distribuidora_id, drop conjunto_id, drop conjunto;
create table marts.resumo_distribuidora (like marts.resumo_conjunto, distribuidora text);
create table marts.mart_anomalia (
    nivel text, serie_id text, uc_id uuid, distribuidora_id integer, ano smallint, tipo text,
    mes smallint, valor double precision, esperado double precision, evidencia text);
create table marts.mart_lead_safra (
    uc_id uuid, ano smallint, distribuidora_id integer, origem text, cod_id text, municipio text,
    classe_consumo text);
create table marts.mart_alerta_aicss (
    dispositivo_id text, nome text, tipo text, dia date, fim date, valor double precision,
    esperado double precision, escore double precision, leituras bigint, atual boolean,
    evidencia text);
insert into marts.safra_publicada values (2023, 401, 'Mux'), (2024, 401, 'Mux');
insert into marts.resumo_conjunto
    (ano, distribuidora_id, conjunto_id, conjunto, media_dic_anual_h, dic_mediana_conjunto_h)
values (2023, 401, 7, 'Centro', 90, 10), (2024, 401, 7, 'Centro', 10, 10),
    (2024, 401, 8, 'Sul', 9, 10);
"""
NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def conn(empty_database_env: dict[str, str]) -> Iterator[psycopg.Connection]:
    """Small marts, schema app, one rule that is on: DIC over its median above 2, back at 1.8."""
    with psycopg.connect("", autocommit=True) as connection:
        connection.execute(MARTS)
        db.prepare(connection)
        connection.execute(
            "update app.regra_alerta set ativa = (chave = 'dic_conjunto_dobro_da_mediana')"
        )
        yield connection


def dic(conn: psycopg.Connection, hours: float | None, *, at: int = 0) -> Judged:
    """Say how many hours conjunto 7 has, against a median of 10, and judge."""
    conn.execute(
        "update marts.resumo_conjunto set media_dic_anual_h = %s"
        " where ano = 2024 and conjunto_id = 7",
        [hours],
    )
    return judge(conn, NOON + at * HOUR)


def history(conn: psycopg.Connection) -> list[tuple]:
    """Every opening: thing, with what it opened, what was seen last, whether and why it closed."""
    return conn.execute(
        "select alvo, valor_abertura, valor, motivo_fechamento from app.alerta order by id"
    ).fetchall()


def test_it_opens_stays_closes_with_hysteresis_and_opens_again(conn: psycopg.Connection) -> None:
    """Twice the median is not above it; 1.9 is under the limit and not yet back."""
    assert dic(conn, 20).opened == []
    assert dic(conn, 21, at=1).opened == [
        "DIC do conjunto acima do dobro da mediana: conjunto Centro"
    ]
    assert dic(conn, 40, at=2).opened == []
    assert dic(conn, 19, at=3).closed == []
    assert history(conn) == [("7", 2.1, 1.9, None)]
    assert len(dic(conn, 18, at=4).closed) == 1
    assert dic(conn, 19, at=5).opened == []
    assert len(dic(conn, 22, at=6).opened) == 1
    assert history(conn) == [("7", 2.1, 1.9, "voltou"), ("7", 2.2, 2.2, None)]


def test_judging_again_opens_and_closes_nothing(conn: psycopg.Connection) -> None:
    dic(conn, 30)
    again = dic(conn, 30, at=1)
    assert (again.opened, again.closed, again.open) == ([], [], 1)


def test_a_figure_that_is_hidden_or_unknown_neither_opens_nor_closes(
    conn: psycopg.Connection,
) -> None:
    assert dic(conn, None).open == 0
    dic(conn, 30)
    assert dic(conn, None, at=1).closed == []
    assert history(conn) == [("7", 3, 3, None)]


def test_without_limits_nothing_is_above_its_limit(conn: psycopg.Connection) -> None:
    """The limits have no source yet; with one, the rule speaks."""
    conn.execute("update app.regra_alerta set ativa = (chave = 'dic_conjunto_acima_do_limite')")
    assert dic(conn, 8000).opened == []
    conn.execute("update marts.resumo_conjunto set dec_limite_h = 12")
    assert len(dic(conn, 13, at=1).opened) == 1


def test_what_is_gone_from_the_newest_year_closes(conn: psycopg.Connection) -> None:
    dic(conn, 30)
    conn.execute("delete from marts.resumo_conjunto where ano = 2024 and conjunto_id = 7")
    judge(conn, NOON + HOUR)
    assert history(conn) == [("7", 3, 3, "sem_alvo")]


def test_a_devices_alert_opens_by_its_current_row_and_closes_without_it(
    conn: psycopg.Connection,
) -> None:
    """The rules that stand there at first: a row of an earlier day opens nothing."""
    conn.execute("update app.regra_alerta set ativa = true where chave ~ '^aicss_'")
    conn.execute(
        "insert into marts.mart_alerta_aicss values"
        " ('sala', 'Sala', 'acima_da_media', '2026-11-28', null, 9, 3, 8.1, 900, true, 'x'),"
        " ('sala', 'Sala', 'impossivel', '2026-11-01', null, 50, null, null, 9, false, 'x'),"
        " ('posto', null, 'calado', '2026-11-20', null, 200, null, null, null, true, 'x')"
    )
    assert sorted(judge(conn, NOON).opened) == [
        "Dispositivo AICSS calado: confira o sensor: dispositivo posto",
        "Dispositivo AICSS consome acima do seu normal: dispositivo Sala",
    ]
    conn.execute("update marts.mart_alerta_aicss set atual = false")
    judge(conn, NOON + HOUR)
    assert sorted(history(conn)) == [("posto", 200, 200, "voltou"), ("sala", 8.1, 8.1, "voltou")]


def test_only_the_things_that_a_rule_names_are_judged(conn: psycopg.Connection) -> None:
    conn.execute("update app.regra_alerta set alvos = '{8}'")
    assert dic(conn, 30).open == 0
    conn.execute("update app.regra_alerta set alvos = null, distribuidora_id = 404")
    assert dic(conn, 30).open == 0


def test_a_rule_that_is_switched_off_closes_what_it_opened_and_re_arms(
    conn: psycopg.Connection,
) -> None:
    dic(conn, 30)
    conn.execute("update app.regra_alerta set ativa = false")
    dic(conn, 30, at=1)
    conn.execute(
        "update app.regra_alerta set ativa = true where chave = 'dic_conjunto_dobro_da_mediana'"
    )
    assert len(dic(conn, 30, at=2).opened) == 1
    assert [row[-1] for row in history(conn)] == ["regra_desligada", None]


def test_a_simulation_says_it_and_changes_nothing(conn: psycopg.Connection) -> None:
    conn.execute("update marts.resumo_conjunto set media_dic_anual_h = 30")
    assert len(judge(conn, NOON, simulate=True).opened) == 2
    assert history(conn) == []


def test_nothing_is_judged_while_a_build_is_under_way(conn: psycopg.Connection) -> None:
    """Its marts may be half of the old safra and half of the new: alerts would close and reopen."""
    dic(conn, 30)
    conn.execute("delete from marts.resumo_conjunto")
    with psycopg.connect("", autocommit=True) as building:
        building.execute(f"select pg_advisory_lock({ledger.DBT_LOCK})")
        assert judge(conn, NOON + HOUR).building
        assert history(conn)[0][-1] is None
    with psycopg.connect("", autocommit=True) as building:
        building.execute(f"select pg_advisory_lock({ledger.DBT_LOCK})")
        building.execute(f"select pg_advisory_unlock({ledger.DBT_LOCK})")
    assert not judge(conn, NOON + HOUR).building


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("metrica = 'lua'", "não há a métrica lua"),
        ("nivel = 'uc'", "não é de nível uc"),
        ("janela_meses = 3", "só pode ser 12"),
        ("destinatarios = '{dona maria}'", "nem e-mail nem nome de webhook: dona maria"),
    ],
)
def test_a_rule_that_cannot_be_judged_says_why_and_stops_no_other(
    conn: psycopg.Connection, change: str, why: str
) -> None:
    conn.execute(
        "insert into app.regra_alerta (chave, titulo, metrica, nivel, limite)"
        " values ('a_minha', 'DIC alto', 'dic_anual_h', 'conjunto', 25)"
    )
    conn.execute(f"update app.regra_alerta set {change} where chave = 'a_minha'")
    judged = dic(conn, 30)
    assert why in judged.problems["a_minha"]
    assert len(judged.opened) == 1


def test_a_client_is_the_same_from_one_year_to_the_next(conn: psycopg.Connection) -> None:
    """Its uc_id is another one then; its layer and code are not. The worst month is the figure."""
    conn.execute("update app.regra_alerta set ativa = (chave = 'cliente_acima_do_tipico')")
    for year, unit, kwh in ((2024, 1, 900), (2025, 2, 700)):
        uc = f"00000000-0000-8000-8000-00000000000{unit}"
        conn.execute(
            "insert into marts.mart_lead_safra values (%s, %s, 401, 'UCMT', 'U1', 'Panambi', 'IN')",
            [uc, year],
        )
        for month, value in ((3, kwh), (4, 450), (5, 1)):
            conn.execute(
                "insert into marts.mart_anomalia"
                " values ('uc', %s, %s, 401, %s, 'desvio_proprio', %s, %s, 100, 'Em …')",
                [uc, uc, year, month, value],
            )
    judge(conn, NOON)
    assert history(conn) == [("UCMT|U1", 9, 9, None)]
    conn.execute("insert into marts.safra_publicada values (2025, 401, 'Mux')")
    judge(conn, NOON + HOUR)
    assert history(conn) == [("UCMT|U1", 9, 7, None)]
    conn.execute("update app.regra_alerta set janela_meses = 9")
    judge(conn, NOON + 2 * HOUR)
    assert history(conn) == [("UCMT|U1", 9, 4.5, None)], "March is out, 4.5 within the hysteresis"
    conn.execute("delete from marts.mart_anomalia where ano = 2025")
    judge(conn, NOON + 3 * HOUR)
    assert [row[-1] for row in history(conn)] == ["voltou"]


def test_what_a_person_made_of_a_rule_stays(conn: psycopg.Connection) -> None:
    """Edited, deleted: neither comes back by a later version of the tables; a new default comes."""
    conn.execute("update app.regra_alerta set limite = 3 where chave like 'dic_conjunto_dobro%'")
    conn.execute("delete from app.regra_alerta where chave = 'queda_no_municipio'")
    conn.execute("delete from app.regra_padrao where chave = 'cliente_acima_do_tipico'")
    conn.execute("delete from app.regra_alerta where chave = 'cliente_acima_do_tipico'")
    db.prepare(conn, force=True)
    rules = dict(conn.execute("select chave, limite from app.regra_alerta").fetchall())
    assert rules["dic_conjunto_dobro_da_mediana"] == 3
    assert "queda_no_municipio" not in rules
    assert rules["cliente_acima_do_tipico"] == 5


def test_nobody_opens_a_second_alert_of_one_rule_and_thing(conn: psycopg.Connection) -> None:
    """Not even of a thing without distributor."""
    conn.execute(
        "insert into marts.resumo_municipio (ano, municipio_id, municipio) values (2024, 1, 'A')"
    )
    dic(conn, 30)
    again = (
        "insert into app.alerta (regra, distribuidora_id, nivel, alvo, ano, valor_abertura, limite,"
        " aberto_em, visto_em, evidencia)"
        " select regra, null, nivel, alvo, ano, 1, 1, aberto_em, visto_em, '{}'"
        " from app.alerta limit 1"
    )
    conn.execute(again)
    with pytest.raises(psycopg.errors.UniqueViolation):
        conn.execute(again)


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_is_judged_at_each_of_its_levels(conn: psycopg.Connection, name: str) -> None:
    conn.execute("delete from app.regra_alerta")
    for level in METRICS[name].queries:
        conn.execute(
            "insert into app.regra_alerta (chave, titulo, metrica, nivel, limite)"
            " values (%s, 'x', %s, %s, 1)",
            [f"r_{level}", name, level],
        )
    assert judge(conn, NOON).problems == {}

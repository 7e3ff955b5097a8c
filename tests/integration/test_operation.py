"""What the warehouse says of its own work: how much, how fast, how much of it failed.

Not here: what is wrong now (test_health.py).
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from server import roles
from tests.integration import warehouse as a

LONG_AGO = date(2025, 3, 1)


@pytest.fixture
def own(conn: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """A transaction that is taken back."""
    with conn.transaction(force_rollback=True):
        yield conn


def steps(conn: psycopg.Connection, day: date | None = None) -> dict[str, dict[str, Any]]:
    """Step → its row, of a day or of the newest."""
    query = "select * from marts.mart_operacao where dia = coalesce(%s, dia) order by dia"
    rows = conn.cursor(row_factory=dict_row).execute(query, [day])
    return {row["etapa"]: row for row in rows}


def test_a_build_is_told_node_by_node(conn: psycopg.Connection) -> None:
    found = steps(conn)
    landed, built, tested, published = (
        found[step] for step in ("carga", "construcao", "testes", "publicacao")
    )
    assert (landed["execucoes"], landed["falhas"], landed["safras"]) == (2, 0, 2)
    rows = "select sum(linhas_processadas), sum(linhas_rejeitadas) from intel_lead.import_status"
    assert (landed["linhas"], landed["rejeitadas"]) == conn.execute(rows).fetchone()
    models = "select count(distinct modelo) from controle.safra_construida"
    assert built["execucoes"] > a.value(conn, models)
    assert built["safras"] is None
    assert tested["execucoes"] > 100
    assert (tested["falhas"], tested["parte_com_sucesso"]) == (0, 1)
    leads = "select count(*) from intel_lead.lead_bruto"
    assert (published["safras"], published["linhas"]) == (2, a.value(conn, leads))
    exceptions = "select sum(linhas) from intel_lead.qualidade_excecao"
    assert published["excecoes"] == (a.value(conn, exceptions) or 0)


def test_what_has_no_rows_of_its_own_is_told_too(
    warehouse: a.Warehouse, conn: psycopg.Connection
) -> None:
    """One view alone, as the page's *Materialize* asks for it: no node of it counts rows."""
    count = "select count(*) from controle.execucao_no where no = 'dispositivo'"
    before = a.value(conn, count)
    done = warehouse.build("--select", "dispositivo", "--exclude", "resource_type:test")
    assert done.code == 0, done.text
    assert a.value(conn, count) == before + 1


def test_shares_and_speeds_are_of_what_was_done(own: psycopg.Connection) -> None:
    """Two files, one of three layers in 10 s, one that failed; three tests, one of which failed."""
    own.execute("""
        insert into intel_lead.import_status
            (arquivo, ano, distribuidora_id, camada, status, linhas_processadas, linhas_rejeitadas,
            data_inicio, data_fim, erro)
        select 'a.zip', 2024, 404, c::intel_lead.camada_enum, 'completed'::intel_lead.status_enum,
            100, 25,
            '2025-03-01 12:00:01-03'::timestamptz, '2025-03-01 12:00:11-03'::timestamptz, null
        from unnest('{UCBT,UCMT,PONNOT}'::text[]) as c
        union all select 'b.zip', null, null, null::intel_lead.camada_enum,
            'failed'::intel_lead.status_enum, 0, 0,
            '2025-03-01 13:00:00-03'::timestamptz, '2025-03-01 13:00:02-03'::timestamptz, 'cortado'
        """)
    own.execute("""
        insert into controle.execucao_no
        select gen_random_uuid(), '2025-03-02 02:30:00+00'::timestamptz, tipo, no,
            situacao, 2, linhas
        from (values ('test', 'x', 'pass', null), ('test', 'y', 'fail', 3),
            ('test', 'z', 'warn', 1), ('test', 'w', 'skipped', null), ('model', 'm', 'success', 500)
        ) as v (tipo, no, situacao, linhas)""")
    found = steps(own, LONG_AGO)
    landed, tested, built = found["carga"], found["testes"], found["construcao"]
    assert (landed["execucoes"], landed["falhas"], landed["parte_com_sucesso"]) == (2, 1, 0.5)
    assert (landed["segundos"], landed["linhas"], landed["linhas_por_segundo"]) == (12, 300, 25)
    assert (landed["rejeitadas"], landed["parte_rejeitada"]) == (75, 0.2)
    assert (landed["safras"], landed["segundos_por_safra"]) == (1, 12)
    assert (tested["execucoes"], tested["falhas"]) == (3, 1)
    assert tested["parte_com_sucesso"] == pytest.approx(2 / 3)
    assert (built["linhas"], built["segundos"], built["safras"]) == (500, 2, None)


def test_calls_of_the_api_are_counted_and_nobody_named(own: psycopg.Connection) -> None:
    own.execute("""
        insert into app.auditoria (pedido, usuario, metodo, caminho, status, duracao_ms)
        select gen_random_uuid(), 'ana', 'GET', '/api/v1/leads/x', s, d
        from (values (200, 10), (200, 20), (404, 30), (500, 1000)) as v (s, d)""")
    row = steps(own)["api/leads"]
    assert (row["execucoes"], row["falhas"], row["p50_ms"]) == (4, 1, 25)
    assert 800 < row["p95_ms"] < 1000
    assert "ana" not in str(row)


def test_what_readers_ask_of_a_view_is_counted_where_the_server_counts(
    warehouse: a.Warehouse, conn: psycopg.Connection
) -> None:
    """Not what the owner asks, who builds; nothing where the server does not count."""
    counted = "select execucoes, segundos, dia from marts.mart_operacao where etapa = %s"
    lead = "leitura/mart_lead"
    assert conn.execute(counted, [lead]).fetchall() == []
    conn.execute("create extension pg_stat_statements")
    try:
        conn.execute("select count(*) from marts.mart_lead")
        with conn.transaction(force_rollback=True):
            conn.execute("create role leitor_de_teste")
            conn.execute("grant usage on schema marts to leitor_de_teste")
            conn.execute("grant select on marts.mart_lead, marts.mart_operacao to leitor_de_teste")
            conn.execute("set local role leitor_de_teste")
            # Twice in one query is one query of it.
            twice = 'marts.mart_lead inner join "marts"."mart_lead" as outro using (uc_id)'
            for _ in range(3):
                conn.execute(f"select count(*) from {twice}")
            ((calls, seconds, day),) = conn.execute(counted, [lead]).fetchall()
            assert calls == 3
            assert 0 < seconds < 60
        since = "select (stats_reset at time zone 'America/Sao_Paulo')::date"
        assert conn.execute(f"{since} from pg_stat_statements_info").fetchone() == (day,)
    finally:
        conn.execute("drop extension pg_stat_statements")


def test_readers_read_it(warehouse: a.Warehouse, conn: psycopg.Connection) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PGDATABASE", warehouse.env["PGDATABASE"])
        roles.create_all(conn)
    try:
        with conn.transaction():
            conn.execute("set local role bi_leitor")
            assert steps(conn)["carga"]["safras"] == 2
    finally:
        for role in roles.ROLES:
            conn.execute(f"reassign owned by {role} to current_user")
            conn.execute(f"drop owned by {role}")
            conn.execute(f"drop role {role}")

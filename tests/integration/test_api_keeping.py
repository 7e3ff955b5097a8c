"""What the API keeps of logins and calls: counted for all processes, gone when it is old.

Not here: who gets in (test_api_access.py).
"""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from typer.testing import CliRunner

from api.auth.routes import OF_A_NAME, Limiter
from api.problems import Refusal
from server import retention
from tests.integration import warehouse as a
from tests.integration.api_client import PASSWORD, Api


def test_logins_are_counted_for_all_processes_at_once(api: Api) -> None:
    """Two applications, as two workers are, on one database; and six at the same moment."""
    other = Limiter(api.app.state.pools.app)
    for limiter in (api.app.state.limiter, other) * 2:
        limiter.hit(OF_A_NAME, "login", "192.0.2.1", "duplo")
    other.hit(OF_A_NAME, "login", "192.0.2.1", "duplo")
    with pytest.raises(Refusal):
        api.app.state.limiter.hit(OF_A_NAME, "login", "192.0.2.1", "duplo")
    with ThreadPoolExecutor(12) as at_once:
        key = (OF_A_NAME, "login", "192.0.2.2", "corrida")
        done = [at_once.submit(Limiter(api.app.state.pools.app).hit, *key) for _ in range(12)]
    assert sum(one.exception() is None for one in done) == 5


def test_what_is_old_goes_and_a_young_trail_stays(
    api: Api, conn: psycopg.Connection, warehouse: a.Warehouse
) -> None:
    tokens = api.log_in("leitor", PASSWORD).json()
    api.log_in("comercial", PASSWORD)
    conn.execute(
        "insert into app.auditoria (pedido, metodo, caminho, status, duracao_ms, quando)"
        " select gen_random_uuid(), 'GET', '/velha', 200, 1, now() - n * interval '1 day'"
        " from unnest(array[31, 364, 366, 900]) as n"
    )
    conn.execute(
        "update app.sessao set encerrada_em = now() - interval '40 days', motivo = 'saida'"
        " where usuario_id = (select id from app.usuario where nome = 'comercial')"
    )
    api.forget_logins()
    young = a.value(
        conn, "select count(*) from app.auditoria where quando > now() - interval '1 h'"
    )
    done = CliRunner().invoke(retention.app, [], env=dict(warehouse.env))
    assert done.exit_code == 0, done.output
    left = "select count(*) from app.auditoria where caminho = '/velha'"
    assert a.value(conn, left) == 2
    gone = "select count(*) from app.sessao where encerrada_em < now() - interval '39 days'"
    assert a.value(conn, gone) == 0
    assert api.with_token(tokens["token_acesso"]).status_code == 200
    still = a.value(
        conn, "select count(*) from app.auditoria where quando > now() - interval '1 h'"
    )
    assert still >= young
    assert CliRunner().invoke(retention.app, ["--auditoria", "3"]).exit_code == 2
    with pytest.raises(psycopg.Error, match="trinta dias"):
        conn.execute("select app.poda(3, 30)")
    with pytest.raises(psycopg.Error, match="só cresce"):
        conn.execute("delete from app.auditoria")
    with api.writing() as own, pytest.raises(psycopg.errors.InsufficientPrivilege):
        own.execute("set app.poda = 'sim'")
        own.execute("delete from app.auditoria")

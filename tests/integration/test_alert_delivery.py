"""Deliveries to receivers that misbehave: once each, late rather than never, never twice by note.

Not here: what opens an alert (test_alerts.py). The clock is an argument: nothing waits.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_string

import psycopg
import pytest

from alerts import crm, delivery
from alerts.judge import judge
from loaders import connection as db
from tests.conftest import CLONE
from tests.integration import receivers
from tests.integration.test_alerts import MARTS

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
STATE = "select situacao, tentativas, ultimo_erro from app.entrega order by id"


@pytest.fixture
def conn(empty_database_env: dict[str, str]) -> Iterator[psycopg.Connection]:
    """One conjunto far above its median, and a rule that tells webhook ``sala`` of it."""
    with psycopg.connect("", autocommit=True) as connection:
        connection.execute(MARTS)
        db.prepare(connection)
        connection.execute(
            "delete from app.regra_alerta where chave not like 'dic_conjunto_dobro%'"
        )
        connection.execute("update app.regra_alerta set destinatarios = '{sala}'")
        connection.execute(
            "update marts.resumo_conjunto set media_dic_anual_h = 30 where conjunto_id = 7"
        )
        yield connection


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Iterator[receivers.Receiver]:
    """Webhook ``sala``."""
    with receivers.web() as receiver:
        monkeypatch.setenv("INTEL_WEBHOOK_SALA", receiver.url)
        monkeypatch.setenv("INTEL_WEBHOOK_SALA_TOKEN", "segredo")
        yield receiver


def state(conn: psycopg.Connection) -> list[tuple]:
    return conn.execute(STATE).fetchall()


def test_an_opening_is_delivered_once_with_its_evidence(
    conn: psycopg.Connection, room: receivers.Receiver
) -> None:
    for hour in range(3):
        judge(conn, NOON + hour * HOUR)
        delivery.send(conn, NOON + hour * HOUR)
    ((headers, body),) = room.got
    assert headers["Authorization"] == "Bearer segredo"
    assert headers["Idempotency-Key"] == body["chave"]
    assert (body["regra"], body["alvo"], body["valor"]) == ("dic_conjunto_dobro_da_mediana", "7", 3)
    assert body["evidencia"]["media_dic_anual_h"] == 30
    assert state(conn) == [("entregue", 1, None)]


@pytest.mark.parametrize(
    ("behaviour", "why"),
    [(500, "respondeu 500"), (302, "respondeu 302"), ("close", "sem resposta (ConnectionError)")],
)
def test_a_receiver_that_misbehaves_gets_it_later_with_the_same_key(
    conn: psycopg.Connection, room: receivers.Receiver, behaviour: int | str, why: str
) -> None:
    room.behaviour = behaviour
    judge(conn, NOON)
    assert delivery.send(conn, NOON).errors == {"sala": why}
    assert delivery.send(conn, NOON + timedelta(seconds=59)).errors == {}, "its time has not come"
    room.behaviour = 200
    assert delivery.send(conn, NOON + timedelta(seconds=60)).delivered == 1
    assert len(set(room.keys)) == 1
    assert state(conn) == [("entregue", 2, None)]


def test_what_opens_and_closes_and_opens_while_the_receiver_is_down_arrives_once_each(
    conn: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody listens at first; then both openings arrive, in their order, and nothing more."""
    monkeypatch.setenv("INTEL_WEBHOOK_SALA", "http://127.0.0.1:1/")
    for hour, dic in enumerate((30, 10, 40)):
        conn.execute(
            "update marts.resumo_conjunto set media_dic_anual_h = %s where conjunto_id = 7", [dic]
        )
        judge(conn, NOON + hour * HOUR)
        assert delivery.send(conn, NOON + hour * HOUR).delivered == 0
    with receivers.web() as room:
        monkeypatch.setenv("INTEL_WEBHOOK_SALA", room.url)
        for hour in range(24, 27):
            judge(conn, NOON + hour * HOUR)
            delivery.send(conn, NOON + hour * HOUR)
        assert [body["valor"] for _, body in room.got] == [3, 4]
        assert len(set(room.keys)) == 2


def test_who_dies_between_the_send_and_the_note_sends_again_with_the_same_key(
    conn: psycopg.Connection, room: receivers.Receiver, empty_database_env: dict[str, str]
) -> None:
    """At least once: the receiver has it twice, and can tell by the key."""
    judge(conn, NOON)
    script = (
        "import os, psycopg, requests\n"
        "from datetime import UTC, datetime, timedelta\n"
        "from alerts import delivery\n"
        "post = requests.post\n"
        "def then_die(*given, **named):\n"
        "    post(*given, **named)\n"
        "    os.kill(os.getpid(), 9)\n"
        "requests.post = then_die\n"
        "with psycopg.connect('', autocommit=True) as conn:\n"
        "    delivery.send(conn, datetime(2026, 11, 29, 12, tzinfo=UTC))\n"
    )
    environ = {**os.environ, **empty_database_env}
    died = subprocess.run([sys.executable, "-c", script], cwd=CLONE, env=environ, check=False)
    assert died.returncode == -signal.SIGKILL
    assert len(room.got) == 1
    assert state(conn) == [("pendente", 0, None)]
    assert delivery.send(conn, NOON).delivered == 1
    assert room.keys == [room.keys[0]] * 2


def test_two_senders_never_take_the_same_delivery(
    conn: psycopg.Connection, room: receivers.Receiver
) -> None:
    judge(conn, NOON)
    with psycopg.connect("") as other:
        other.execute("select from app.entrega for update")
        assert delivery.send(conn, NOON).delivered == 0
    assert delivery.send(conn, NOON).delivered == 1


def test_a_dead_letter_keeps_the_last_error_and_can_be_revived(
    conn: psycopg.Connection, room: receivers.Receiver
) -> None:
    """After the last attempt, two days after the first, and not before."""
    room.behaviour, now = 500, NOON
    judge(conn, now)
    for attempt in range(1, delivery.ATTEMPTS + 1):
        assert state(conn)[0][:2] == ("pendente", attempt - 1)
        delivery.send(conn, now)
        now += delivery.delay(attempt)
    assert state(conn) == [("morta", delivery.ATTEMPTS, "respondeu 500")]
    assert now - NOON > timedelta(days=2)
    room.behaviour = 200
    assert delivery.send(conn, now).delivered == 0
    assert delivery.revive(conn, now) == 1
    assert delivery.send(conn, now).delivered == 1
    assert len(set(room.keys)) == 1


def test_one_receiver_that_is_down_costs_one_attempt_and_delays_no_other(
    conn: psycopg.Connection, room: receivers.Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTEL_WEBHOOK_FORA", "http://127.0.0.1:1/")
    conn.execute("update app.regra_alerta set destinatarios = '{fora,sala,ninguem}'")
    conn.execute("update marts.resumo_conjunto set media_dic_anual_h = 30 where conjunto_id = 8")
    judge(conn, NOON)
    sent = delivery.send(conn, NOON)
    assert (sent.delivered, sent.waiting) == (2, 4)
    assert sent.errors["ninguem"] == "INTEL_WEBHOOK_NINGUEM não está no ambiente nem em .env"
    tried = "select count(*) from app.entrega where destino = 'fora' and tentativas = 1"
    assert conn.execute(tried).fetchone() == (1,)


def test_no_error_tells_the_address(
    conn: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may hold a secret, and analysts read the table."""
    monkeypatch.setenv("INTEL_WEBHOOK_SALA", "http://127.0.0.1:1/chave-secreta")
    judge(conn, NOON)
    sent = delivery.send(conn, NOON)
    assert "secreta" not in str(sent) + str(state(conn))


def test_an_email_says_it_in_words_once_and_carries_the_key(
    conn: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A title with a line break, which a person may write, makes no header of its own."""
    conn.execute(
        "update app.regra_alerta set destinatarios = '{ana@exemplo.br}',"
        " titulo = E'DIC alto\\nBcc: todos@exemplo.br'"
    )
    judge(conn, NOON)
    with receivers.mail() as (port, messages):
        for name, value in {"HOST": "127.0.0.1", "PORT": str(port), "TLS": "nao"}.items():
            monkeypatch.setenv(f"INTEL_SMTP_{name}", value)
        for _ in range(2):
            delivery.send(conn, NOON)
        (message,) = map(message_from_string, messages)
    (key,) = conn.execute("select chave::text from app.entrega").fetchone()
    assert (message["To"], message["Bcc"], message["Idempotency-Key"]) == (
        "ana@exemplo.br",
        None,
        key,
    )
    assert "DIC alto" in message["Subject"]
    assert state(conn) == [("entregue", 1, None)]


def test_a_mail_server_that_is_down_gets_it_later(
    conn: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    conn.execute("update app.regra_alerta set destinatarios = '{ana@exemplo.br}'")
    judge(conn, NOON)
    monkeypatch.setenv("INTEL_SMTP_HOST", "127.0.0.1")
    monkeypatch.setenv("INTEL_SMTP_PORT", "1")
    delivery.send(conn, NOON)
    assert state(conn) == [("pendente", 1, "sem SMTP (ConnectionRefusedError)")]


def test_a_lead_is_pushed_once_for_a_receiver(
    conn: psycopg.Connection, room: receivers.Receiver
) -> None:
    """Pushed again, the next year with another score: the CRM has it already."""
    lead = {"oferta": "migracao", "distribuidora_id": 401, "camada": "UCMT", "cod_id": "U1"}
    assert crm.push(conn, [lead | {"score": 80}], "sala", NOON) == 1
    assert crm.push(conn, [lead | {"score": 90}], "sala", NOON) == 0
    assert crm.push(conn, [lead | {"oferta": "backup"}], "sala", NOON) == 1
    assert delivery.send(conn, NOON).delivered == 2
    assert room.got[0][1]["score"] == 80

"""AICSS readings that arrive one by one: a pipe, MQTT by a real Mosquitto. Not here: files."""

import getpass
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import paho.mqtt.client as paho
import psycopg
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from loaders import connection as db
from loaders.aicss import landing, serial
from loaders.aicss.mqtt import Broker, Message, device_of, records_of
from loaders.aicss.stream import Stream
from tests.integration import warehouse as a

CLONE = Path(__file__).resolve().parents[2]
MOSQUITTO = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")

pytestmark = pytest.mark.usefixtures("empty_database_env")
needs_mosquitto = pytest.mark.skipif(
    MOSQUITTO is None, reason="sem o broker: sudo apt-get install mosquitto"
)


@pytest.fixture
def con(empty_database_env: dict[str, str]) -> Iterator[psycopg.Connection]:
    with db.connect() as conn:
        db.prepare(conn)
        landing.prepare(conn)
        yield conn


def count(conn: psycopg.Connection, where: str = "true") -> int:
    return conn.execute(f"select count(*) from raw.aicss_leitura where {where}").fetchone()[0]


def start(*arguments: str, given: int | None = None, **env: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "loaders", *arguments],
        cwd=CLONE,
        env={**os.environ, **env},
        stdin=given or subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def ended(process: subprocess.Popen[str], *, by: int = signal.SIGTERM) -> str:
    process.send_signal(by)
    said, _ = process.communicate(timeout=a.PATIENCE_S)
    return said


def test_a_pipe_that_stays_open_lands_as_it_comes(con: psycopg.Connection) -> None:
    """Before it ends, each line with the time of its arrival; SIGTERM ends it and loses nothing."""
    out, into = os.pipe()
    running = start("aicss", "-", "--dispositivo", "porta", given=out)
    os.close(out)
    os.write(into, "rst:0x1\nLuz: 1 | Distância: 87 cm\r\nLuz: 2 | Distância: 88 cm\r\n".encode())
    a.until(lambda: count(con) == 2)
    os.write(into, "Luz: 3 | Distân".encode())
    os.write(into, "cia: 89 cm\r\n12:00:00 -> Luz: 4 | Distância: 9 cm\r\n".encode())
    a.until(lambda: count(con) == 4)
    said = ended(running)
    os.close(into)
    assert running.returncode == 0, said
    assert "5 registros, 4 leituras, 0 repetidas, 0 conflitos, 1 ilegiveis" in said
    found = con.execute(
        "select luz, origem_horario, dispositivo_id, arquivo ~ '^- 20',"
        " medido_em between now() - interval '13 hours' and now() + interval '13 hours'"
        " from raw.aicss_leitura order by luz"
    ).fetchall()
    ways = ["chegada", "chegada", "chegada", "derivado"]
    assert found == [(n, way, "porta", True, True) for n, way in enumerate(ways, 1)]
    ledger = "select registros, leituras, ilegiveis, formato from controle.aicss_arquivo"
    assert con.execute(ledger).fetchall() == [(5, 4, 1, "serial")]


def test_a_slow_pipe_of_one_json_value_is_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list over several lines is nothing until it ends; JSON lines are read as they come."""
    monkeypatch.setattr(serial, "WHOLE_S", 0)
    for lines, rest, shape in (
        (b'[\n{"luz": 1},\n', b'{"luz": 2}]\n', None),
        (b'\n{"luz": 1}\n', b"", "json"),
        (b"Luz: 1 | Dist\xc3\xa2ncia: 2 cm\n", b"", "serial"),
    ):
        out, into = os.pipe()
        pipe = serial.Pipe(os.fdopen(out, "rb"))
        os.write(into, lines)
        with ThreadPoolExecutor(1) as looking:
            found = looking.submit(pipe.shape_of_lines)
            a.until(lambda pipe=pipe, lines=lines: len(pipe.head) == lines.count(b"\n"))
            os.write(into, rest)
            if shape is None:
                assert not found.done()
                os.close(into)
            assert found.result() == shape
        if shape is None:
            with pipe.whole() as file:
                assert file.read() == lines + rest


def test_a_csv_pipe_keeps_its_header_from_batch_to_batch(con: psycopg.Connection) -> None:
    out, into = os.pipe()
    running = start("aicss", "-", given=out)
    os.close(out)
    os.write(into, b"device_id,luz\na,1\n")
    a.until(lambda: count(con) == 1)
    os.write(into, b"b,2\ndevice_id,luz\nc,3,4\n")
    a.until(lambda: count(con, "dispositivo_id = 'b'") == 1)
    os.close(into)
    said, _ = running.communicate(timeout=a.PATIENCE_S)
    assert "3 registros, 2 leituras, 0 repetidas, 0 conflitos, 1 ilegiveis" in said


# ---- MQTT ----------------------------------------------------------------------------------------


@dataclass
class Mosquitto:
    """A broker of this test's own, that can be killed and started again."""

    folder: Path
    port: int
    settings: str
    process: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        config = self.folder / "mosquitto.conf"
        config.write_text(
            f"user {getpass.getuser()}\nlistener {self.port} 127.0.0.1\npersistence true\n"
            f"persistence_location {self.folder}/\nmax_queued_messages 0\n{self.settings}"
        )
        self.process = subprocess.Popen([MOSQUITTO, "-c", str(config)], stderr=subprocess.DEVNULL)
        a.until(self._answers)

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def save(self) -> None:
        """Have it write its sessions down, as it does by itself now and then."""
        saved = self.folder / "mosquitto.db"
        saved.unlink(missing_ok=True)
        self.process.send_signal(signal.SIGUSR1)
        a.until(saved.exists)

    def end(self, by: int = signal.SIGTERM) -> None:
        self.process.send_signal(by)
        self.process.wait(timeout=a.PATIENCE_S)


@pytest.fixture
def broker(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Mosquitto]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = getattr(request, "param", "allow_anonymous true\n")
    there = Mosquitto(tmp_path, port, settings.format(folder=tmp_path))
    if "password_file" in there.settings:
        _secrets(tmp_path)
    there.begin()
    yield there
    there.end()


def _secrets(folder: Path) -> None:
    """A certificate for 127.0.0.1 and a user's password, as an administrator makes them."""
    made = [
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
        + ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
        + ["-keyout", f"{folder}/chave.pem", "-out", f"{folder}/ca.pem"],
        ["mosquitto_passwd", "-c", "-b", f"{folder}/senhas", "leitor", "segredo"],
    ]
    for command in made:
        subprocess.run(command, check=True, capture_output=True)


def publish(broker: Mosquitto, *messages: tuple[str, str], retain: bool = False) -> None:
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    sent = [client.publish(topic, text, qos=1, retain=retain) for topic, text in messages]
    for one in sent:
        one.wait_for_publish(a.PATIENCE_S)
    client.disconnect()
    client.loop_stop()


def reading(n: int) -> tuple[str, str]:
    return f"aicss/sala{n % 3}/dados", json.dumps({"luz": n, "distancia": 9})


@needs_mosquitto
def test_no_message_is_lost_and_none_lands_twice_whoever_is_killed(
    con: psycopg.Connection, broker: Mosquitto
) -> None:
    """The listener killed, the broker killed, the database's connections cut: each reading once."""
    listener = start("aicss-mqtt", f"127.0.0.1:{broker.port}")
    publish(broker, ("aicss/fora", "{}"))
    a.until(lambda: _heard(con, listener, broker))
    publish(broker, *map(reading, range(1, 200)))
    a.until(lambda: count(con, "luz between 1 and 199") > 20)
    listener.kill()
    listener.communicate()
    publish(broker, *map(reading, range(200, 400)))
    listener = start("aicss-mqtt", f"127.0.0.1:{broker.port}")
    a.until(lambda: count(con, "luz between 1 and 399") == 399)
    con.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where datname = current_database() and pid <> pg_backend_pid()"
    )
    publish(broker, *map(reading, range(400, 500)))
    a.until(lambda: count(con, "luz between 1 and 499") == 499)
    broker.save()
    broker.end(signal.SIGKILL)
    broker.begin()
    publish(broker, *map(reading, range(500, 600)))
    a.until(lambda: count(con, "luz between 500 and 599") == 100)
    said = ended(listener)
    assert listener.returncode == 0, said
    assert "conexão perdida" in said
    assert "nada se perdeu, nova tentativa" in said
    per = "select dispositivo_id, count(*), count(distinct luz) from raw.aicss_leitura"
    found = con.execute(f"{per} where luz > 0 group by 1 order by 1").fetchall()
    assert [row for row in found if row[1] != row[2]] == []
    assert sum(row[1] for row in found) == 599
    assert con.execute(
        "select count(*) = sum((registros = leituras + repetidas + ilegiveis)::integer)"
        " from controle.aicss_arquivo"
    ).fetchone() == (True,)


def _heard(con: psycopg.Connection, listener: subprocess.Popen[str], broker: Mosquitto) -> bool:
    """Whether the listener's session is there: what is published before it is for nobody."""
    assert listener.poll() is None, listener.stdout.read()
    publish(broker, ("aicss/sala0", '{"luz": 0}'))
    return count(con) > 0


@pytest.mark.faults
@needs_mosquitto
@pytest.mark.parametrize(
    "broker",
    [
        "allow_anonymous false\npassword_file {folder}/senhas\ncafile {folder}/ca.pem\n"
        "certfile {folder}/ca.pem\nkeyfile {folder}/chave.pem\n"
    ],
    indirect=True,
)
def test_a_broker_with_tls_and_passwords_is_heard_or_refuses_in_a_line(
    con: psycopg.Connection, broker: Mosquitto
) -> None:
    place, authority = f"127.0.0.1:{broker.port}", str(broker.folder / "ca.pem")
    secret = {"INTEL_MQTT_PASSWORD": "segredo"}
    arguments = ["aicss-mqtt", place, "--usuario", "leitor", "--ca", authority]
    listener = start(*arguments, **secret)

    def publish_by_tls() -> bool:
        client = paho.Client(CallbackAPIVersion.VERSION2)
        client.username_pw_set("leitor", "segredo")
        client.tls_set(authority)
        client.connect("127.0.0.1", broker.port)
        client.loop_start()
        client.publish("aicss/porao", '{"luz": 7}', qos=1).wait_for_publish(a.PATIENCE_S)
        client.disconnect()
        client.loop_stop()
        return count(con) > 0

    a.until(publish_by_tls)
    said = ended(listener)
    assert listener.returncode == 0, said
    assert "segredo" not in said
    wrong = start(*arguments, INTEL_MQTT_PASSWORD="outra")
    said, _ = wrong.communicate(timeout=a.PATIENCE_S)
    assert (wrong.returncode, "confira usuário" in said) == (3, True), said
    untrusted = start("aicss-mqtt", place, "--usuario", "leitor", "--tls", **secret)
    said, _ = untrusted.communicate(timeout=a.PATIENCE_S)
    assert (untrusted.returncode, "o TLS falhou" in said) == (3, True), said


# ---- what needs no broker ------------------------------------------------------------------------


def message(payload: bytes, topic: str = "aicss/sala", **kind: object) -> Message:
    known = {"mid": 1, "qos": 1, "again": False, "retained": False}
    known["arrived"] = datetime(2026, 3, 1, 12, tzinfo=UTC)
    return Message(topic, payload, **known | kind)


def test_a_message_that_comes_again_is_known_without_a_time_of_its_own(
    con: psycopg.Connection,
) -> None:
    """Committed and not acknowledged: the broker sends it again, flagged, with the same number."""
    from loaders.aicss.mqtt import _land

    where = Broker("x", 1, "aicss/#", "nós")
    stream = Stream("mqtt://x", "mqtt")
    _land(con, stream=stream, broker=where, messages=[message(b'{"luz": 1}')])
    later = datetime(2026, 3, 1, 12, 1, tzinfo=UTC)
    again = [message(b'{"luz": 1}', mid=n, again=True, arrived=later) for n in (1, 2)]
    _land(con, stream=stream, broker=where, messages=again)
    assert (count(con), stream.total.repetidas) == (2, 1)


def test_months_are_made_as_readings_need_them_and_a_late_one_is_kept_once(
    con: psycopg.Connection,
) -> None:
    """A month begins at São Paulo's midnight."""
    from loaders.aicss.mqtt import _land

    where, stream = Broker("x", 1, "aicss/#", "nós"), Stream("mqtt://x", "mqtt")
    times = ["2026-03-01T02:59:59Z", "2026-03-01T03:00:00Z", "2025-01-15T10:00:00-03:00"]
    texts = [f'{{"luz": 5, "timestamp": "{t}"}}'.encode() for t in (*times, times[0])]
    batch = [message(text, mid=n) for n, text in enumerate(texts)]
    _land(con, stream=stream, broker=where, messages=batch)
    _land(con, stream=stream, broker=where, messages=batch)
    found = con.execute(
        "select tableoid::regclass::text, count(*) from raw.aicss_leitura group by 1 order by 1"
    ).fetchall()
    months = ["2025_01", "2026_02", "2026_03"]
    assert found == [(f"raw_safra.aicss_leitura_{month}", 1) for month in months]
    assert stream.total.repetidas == 5


@pytest.mark.parametrize(
    ("topic", "subscription", "device"),
    [
        ("aicss/sala/dados", "aicss/#", "sala"),
        ("casa/aicss/sala", "casa/+/+", "aicss"),
        ("aicss/sala", "aicss/sala", "sala"),
        ("aicss", "aicss/#", None),
    ],
)
def test_the_device_stands_at_the_first_wildcard(
    topic: str, subscription: str, device: str | None
) -> None:
    assert device_of(topic, subscription) == device


def test_every_message_is_accounted_for_even_one_that_says_nothing() -> None:
    """A retained message without a time is old, and nobody knows how old."""
    payloads = [b"", b"lixo", b'[{"luz": 1}, {"luz": 2}]', "Luz: 1 | Distância: 2 cm".encode()]
    read = [list(records_of(message(p), 7, "aicss/#")) for p in payloads]
    assert [[r.reason is None for r in one] for one in read] == [
        [False],
        [False],
        [True] * 2,
        [True],
    ]
    old = message(b'{"luz": 1}', retained=True)
    assert next(records_of(old, 1, "aicss/#")).reason == "mensagem retida no broker, sem horário"
    timed = message(b'{"luz": 1, "timestamp": "2026-01-01T00:00:00Z"}', retained=True)
    assert next(records_of(timed, 1, "aicss/#")).reason is None

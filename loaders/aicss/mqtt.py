"""Readings from an MQTT broker: each message at least once, each reading once.

Belongs here: the subscription, acknowledging after the commit, messages → records. Not here: what a
batch does (stream.py), options (mqtt_command.py).
The session outlives the process (clean_session off, a fixed client id): what is published while
nobody listens waits at the broker. A message is acknowledged once its batch is committed, so what a
kill cut off comes again; what had been committed is known by the device's own time, else by
``controle.aicss_mqtt_recebida``.
"""

import logging
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import md5
from io import BytesIO
from queue import Queue
from time import monotonic
from typing import Any
from uuid import UUID

import paho.mqtt.client as paho
import psycopg
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from loaders.aicss.records import FIELD_OF, READERS, Record, format_of, plain_name
from loaders.aicss.stream import BATCH_S, REPORT_S, Database, Stream, batch, begun
from loaders.aicss.text import lines
from loaders.errors import InvalidInput

MOST = 500
IN_FLIGHT = (20, 0.05)
"""Mosquitto sends no more than 20 unacknowledged messages unless it is told to: with so many in
hand and none following, waiting brings nothing."""
_REMEMBERED = 5000
"""How many committed messages are known again; more are never on their way at once."""
RETRY_S = (1, 60)
NO_TIME = "mensagem retida no broker, sem horário"
EMPTY = "mensagem sem leitura"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Broker:
    """Where to listen, and as whom. Secrets come from the environment (mqtt_command.py).

    Attributes:
        client: the session's id: two processes may not share one.
        authority: file of the certificate authority; None with ``tls``: the system's.
    """

    host: str
    port: int
    topic: str
    client: str
    user: str | None = None
    password: str | None = None
    tls: bool = False
    authority: str | None = None


@dataclass(frozen=True)
class Message:
    """One message as it came."""

    topic: str
    payload: bytes
    arrived: datetime
    mid: int
    qos: int
    again: bool
    retained: bool

    @property
    def md5(self) -> UUID:
        """What it is, for telling one that comes again."""
        content = self.topic.encode() + b"\0" + self.payload
        return UUID(bytes=md5(content, usedforsecurity=False).digest())


class Listener:
    """The connection to the broker, kept up by paho's own thread."""

    def __init__(self, broker: Broker, refused: threading.Event) -> None:
        """Set it up; ``start`` connects. ``refused`` is set when the broker says no for good."""
        self.queue: Queue[Message] = Queue()
        self.reason = ""
        self._broker, self._refused = broker, refused
        self._client = client = paho.Client(
            CallbackAPIVersion.VERSION2, broker.client, clean_session=False, manual_ack=True
        )
        client.on_connect, client.on_disconnect = self._connected, self._disconnected
        client.on_message, client.on_connect_fail = self._arrived, self._failed
        client.on_subscribe = self._subscribed
        client.reconnect_delay_set(*RETRY_S)
        if broker.user:
            client.username_pw_set(broker.user, broker.password)
        if broker.tls:
            try:
                client.tls_set(ca_certs=broker.authority)
            except OSError as error:
                raise InvalidInput(
                    f"--ca {broker.authority}: não é certificado ({error})"
                ) from None

    def start(self) -> None:
        """Connect, now or when the broker is there.

        Raises:
            InvalidInput: who answers has no certificate that we trust, or speaks no TLS.
        """
        try:
            self._client.connect(self._broker.host, self._broker.port)
        except ssl.SSLError as error:
            raise InvalidInput(
                f"{self._place}: o TLS falhou ({error.reason}); confira a porta e --ca"
            ) from None
        except OSError as error:
            log.warning("%s: não responde (%s); tentando de novo", self._place, error.strerror)
            self._client.connect_async(self._broker.host, self._broker.port)
        self._client.loop_start()

    def stop(self) -> None:
        """Leave: the broker keeps the session, and what comes meanwhile."""
        self._client.disconnect()
        self._client.loop_stop()

    def acknowledge(self, messages: list[Message]) -> None:
        """Tell the broker that these are kept; after the commit, never before."""
        for message in messages:
            self._client.ack(message.mid, message.qos)

    def _connected(
        self, client: paho.Client, _data: object, _flags: object, code: ReasonCode, _props: object
    ) -> None:
        if code.is_failure:
            self._refuse(f"recusou a conexão ({code})", code.getName())
            return
        log.info("%s: conectado, ouvindo %s", self._place, self._broker.topic)
        client.subscribe(self._broker.topic, qos=1)

    def _subscribed(
        self, _client: object, _data: object, _mid: int, codes: list[ReasonCode], _props: object
    ) -> None:
        if any(code.is_failure for code in codes):
            self._refuse(f"não deixa ouvir {self._broker.topic}", "Not authorized")

    def _refuse(self, said: str, code: str) -> None:
        """A wrong password mends itself by no waiting; a broker that is starting does."""
        if code in ("Server unavailable", "Server busy"):
            log.warning("%s: %s; nova tentativa", self._place, said)
            return
        self.reason = f"{self._place}: {said}; confira usuário, INTEL_MQTT_PASSWORD e o tópico"
        self._refused.set()

    def _disconnected(
        self, _client: object, _data: object, _flags: object, code: ReasonCode, _props: object
    ) -> None:
        if code.is_failure and not self.reason:
            log.warning("%s: conexão perdida (%s); tentando de novo", self._place, code)

    def _failed(self, *_: object) -> None:
        log.warning("%s: o broker não responde; tentando de novo", self._place)

    def _arrived(self, _client: object, _data: object, m: paho.MQTTMessage) -> None:
        now = datetime.now(UTC)
        try:
            topic = m.topic
        except UnicodeDecodeError:  # an exception here would end paho's thread
            topic = ""
        self.queue.put(Message(topic, m.payload, now, m.mid, m.qos, m.dup, m.retain))

    @property
    def _place(self) -> str:
        return f"mqtt {self._broker.host}:{self._broker.port}"


def device_of(topic: str, subscription: str) -> str | None:
    """The device that a topic names: its level at the subscription's first wildcard.

    Without a wildcard, the last level.
    """
    levels, asked = topic.split("/"), subscription.split("/")
    place = next((n for n, level in enumerate(asked) if level in ("+", "#")), len(asked) - 1)
    return levels[place].strip() or None if place < len(levels) else None


def records_of(message: Message, number: int, subscription: str) -> Iterator[Record]:
    """What a message holds, one record at least; ``number`` is its line in the ledger."""
    device, at = device_of(message.topic, subscription), message.arrived
    text = message.payload.decode("utf-8", "replace")
    numbered = list(lines(BytesIO(message.payload.rstrip(b"\r\n") + b"\n")))
    shape = format_of(line for _, line in numbered)
    if shape is None:
        reason = "não é JSON, CSV com cabeçalho conhecido, nem texto serial do AICSS"
        yield Record(number, text, reason=EMPTY if not text.strip() else reason)
        return
    found = 0
    for found, record in enumerate(READERS[shape](iter(numbered)), 1):
        if message.retained and record.values is not None and not _has_time(record.values):
            yield Record(number, record.text, reason=NO_TIME)
            continue
        arrived = at + timedelta(microseconds=found - 1)
        yield replace(record, line=number, arrived=arrived, device=device)
    if not found:
        yield Record(number, text, reason=EMPTY)


def _has_time(values: dict[str, Any]) -> bool:
    named = {FIELD_OF.get(plain_name(name)) for name, value in values.items() if value}
    return bool(named & {"medido_em", "data", "hora"})


def listen(
    broker: Broker, conn: psycopg.Connection, stop: threading.Event, *, say: Callable[[str], object]
) -> None:
    """Land what is published until ``stop`` is set; then say what came of it.

    What has come and is not committed then is the broker's still, which sends it to the next run.

    Raises:
        InvalidInput: the broker refuses us.
        DatabaseFailure: stopped while no database answered.
    """
    listener, database = Listener(broker, stop), Database(conn, stop)
    stream = Stream(begun(f"mqtt://{broker.host}:{broker.port}/{broker.topic}"), "mqtt")
    listener.start()
    reported = monotonic()
    try:
        while found := _next(listener, stop):
            if messages := [m for m in found if m is not None]:
                database.use(partial(_land, stream=stream, broker=broker, messages=messages))
                listener.acknowledge(messages)
            if monotonic() - reported > REPORT_S:
                log.info("%s", stream)
                reported = monotonic()
    finally:
        listener.stop()
        database.close()
    say(str(stream))
    if listener.reason:
        raise InvalidInput(listener.reason)


def _next(listener: Listener, stop: threading.Event) -> list[Message | None]:
    """The next batch; ``[None]`` when nothing came, nothing when it is time to stop.

    What came at QoS 0 before the stop comes to nobody else: it is landed first.
    """
    stopped = stop.is_set()
    found = batch(listener.queue, most=MOST, idle=IN_FLIGHT, wait=0.01 if stopped else BATCH_S)
    return found or ([] if stopped else [None])


def _land(
    conn: psycopg.Connection, *, stream: Stream, broker: Broker, messages: list[Message]
) -> None:
    """Land a batch of messages but for those that were committed before."""
    seen = set(
        conn.execute(
            "select mid, md5 from controle.aicss_mqtt_recebida"
            " where cliente = %s and mid = any(%s)",
            [broker.client, [m.mid for m in messages if m.again]],
        ).fetchall()
    )
    fresh = []
    for message in messages:
        if not (message.again and (message.mid, message.md5) in seen):
            fresh.append(message)
        if message.qos:
            seen.add((message.mid, message.md5))
    records = [
        record
        for number, message in enumerate(fresh, stream.going.order + 1)
        for record in records_of(message, number, broker.topic)
    ]
    stream.land(
        conn,
        records,
        raw=b"\n".join(m.payload for m in messages),
        repeated=len(messages) - len(fresh),
        along=partial(_remember, client=broker.client, messages=fresh),
    )


def _remember(conn: psycopg.Connection, *, client: str, messages: list[Message]) -> None:
    """Note what is committed and not yet acknowledged, and forget what is long past."""
    conn.cursor().executemany(
        "insert into controle.aicss_mqtt_recebida (cliente, mid, md5) values (%s, %s, %s)",
        [(client, m.mid, m.md5) for m in messages if m.qos],
    )
    conn.execute(
        "delete from controle.aicss_mqtt_recebida where cliente = %(client)s and recebida_id <"
        " (select max(recebida_id) - %(most)s from controle.aicss_mqtt_recebida"
        "  where cliente = %(client)s)",
        {"client": client, "most": _REMEMBERED},
    )

"""``python -m loaders aicss-mqtt``: listens to a broker until it is stopped.

Belongs here: options, the environment's secrets. Not here: the listening itself (mqtt.py).
"""

import logging
import os
import threading
from pathlib import Path
from typing import Annotated

import typer

from loaders import connection as db
from loaders import environment
from loaders.aicss.landing import prepare
from loaders.aicss.mqtt import Broker, listen
from loaders.aicss.stream import stopped_by_signals
from loaders.errors import LoadError

PASSWORD = "INTEL_MQTT_PASSWORD"
LOCAL = ("localhost", "127.0.0.1", "::1")
HELP = (
    "Escuta um broker MQTT e aterrissa as leituras AICSS que chegam, até Ctrl-C ou SIGTERM. A senha"
    f" vem do ambiente ou de .env: {PASSWORD}."
)


def command(
    server: Annotated[str, typer.Argument(metavar="SERVIDOR[:PORTA]", help="Onde está o broker.")],
    *,
    topic: Annotated[
        str,
        typer.Option(
            "--topico",
            help="O que se assina. O nível no lugar do primeiro curinga é o aparelho, se a leitura"
            " não o diz.",
        ),
    ] = "aicss/#",
    user: Annotated[str | None, typer.Option("--usuario", help="Quem entra no broker.")] = None,
    tls: Annotated[bool, typer.Option("--tls", help="Conexão cifrada (porta 8883).")] = False,
    authority: Annotated[
        Path | None,
        typer.Option(
            "--ca",
            exists=True,
            dir_okay=False,
            help="Certificado de quem assina o do broker; sem ele, os do sistema. Liga --tls.",
        ),
    ] = None,
    client: Annotated[
        str,
        typer.Option(
            "--cliente",
            help="Nome da sessão no broker: o que se publica com este comando parado espera por"
            " ela. Dois processos não podem ter o mesmo.",
        ),
    ] = "intel-lead",
) -> None:
    """Listen to an MQTT broker. Exit: 0 stopped, 2 usage, 3 the broker refuses, 4 database."""
    tls = tls or authority is not None
    host, port = _place(server, tls=tls)
    password = os.environ.get(PASSWORD) or environment.read_file(environment.USER_FILE).get(
        PASSWORD
    )
    if password and not user:
        raise typer.BadParameter(f"{PASSWORD} pede um usuário", param_hint="--usuario")
    if password and not tls and host not in LOCAL:
        logging.warning("a senha vai em claro até %s: use --tls", host)
    broker = Broker(
        host, port, topic, client, user, password, tls, str(authority) if authority else None
    )
    stop = threading.Event()
    try:
        with stopped_by_signals(stop):
            conn = db.connect()
            db.prepare(conn)
            prepare(conn)
            listen(broker, conn, stop, say=typer.echo)
    except LoadError as error:
        typer.echo(f"erro: {error}", err=True)
        raise typer.Exit(error.code) from None


def _place(server: str, *, tls: bool) -> tuple[str, int]:
    host, _, port = server.removeprefix("mqtts://").removeprefix("mqtt://").rpartition(":")
    if not host or "]" in port:
        host, port = server, ""
    if port and not port.isdigit():
        raise typer.BadParameter(f"{port!r} não é uma porta", param_hint="SERVIDOR[:PORTA]")
    return host.strip("[]"), int(port or (8883 if tls else 1883))

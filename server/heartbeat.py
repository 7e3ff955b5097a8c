"""A sign of life to an outside address, which tells somebody when it stops coming.

Belongs here: asking the warehouse, then calling the address. Not here: how often (the timer that
server/services.py writes), who is told (the outside service), what is wrong here (health).
``python -m server.heartbeat``, address in INTEL_PULSO_URL; exit 0 told, 2 no address, 3 the address
did not take it, 4 the warehouse does not answer: nothing is told.
"""

import sys
from contextlib import closing

import psycopg
import requests
import typer

from loaders import connection as db
from loaders import environment, usage
from loaders.errors import DatabaseFailure, InvalidInput, LoadError

VARIABLE = "INTEL_PULSO_URL"
PATIENCE_S = 10

app = usage.App()


def ask_warehouse() -> None:
    """One question that readers ask too.

    Raises:
        DatabaseFailure: no server, or no warehouse in it.
    """
    try:
        with closing(db.connect()) as conn:
            conn.execute(f"set statement_timeout = '{PATIENCE_S}s'")
            conn.execute("select max(publicada_em) from marts.safra_publicada")
    except psycopg.Error as error:
        said = " ".join(str(error).split())
        raise DatabaseFailure(f"o armazém não responde ({said}): nenhum pulso") from None


def call(address: str) -> None:
    """GET the address, which is a secret: no message repeats it.

    Raises:
        InvalidInput: it is no such address, does not answer, or answers anything but success.
    """
    if not address.startswith(("https://", "http://")):
        raise InvalidInput(f"{VARIABLE} não é um endereço http(s)")
    try:
        status = requests.get(address, timeout=PATIENCE_S).status_code
    except requests.RequestException as error:
        raise InvalidInput(f"o endereço do pulso não responde ({type(error).__name__})") from None
    if not 200 <= status < 300:
        raise InvalidInput(f"o endereço do pulso respondeu {status}")


@app.command(
    help="Um sinal de vida para INTEL_PULSO_URL, só se o armazém responde."
    " Saída: 0 dado, 2 sem endereço, 3 o endereço não o aceitou, 4 o armazém não responde."
)
def pulse() -> None:
    """Tell the outside that the warehouse answers."""
    if not (address := environment.setting(VARIABLE)):
        sys.stderr.write(f"pulso: {VARIABLE} não está no ambiente nem em .env\n")
        raise typer.Exit(2)
    try:
        ask_warehouse()
        call(address)
    except LoadError as error:
        sys.stderr.write(f"pulso: {error}\n")
        raise typer.Exit(error.code) from None


if __name__ == "__main__":
    usage.run(app)

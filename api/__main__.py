"""``python -m api servir|usuario|girar|especificacao|referencia``.

Belongs here: commands, their words and exit codes. Not here: what they do.
Exit: 0 done, 2 usage, 3 a user, key or file that does not serve, 4 database.
"""

import getpass
import json
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_network
from typing import Annotated

import psycopg
import typer
import uvicorn

from api import database, reference
from api.auth import signing, users
from api.listings.catalogue import LISTINGS
from api.settings import Settings
from loaders import usage
from loaders.errors import DatabaseFailure, InvalidInput

app = usage.App(no_args_is_help=True)
user_app = usage.App(no_args_is_help=True)
app.add_typer(user_app, name="usuario", help="Quem pode chamar a API.")
PLACES = {listing.path for listing in LISTINGS if listing.partners}
PLACES |= {"leads", "analytics/consumo", "mapas", "ogc"}
"""What a partner may be kept to."""
Name = Annotated[str, typer.Argument(metavar="NOME", help="Como entra: minúsculas, sem espaços.")]


@app.callback(help="A API REST (docs/api.md). Saída: 0 feito, 2 uso, 3 não serve, 4 banco.")
def commands() -> None:
    """The REST API."""


@contextmanager
def writing() -> Iterator[psycopg.Connection]:
    """A connection to schema app; a refusal ends in one line and its exit code."""
    try:
        with database.connect_as(database.WRITER) as conn:
            yield conn
    except InvalidInput as error:
        sys.stderr.write(f"api: {error}\n")
        raise typer.Exit(3) from None
    except (psycopg.Error, DatabaseFailure) as error:
        sys.stderr.write(f"api: {error}\n")
        raise typer.Exit(4) from None


@app.command("servir", help="Serve a API até Ctrl-C, no endereço que diz.")
def serve() -> None:
    """Serve the API."""
    settings = Settings()
    if (settings.tls_certificate is None) != (settings.tls_key is None):
        sys.stderr.write("api: INTEL_API_TLS_CERTIFICATE e INTEL_API_TLS_KEY vão juntas\n")
        raise typer.Exit(2)
    with writing():
        if not settings.keys.exists():
            signing.rotate(settings.keys)
    scheme = "https" if settings.tls_certificate else "http"
    address = f"{scheme}://{settings.host}:{settings.port}"
    if (settings.panel / "index.html").is_file():
        typer.echo(f"Painel em {address}")
    else:
        typer.echo("Painel: ainda não foi montado (make painel)")
    typer.echo(f"API em {address}/api/v1/docs")
    uvicorn.run(
        "api.app:create_app",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        access_log=False,
        server_header=False,
        log_level="warning",
        h11_max_incomplete_event_size=16 * 1024,
        timeout_graceful_shutdown=10,
        proxy_headers=bool(settings.proxies),
        forwarded_allow_ips=[str(network) for network in settings.proxies],
        ssl_certfile=settings.tls_certificate,
        ssl_keyfile=settings.tls_key,
    )


@user_app.command(
    "criar",
    help="Cria um usuário; a senha se pergunta, ou se lê da entrada (uma linha), se não é um"
    " terminal; a chave se mostra uma vez.",
)
def create_user(
    name: Name,
    *,
    role: Annotated[users.Role, typer.Option("--papel", help="O que pode.")] = users.Role.READER,
    device: Annotated[
        str | None, typer.Option("--dispositivo", help="O dispositivo AICSS dele.")
    ] = None,
    networks: Annotated[
        list[str] | None, typer.Option("--rede", help="De que rede chama (CIDR). Repetível.")
    ] = None,
    quota: Annotated[
        int | None, typer.Option("--cota", min=1, help="Chamadas por dia, no máximo.")
    ] = None,
    routes: Annotated[
        list[str] | None,
        typer.Option("--rota", help="Só esta rota, como leads ou perdas/mensais. Repetível."),
    ] = None,
    made_up: Annotated[
        bool, typer.Option("--gerar-senha", help="Inventa a senha e a mostra, uma vez.")
    ] = False,
) -> None:
    """Make a user."""
    by_key = role in users.BY_KEY
    password = None if by_key else secrets.token_urlsafe(18) if made_up else _asked_password()
    try:
        wanted = tuple(ip_network(n) for n in networks or [])
    except ValueError as error:
        raise typer.BadParameter(f"não é rede: {error}", param_hint="--rede") from None
    if unknown := set(routes or []) - PLACES:
        said = f"não há {', '.join(sorted(unknown))}; há {', '.join(sorted(PLACES))}"
        raise typer.BadParameter(said, param_hint="--rota")
    with writing() as conn, conn.transaction():
        users.create(
            conn, users.NewUser(name, role, password, device, wanted, quota, tuple(routes or ()))
        )
        key = users.new_key(conn, name) if by_key else None
    typer.echo(f"usuário {name}, papel {role}")
    if made_up and password:
        typer.echo(f"senha, que não se mostra de novo: {password}")
    if key:
        typer.echo(f"chave, que não se mostra de novo: {key}")


def _asked_password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    password = getpass.getpass("senha: ")
    if getpass.getpass("de novo: ") != password:
        sys.stderr.write("api: as duas não são iguais\n")
        raise typer.Exit(3)
    return password


@user_app.command("listar", help="Quem há, e quantas sessões e chaves tem.")
def list_users() -> None:
    """List users."""
    with writing() as conn:
        for user in users.everyone(conn):
            state = "ativo" if user["ativo"] else "encerrado"
            typer.echo(
                f"{user['nome']:<24} {user['papel']:<12} {state:<10}"
                f" {user['sessoes']} sessões, {user['chaves']} chaves"
            )


@user_app.command("encerrar", help="Encerra uma conta: sessões e chaves acabam na hora.")
def stop_user(name: Name) -> None:
    """Stop a user."""
    with writing() as conn:
        if not users.stop(conn, name):
            raise InvalidInput(f"não há usuário {name}")
    typer.echo(f"{name} encerrado")


@user_app.command("reabrir", help="Reabre uma conta encerrada, com a senha de antes.")
def reopen_user(name: Name) -> None:
    """Let a closed user in again; one with keys is given a new one."""
    with writing() as conn, conn.transaction():
        role = users.reopen(conn, name)
        if role is None:
            raise InvalidInput(f"não há conta encerrada de nome {name}")
        key = users.new_key(conn, name) if role in users.BY_KEY else None
    typer.echo(f"{name} reaberto, papel {role}")
    if key:
        typer.echo(f"chave, que não se mostra de novo: {key}")


@user_app.command("chave", help="Mais uma chave para um parceiro ou dispositivo, mostrada uma vez.")
def new_key(name: Name) -> None:
    """Give a key."""
    with writing() as conn:
        typer.echo(users.new_key(conn, name))


@app.command("girar", help="Assina com uma chave nova; a anterior vale até a próxima vez.")
def rotate() -> None:
    """Rotate the keys that sign tokens."""
    typer.echo(f"assina agora: {signing.rotate(Settings().keys)[0]}")


@app.command("especificacao", help="Escreve a especificação (OpenAPI), em JSON.")
def write_specification() -> None:
    """Write the OpenAPI document."""
    from api.app import create_app

    with writing():
        typer.echo(json.dumps(create_app().spec(), ensure_ascii=False))


@app.command("referencia", help="Refaz as tabelas de rotas e recusas de docs/api.md.")
def write_reference() -> None:
    """Write the tables of docs/api.md anew."""
    from api.app import create_app

    with writing():
        spec = create_app().spec()
    page = reference.PAGE.read_text(encoding="utf-8")
    reference.PAGE.write_text(reference.written(page, spec), encoding="utf-8")
    typer.echo(f"{reference.PAGE} refeita")


if __name__ == "__main__":
    usage.run(app)

"""The database's roles: who lands, who builds, who reads. docs/security.md says how to use them.

Belongs here: roles, who owns what, privileges on schemas and raw. Not here: grants on what dbt
makes (config ``grants``, macros/papeis.sql), columns of raw leaves (loaders/bdgd/leaves.py).
``python -m server.roles create|list|drop``, as the database's owner with CREATEROLE or superuser;
passwords from INTEL_CARGA_PASSWORD, INTEL_DBT_PASSWORD, INTEL_API_PASSWORD, ANALISTA_PASSWORD,
BI_LEITOR_PASSWORD, GESTOR_ALERTA_PASSWORD, INTEL_APP_PASSWORD.
"""

import os
import re
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib import resources

import psycopg
import typer
from psycopg import sql

from loaders import connection as db
from loaders import search_path, usage
from loaders.aicss import landing
from loaders.bdgd.layers import RAW_TABLES
from loaders.bdgd.leaves import grant_reading
from loaders.errors import LoadError
from loaders.open_data.registry import DATASETS

ROLES = {
    "intel_carga": "escreve raw e o registro",
    "intel_dbt": "constrói todo o resto",
    "intel_api": "lê marts, escreve leituras AICSS",
    "analista": "lê intel_lead inteiro, também as residências, e marts",
    "bi_leitor": "lê marts",
    "gestor_alerta": "lê marts, edita regras de alerta, contatos e dispositivos",
    "intel_app": "escreve o que a API guarda em app",
}
# Idle: an open snapshot older than a publication sees the replaced safra empty, so none stays open.
SETTINGS = {
    "analista": {
        "statement_timeout": "10min",
        "idle_in_transaction_session_timeout": "1min",
        "search_path": ", ".join(search_path.READERS["analista"]),
    },
    "bi_leitor": {
        "default_transaction_read_only": "on",
        "statement_timeout": "60s",
        "idle_in_transaction_session_timeout": "1min",
        "search_path": ", ".join(search_path.READERS["bi_leitor"]),
    },
    "gestor_alerta": {
        "statement_timeout": "60s",
        "idle_in_transaction_session_timeout": "1min",
        "search_path": ", ".join(search_path.READERS["gestor_alerta"]),
    },
    "intel_api": {
        "statement_timeout": "30s",
        "idle_in_transaction_session_timeout": "30s",
        "search_path": ", ".join(search_path.READERS["intel_api"]),
    },
}
SCHEMAS = {
    **dict.fromkeys(["raw", "raw_safra"], "intel_carga"),
    **dict.fromkeys(["construcao", "safra", "descarte"], "intel_dbt"),
    **dict.fromkeys(["seeds", "intel_lead", "marts"], "intel_dbt"),
}
"""Schema → its owner, which owns what is in it too, but for the loader's tables in intel_lead."""
SHARED = "controle"
"""Each of the two owns what it made there; the schema stays with who makes the roles, like the
audit: a schema's owner may drop what others have in it."""
AUDIT = {
    "controle.auditoria": "table",
    "controle.recusa_mudanca_da_auditoria": "function",
}
"""The roles add to it; none of them changes what it says, or who said it."""

PRIVILEGES = """
grant create on database {database} to intel_carga, intel_dbt;

-- An earlier version granted more on the audit.
revoke all on controle.auditoria from intel_carga, intel_dbt;

-- What the other half made, and will make: dbt reads the ledger, the loader what is published.
grant usage, create on schema intel_lead to intel_carga;
grant usage on schema marts to intel_carga;
grant select on all tables in schema controle, intel_lead to intel_dbt, intel_carga;
grant select on all tables in schema marts to intel_carga;
alter default privileges for role intel_carga in schema controle, intel_lead
    grant select on tables to intel_dbt;
alter default privileges for role intel_dbt in schema controle, intel_lead, marts
    grant select on tables to intel_carga;
grant insert (usuario_so, acao, objeto, detalhes) on controle.auditoria to intel_carga, intel_dbt;

-- Raw: all but DESCR, LGRD and whole rejected rows. The layers' columns: loaders/bdgd/leaves.py.
grant usage on schema raw, raw_safra to intel_dbt;
grant select on raw.aicss_leitura, raw.aicss_dispositivo to intel_dbt;
grant select on raw.malha_municipio, raw.malha_simplificada to intel_dbt;
grant select on raw.previsao_energia, raw.previsao_desempenho, raw.previsao_externa to intel_dbt;
grant select on raw.resultado_lead, raw.aprendizado, raw.peso_aprendido to intel_dbt;
grant select on raw.empresa_estabelecimento, raw.empresa_pessoas, raw.empresa_semelhanca,
    raw.geocodificacao to intel_dbt;
grant select (import_id, ano, distribuidora_id, origem, arquivo, linha, motivo, rejeitado_em)
    on raw.rejeitado to intel_dbt;

grant usage on schema raw, controle to intel_api;
grant select, insert on raw.aicss_leitura, raw.aicss_dispositivo, controle.aicss_arquivo
    to intel_api;
-- A stream's row in the ledger grows, and what its broker may send again is forgotten in time.
grant update on controle.aicss_arquivo to intel_api;
grant select, insert, delete on controle.aicss_mqtt_recebida to intel_api;
grant execute on function controle.cria_meses_aicss(date[]) to intel_api;
-- Of the rejected rows only the readings' own: the others hold whole rows of a BDGD.
grant select, insert on raw.rejeitado to intel_api;
alter table raw.rejeitado enable row level security;
drop policy if exists da_dbt on raw.rejeitado;
create policy da_dbt on raw.rejeitado for select to intel_dbt using (true);
drop policy if exists da_api on raw.rejeitado;
create policy da_api on raw.rejeitado to intel_api
    using (origem = 'aicss') with check (origem = 'aicss');

-- Readers have marts and nothing else; earlier versions let them read the views of intel_lead too.
revoke all on all tables in schema intel_lead from intel_api, bi_leitor;
revoke all on schema intel_lead from intel_api, bi_leitor;
grant usage on schema marts to intel_api, analista, bi_leitor, gestor_alerta;
grant select on all tables in schema marts to intel_api, analista, bi_leitor, gestor_alerta;
grant usage on schema intel_lead to analista;
grant select on all tables in schema intel_lead to analista;
-- The owner builds and lands too.
alter default privileges for role intel_dbt, current_user in schema marts
    grant select on tables to intel_api, analista, bi_leitor, gestor_alerta;
alter default privileges for role intel_dbt, intel_carga, current_user in schema intel_lead
    grant select on tables to analista;

-- Schema app is the owner's: people edit rules and contacts, who lands and builds judges and sends.
grant usage on schema app to intel_carga, intel_dbt, analista, gestor_alerta;
grant select on all tables in schema app to intel_carga, analista, gestor_alerta;
grant select on app.alerta, app.regra_alerta, app.dispositivo_config, app.latencia_por_dia
    to intel_dbt;
grant usage on schema app to intel_api;
grant select, insert on app.dispositivo_config to intel_api, intel_carga, gestor_alerta;
grant insert, update, delete on app.regra_alerta, app.contato to gestor_alerta;
grant insert, update on app.alerta, app.entrega, app.incidente to intel_carga;
-- What the API keeps of its users is nobody else's to see.
revoke all on app.usuario, app.sessao, app.token_renovacao, app.chave_api, app.auditoria,
    app.tentativa, app.busca_salva, app.alerta_reconhecido
    from intel_carga, analista, gestor_alerta;
grant usage on schema app to intel_app;
grant select, insert, update on app.usuario, app.sessao, app.token_renovacao, app.chave_api
    to intel_app;
grant select, insert on app.auditoria, app.acompanhamento to intel_app;
grant select, insert, delete on app.tentativa to intel_app;
grant execute on function app.poda(integer, integer) to intel_app, intel_carga;
grant select, insert, update on app.contato to intel_app;
grant select, insert, update, delete on app.busca_salva to intel_app;
grant select, insert, delete on app.alerta_reconhecido, app.relatorio_agendado to intel_app;
grant select, insert, update on app.regra_alerta to intel_app;
grant select on app.alerta to intel_app;
-- What failed and what waits for somebody (api/news, api/operations); file names and reasons alone.
grant usage on schema intel_lead, controle to intel_app;
grant select on intel_lead.import_status, controle.safra_importada, controle.liberacao to intel_app;
"""

HANDOVER = """
with deles as (
    select nspname, relname as nome, format('%%I.%%I', nspname, relname) as objeto,
        case relkind when 'v' then 'view' when 'm' then 'materialized view' else 'table' end as tipo
    from pg_class inner join pg_namespace as n on relnamespace = n.oid
    where relkind in ('r', 'p', 'v', 'm') and relowner = any(%(de)s::regrole[]::oid[])
    union all
    select nspname, proname, p.oid::regprocedure::text, 'routine'
    from pg_proc as p inner join pg_namespace as n on pronamespace = n.oid
    where proowner = any(%(de)s::regrole[]::oid[])
    union all
    select nspname, typname, t.oid::regtype::text, 'type'
    from pg_type as t inner join pg_namespace as n on typnamespace = n.oid
    where typtype in ('e', 'd') and typowner = any(%(de)s::regrole[]::oid[])
)

select format('alter %%s %%s owner to %%I', tipo, objeto, case
    when nspname || '.' || nome = any(%(da_carga)s) or nspname = any('{raw,raw_safra}')
    then 'intel_carga' else 'intel_dbt' end)
from deles
where nspname = any(%(esquemas)s) and nspname || '.' || nome <> all(%(auditoria)s)
order by 1
"""

REMOVAL = """
select format('grant execute on function %s to intel_carga', oid::regprocedure)
from pg_proc
where pronamespace = 'controle'::regnamespace and prosecdef
    and proname in ('retira_safra', 'apaga_retirada', 'esquece_distribuidora', 'retira_leituras')
"""

CONTACTS = """
select 'select controle.esconde_contatos()'
where to_regproc('controle.esconde_contatos') is not null
"""
"""All of marts was granted: what has contact columns is bi_leitor's without them again."""

app = usage.App(no_args_is_help=True)


def run_all(conn: psycopg.Connection, query: str, parameters: dict[str, object]) -> int:
    """Execute every statement that a query returns; how many there were."""
    found = conn.execute(query, parameters or None).fetchall()
    for (statement,) in found:
        conn.execute(statement)
    return len(found)


def loaders_objects() -> list[str]:
    """Qualified names of what the DDL of the loaders creates."""
    packages = ("loaders", "loaders.aicss", "loaders.companies", "loaders.catalogue")
    files = [resources.files(p).joinpath("schema.sql") for p in packages]
    texts = [f.read_text(encoding="utf-8") for f in files]
    create = r"create (?:table if not exists|type|or replace function|or replace view) (\w+\.\w+)"
    return re.findall(create, "\n".join(texts))


def make_role(conn: psycopg.Connection, role: str) -> None:
    """Create a role that is missing; give it the password of the environment, if there is one."""
    name = sql.Identifier(role)
    if conn.execute("select to_regrole(%s) is null", [role]).fetchone()[0]:
        conn.execute(sql.SQL("create role {} nologin").format(name))
    conn.execute(sql.SQL("comment on role {} is {}").format(name, ROLES[role]))
    if password := os.environ.get(f"{role.upper()}_PASSWORD"):
        # Hashed here: the statement may end up in the server's log.
        secret = conn.pgconn.encrypt_password(
            password.encode(), role.encode(), b"scram-sha-256"
        ).decode()
        conn.execute(sql.SQL("alter role {} login password {}").format(name, secret))
    for setting, value in SETTINGS.get(role, {}).items():
        # A list of names is spelled out: quoted whole, it would be one name.
        text = sql.SQL(value) if setting == "search_path" else sql.Literal(value)
        command = sql.SQL("alter role {} set {} = {}")
        conn.execute(command.format(name, sql.Identifier(setting), text))


def join(conn: psycopg.Connection, *there: str) -> None:
    """Make this login a member: who is no superuser hands over only among roles of its own."""
    if conn.execute("select rolsuper from pg_roles where rolname = current_user").fetchone()[0]:
        return
    names = sql.SQL(", ").join(map(sql.Identifier, there))
    conn.execute(sql.SQL("grant {} to current_user").format(names))


def give_schemas(conn: psycopg.Connection) -> int:
    """Make the schemas and hand what the database's owner made to the roles; how many objects."""
    (mine,) = conn.execute(
        "select array[current_user, datdba::regrole::text] from pg_database"
        " where datname = current_database()"
    ).fetchone()
    join(conn, "intel_carga", "intel_dbt")
    for schema, owner in SCHEMAS.items():
        names = sql.Identifier(schema), sql.Identifier(owner)
        conn.execute(sql.SQL("create schema if not exists {}").format(names[0]))
        conn.execute(sql.SQL("alter schema {} owner to {}").format(*names))
    conn.execute(f"grant usage, create on schema {SHARED} to intel_carga, intel_dbt")
    conn.execute("grant create on schema intel_lead to intel_carga")
    conn.execute(f"alter schema {SHARED} owner to current_user")
    for name, kind in AUDIT.items():
        conn.execute(f"alter {kind} {name} owner to current_user")
    place = {"de": mine, "da_carga": loaders_objects(), "esquemas": [*SCHEMAS, SHARED]}
    return run_all(conn, HANDOVER, place | {"auditoria": list(AUDIT)})


def grant_raw(conn: psycopg.Connection) -> None:
    """Let dbt read the layers' roots, all leaves that are there, and open data."""
    found = conn.execute(
        "select relnamespace::regnamespace::text, relname from pg_class"
        " where relnamespace::regnamespace::text in ('raw', 'raw_safra') and relkind in ('r', 'p')"
    ).fetchall()
    layers = {raw_layer.table: raw_layer for raw_layer in RAW_TABLES}
    for schema, table in found:
        if layer := layers.get(table.split("_")[0]):
            grant_reading(conn, layer, sql.Identifier(schema, table))
        elif table.startswith("aicss_leitura_"):
            leaf = sql.Identifier(schema, table)
            conn.execute(sql.SQL("grant select on {} to intel_dbt").format(leaf))
    open_data = sql.SQL(", ").join(sql.Identifier("raw", d.table) for d in DATASETS.values())
    conn.execute(sql.SQL("grant select on {} to intel_dbt").format(open_data))


def grant_postgis(conn: psycopg.Connection) -> None:
    """Let the roles name what is in PostGIS's schema; everybody may where it is public."""
    schema = search_path.postgis_schema(conn)
    for role in ROLES:
        query = "select has_schema_privilege(%s, %s, 'usage')"
        if schema is None or conn.execute(query, [role, schema]).fetchone()[0]:
            continue
        names = sql.Identifier(schema), sql.Identifier(role)
        grant = sql.SQL("grant usage on schema {} to {}").format(*names)
        with suppress(psycopg.errors.InsufficientPrivilege), conn.transaction():
            conn.execute(grant)
        # Who holds the right without the grant option is only warned.
        if not conn.execute(query, [role, schema]).fetchone()[0]:
            sys.stderr.write(f"papéis: o dono do esquema do PostGIS digita: {grant.as_string()};\n")


def create_all(conn: psycopg.Connection) -> int:
    """All roles with all their privileges, in one transaction; how many objects changed owner."""
    db.prepare(conn)
    landing.prepare(conn)
    with conn.transaction():
        conn.execute("set local lock_timeout = '10s'")
        for role in ROLES:
            make_role(conn, role)
        changed = give_schemas(conn)
        conn.execute(sql.SQL(PRIVILEGES).format(database=sql.Identifier(conn.info.dbname)))
        grant_raw(conn)
        run_all(conn, REMOVAL, {})
        run_all(conn, CONTACTS, {})
        grant_postgis(conn)
        search_path.complete(conn)
    return changed


@app.command(help="Cria ou completa os papéis deste banco e lhes entrega os objetos.")
def create() -> None:
    """Create or complete the roles of this database, and hand its objects to them."""

    def work(conn: psycopg.Connection) -> None:
        changed = create_all(conn)
        typer.echo(f"{len(ROLES)} papéis em {conn.info.dbname}; {changed} objetos mudaram de dono")
        show(conn)

    run(work)


@app.command("list", help="Diz que papéis há e se podem entrar.")
def list_() -> None:
    """Say which roles there are and whether they can log in."""
    run(show)


@app.command(help="Apaga os papéis; o que é deles fica de quem digita isto.")
def drop() -> None:
    """Drop the roles; what they own goes to whoever types this."""

    def work(conn: psycopg.Connection) -> None:
        query = "select rolname from pg_roles where rolname = any(%s)"
        with conn.transaction():
            there = [role for (role,) in conn.execute(query, [list(ROLES)])]
            if there:
                join(conn, *there)
                conn.execute("alter table if exists raw.rejeitado disable row level security")
            for role in there:
                name = sql.Identifier(role)
                conn.execute(sql.SQL("reassign owned by {} to current_user").format(name))
                conn.execute(sql.SQL("drop owned by {}").format(name))
                conn.execute(sql.SQL("drop role {}").format(name))
                typer.echo(f"{role} apagado")

    run(work)


def show(conn: psycopg.Connection) -> None:
    """One line per role."""
    for role, purpose in ROLES.items():
        row = conn.execute("select rolcanlogin from pg_roles where rolname = %s", [role]).fetchone()
        state = "não existe" if not row else "entra" if row[0] else "sem senha, não entra"
        typer.echo(f"{role:<13} {state:<27} {purpose}")


def run(work: Callable[[psycopg.Connection], None]) -> None:
    """Connect and do it; a refusal of the database ends in one line and code 4."""
    try:
        with db.connect() as conn:
            work(conn)
    except (psycopg.Error, LoadError) as error:
        sys.stderr.write(f"papéis: {error}\n")
        raise typer.Exit(4) from None


if __name__ == "__main__":
    usage.run(app)

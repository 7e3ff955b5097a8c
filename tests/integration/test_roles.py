"""Roles and privacy on a built warehouse: what each login may read and write, who changed what.

Not here: what the rows say. Every role logs in by itself; the roles are gone when the module ends.
"""

import secrets
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from typer.testing import CliRunner

from alerts import __main__ as commands
from alerts import delivery
from alerts.judge import judge
from loaders import connection as db
from loaders.bdgd.layers import PERSONAL_COLUMNS, RAW_TABLES
from loaders.errors import DatabaseFailure
from server import roles
from tests.integration import warehouse as a

SCHEMAS = ["raw", "raw_safra", "controle", "construcao", "safra", "descarte", "seeds"]
SCHEMAS += ["intel_lead", "marts", "app"]
RELATIONS = """
    select c.relnamespace::regnamespace::text, c.relname, c.relkind::text,
        array_agg(t.attname::text order by t.attnum) filter (where t.attnum > 0)
    from pg_class as c inner join pg_attribute as t on c.oid = t.attrelid and not t.attisdropped
    where c.relnamespace::regnamespace::text = any(%s) and c.relkind in ('r', 'p', 'v', 'm')
    group by c.oid order by 1, 2
"""
LAYERS = {layer.table for layer in RAW_TABLES}
AICSS = {"raw.aicss_leitura", "raw.aicss_dispositivo"}
POSTING = {
    "controle.aicss_arquivo",
    "controle.aicss_mqtt_recebida",
    "controle.versao",
    "raw.rejeitado",
}
"""What a service that posts readings has to see."""
OF_THE_API = {"usuario", "sessao", "token_renovacao", "chave_api", "auditoria", "tentativa"}
OF_THE_API |= {"busca_salva", "alerta_reconhecido"}
"""What the API keeps of its users: nobody else's to see."""
LEDGER = {"intel_lead.import_status", "controle.safra_importada", "controle.liberacao"}
LEDGER |= {"controle.versao"}
"""What the API tells administrators of landings; the version is everybody's who may look there."""
CONTACTS = {"telefone", "email"}
"""What of a company may be a person's: not for bi_leitor."""
PERSONAL = PERSONAL_COLUMNS | {"registro"}
"""What may name a person: two columns of the layers, and the rejected rows as they came."""


def _roles(warehouse: a.Warehouse, command: str, passwords: Mapping[str, str]) -> str:
    given = {f"{role.upper()}_PASSWORD": password for role, password in passwords.items()}
    done = CliRunner().invoke(roles.app, [command], env={**warehouse.env, **given})
    assert done.exit_code == 0, (done.output, done.exception)
    assert not any(password in done.output for password in passwords.values())
    return done.output


@pytest.fixture(scope="module")
def logins(warehouse: a.Warehouse) -> Iterator[Mapping[str, Mapping[str, str]]]:
    """Role → the environment that its login has; the last role gets its password later."""
    passwords = {role: secrets.token_hex(8) for role in roles.ROLES}
    first = {role: "" if role == "bi_leitor" else word for role, word in passwords.items()}
    assert "não entra" in _roles(warehouse, "create", {r: w for r, w in first.items() if w})
    assert "não entra" not in _roles(warehouse, "create", passwords)
    yield {
        role: {**warehouse.env, "PGUSER": role, "PGPASSWORD": password}
        for role, password in passwords.items()
    }
    assert _roles(warehouse, "drop", {}).count("apagado") == len(passwords)


def login(env: Mapping[str, str]) -> psycopg.Connection:
    """A connection in autocommit."""
    return psycopg.connect(
        dbname=env["PGDATABASE"], user=env["PGUSER"], password=env["PGPASSWORD"], autocommit=True
    )


def readable(conn: psycopg.Connection, schema: str, name: str, columns: list[str]) -> bool:
    """Whether a SELECT of these columns runs."""
    query = sql.SQL("select {} from {} limit 1").format(
        sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier(schema, name)
    )
    try:
        conn.execute(query)
    except psycopg.errors.InsufficientPrivilege:
        return False
    return True


def expected(role: str, schema: str, name: str, kind: str, columns: list[str]) -> bool:
    """The matrix of docs/security.md: whether a role reads these columns of a relation."""
    if role == "intel_app":
        shared = ("acompanhamento", "contato", "alerta", "regra_alerta", "relatorio_agendado")
        return schema == "app" and name in (*OF_THE_API, *shared) or f"{schema}.{name}" in LEDGER
    if schema == "app" and name in OF_THE_API:
        return False
    if role == "intel_carga":
        return schema in ("app", "raw", "raw_safra", "controle", "intel_lead", "marts")
    if role == "intel_dbt":
        if schema == "app":
            return name in ("alerta", "regra_alerta", "dispositivo_config", "latencia_por_dia")
        return not (schema in ("raw", "raw_safra") and PERSONAL & set(columns))
    if schema == "app":
        settings = role == "intel_api" and name == "dispositivo_config"
        return settings or role in ("analista", "gestor_alerta")
    if f"{schema}.{name}" in (*AICSS, *POSTING):
        return role == "intel_api"
    if schema == "marts":
        return role != "bi_leitor" or not CONTACTS & set(columns)
    return schema == "intel_lead" and role == "analista"


def wrong(conn: psycopg.Connection, logins: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Every relation that a role can read and should not, or cannot and should.

    A relation with personal columns is tried without them too, and each of them alone.
    """
    found = conn.execute(RELATIONS, [SCHEMAS]).fetchall()
    assert {schema for schema, *_ in found} >= {"raw", "raw_safra", "safra", "intel_lead", "marts"}
    bad = []
    for role, env in logins.items():
        with login(env) as own:
            for schema, name, kind, columns in found:
                hidden = {"raw": PERSONAL, "raw_safra": PERSONAL, "marts": CONTACTS}
                personal = [c for c in columns if c in hidden.get(schema, ())]
                others = [c for c in columns if c not in personal]
                for part in [columns, others, *([c] for c in personal)]:
                    should = expected(role, schema, name, kind, part)
                    if readable(own, schema, name, part) != should:
                        bad.append(f"{role} {schema}.{name} {kind} {part}: should be {should}")
    return bad


@pytest.fixture
def owned(server: Mapping[str, str], project: a.Project) -> Iterator[a.Warehouse]:
    """An empty database with PostGIS, of an owner who is no superuser but may make roles."""
    with psycopg.connect("", dbname="postgres", autocommit=True) as admin:
        admin.execute("create role dono_de_teste login createrole password 'dono'")
        admin.execute("create database de_dono owner dono_de_teste")
        with psycopg.connect("", dbname="de_dono", autocommit=True) as inside:
            inside.execute("create extension postgis")
        login = {"PGDATABASE": "de_dono", "PGUSER": "dono_de_teste", "PGPASSWORD": "dono"}
        yield a.Warehouse({**server, **login}, project)
        admin.execute("drop database de_dono with (force)")
        admin.execute("drop role dono_de_teste")


def test_an_owner_who_is_no_superuser_makes_them_and_lands_as_the_loaders_role(
    owned: a.Warehouse, files: Mapping[str, Path]
) -> None:
    """First of this module: the roles are the server's, and must not be there yet."""
    assert _roles(owned, "create", {}).count("não entra") == len(roles.ROLES)
    done = owned.start_load(files["outra"], env={"INTEL_CARGA_ROLE": "intel_carga"}).wait()
    assert done.ok, done.trouble
    assert "; 0 objetos mudaram de dono" in _roles(owned, "create", {})
    assert _roles(owned, "drop", {}).count("apagado") == len(roles.ROLES)
    assert _roles(owned, "list", {}).count("não existe") == len(roles.ROLES)


def test_every_role_reads_what_it_should_and_nothing_else(
    logins: Mapping[str, Mapping[str, str]], conn: psycopg.Connection
) -> None:
    """Tried with a SELECT on every relation of the catalogue."""
    assert wrong(conn, logins) == []


def test_create_takes_back_what_earlier_versions_let_readers_read(
    logins: Mapping[str, Mapping[str, str]], warehouse: a.Warehouse, conn: psycopg.Connection
) -> None:
    """The views of intel_lead, whole or by column, and the schema itself."""
    conn.execute("grant usage on schema intel_lead to bi_leitor, intel_api")
    conn.execute(
        "grant select on intel_lead.vw_lead_completo_detalhado,"
        " intel_lead.resumo_leads_distribuidora to bi_leitor, intel_api"
    )
    conn.execute("grant select (uc_id, ano) on intel_lead.lead_energia_mensal to bi_leitor")
    assert wrong(conn, logins) != []
    _roles(warehouse, "create", {})
    assert wrong(conn, logins) == []


@pytest.mark.parametrize(
    ("maker", "schema", "readers"),
    [
        ("intel_dbt", "marts", ["analista", "bi_leitor", "gestor_alerta", "intel_api"]),
        ("current_user", "marts", ["analista", "bi_leitor", "gestor_alerta", "intel_api"]),
        ("intel_dbt", "intel_lead", ["analista"]),
        ("intel_carga", "intel_lead", ["analista"]),
        ("current_user", "intel_lead", ["analista"]),
    ],
)
def test_what_is_made_later_is_readable_too(
    logins: Mapping[str, Mapping[str, str]],
    conn: psycopg.Connection,
    maker: str,
    schema: str,
    readers: list[str],
) -> None:
    """By the builder, by the loader, or by the owner, who does both."""
    able = """
        select array_agg(r order by r)
        from unnest('{analista,bi_leitor,gestor_alerta,intel_api}'::text[]) as r
        where has_table_privilege(r, %s, 'select')
    """
    with conn.transaction(force_rollback=True):
        if maker != "current_user":
            conn.execute(f"set local role {maker}")
        conn.execute(f"create table {schema}.de_depois (x integer)")
        assert a.value(conn, able, [f"{schema}.de_depois"]) == readers


def test_alert_rules_are_edited_by_their_keepers_and_judged_by_who_builds(
    logins: Mapping[str, Mapping[str, str]], conn: psycopg.Connection
) -> None:
    """An analyst reads them; the keeper's change is signed; who lands and builds judges by them."""
    conn.execute(
        "insert into intel_lead.anomalia (nivel, serie_id, uc_id, distribuidora_id, ano, tipo, mes,"
        " valor, esperado, escore, visivel, evidencia)"
        " select 'uc', uc_id, uc_id, distribuidora_id, ano, 'pico', 3, 900, 100, 1.8, true, 'Pico.'"
        " from marts.mart_lead_safra limit 1"
    )
    change = "update app.regra_alerta set destinatarios = '{sala}', limite = 0"
    with login(logins["analista"]) as own, pytest.raises(psycopg.errors.InsufficientPrivilege):
        own.execute(change)
    with login(logins["gestor_alerta"]) as own:
        own.execute(change)
        own.execute("insert into app.contato values (401, 'U1', 'cliente')")
        assert a.value(own, "select min(alterada_por) from app.regra_alerta") == "gestor_alerta"
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            own.execute("delete from app.alerta")
    # Whoever edits rules may ask what they are, without a right to controle.
    listed = CliRunner().invoke(commands.app, ["regras"], env=dict(logins["gestor_alerta"]))
    assert listed.exit_code == 0, listed.output
    with login(logins["intel_carga"]) as own, pytest.raises(DatabaseFailure, match="make roles"):
        db.prepare(own, force=True)
    with login(logins["intel_carga"]) as own:
        db.prepare(own)
        assert judge(own, datetime.now(UTC)).opened != []
        assert delivery.send(own, datetime.now(UTC)).errors.keys() == {"sala"}
    with login(logins["bi_leitor"]) as own:
        assert a.value(own, "select count(*) from marts.mart_alerta") > 0


def test_personal_columns_are_in_raw_alone(conn: psycopg.Connection) -> None:
    """DESCR and LGRD of three layers at least, and nothing that dbt makes carries them on."""
    found = conn.execute(RELATIONS, [SCHEMAS]).fetchall()
    having = {
        (schema, name.split("_")[0])
        for schema, name, _, cols in found
        if PERSONAL_COLUMNS & {*cols}
    }
    assert {schema for schema, _ in having} == {"raw", "raw_safra"}
    assert {layer for _, layer in having} >= {"ucat", "ucmt", "ucbt"}


def test_the_reader_is_limited_and_writes_nothing(
    logins: Mapping[str, Mapping[str, str]], conn: psycopg.Connection
) -> None:
    """Read-only by default, one minute a query; and who turns that off still may not write."""
    with login(logins["bi_leitor"]) as reader:
        assert a.value(reader, "show default_transaction_read_only") == "on"
        assert a.value(reader, "show statement_timeout") == "1min"
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            reader.execute("create table marts.x (y integer)")
        reader.execute("set default_transaction_read_only = off")
        for command in (
            "create table marts.x (y integer)",
            "delete from marts.consumo_dispositivo_hora",
            "refresh materialized view intel_lead.resumo_leads_distribuidora",
            "update intel_lead.municipio set nome = nome",
            "set role intel_dbt",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                reader.execute(command)


def test_the_api_lands_readings_and_changes_nothing_else(
    logins: Mapping[str, Mapping[str, str]], warehouse: a.Warehouse, conn: psycopg.Connection
) -> None:
    """The readings' loader runs as intel_api; a BDGD it cannot land."""
    sample = a.CLONE / "loaders" / "synthetic" / "aicss_sample" / "aicss-sala_2025-01-15.jsonl"
    conn.execute(
        "insert into raw.rejeitado (origem, arquivo, linha, motivo, registro)"
        """ values ('UCBT', 'x', 1, 'x', '{"descr": "um nome"}')"""
    )
    done = a.Running(a._loaders, ["aicss", str(sample)], env=logins["intel_api"]).wait()
    assert done.ok, done.trouble
    with login(logins["intel_api"]) as api:
        assert a.value(
            api, "select count(*) > 0 from controle.aicss_arquivo where arquivo ~ 'jsonl'"
        )
        for command in (
            "delete from raw.aicss_leitura",
            "update intel_lead.import_status set status = 'completed'",
            "insert into raw.ucbt default values",
            "insert into raw.rejeitado (origem, arquivo, linha, motivo, registro)"
            " values ('UCBT', 'x', 1, 'x', '{}')",
            "create table raw.x (y integer)",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                api.execute(command)


def test_landing_and_building_run_as_their_roles_and_keep_privileges(
    logins: Mapping[str, Mapping[str, str]],
    warehouse: a.Warehouse,
    files: Mapping[str, Path],
    conn: psycopg.Connection,
) -> None:
    """A new delivery as intel_carga, a build as intel_dbt: the matrix holds for the new leaves."""
    for command in (["bdgd", str(files["nova"])], ["julgar"]):
        done = a.Running(a._loaders, command, env=logins["intel_carga"]).wait()
        assert done.ok, done.trouble
    done = warehouse.start_dbt("build", *a.ALL, env=logins["intel_dbt"]).wait()
    assert done.ok, done.trouble
    assert a.value(
        conn,
        "select import_id = (select max(import_id) from controle.safra_importada)"
        " from intel_lead.safra_publicada where (ano, distribuidora_id) = (2024, 401)",
    )
    assert wrong(conn, logins) == []


def test_a_build_without_change_keeps_grants_and_audits_nothing(
    logins: Mapping[str, Mapping[str, str]], warehouse: a.Warehouse, conn: psycopg.Connection
) -> None:
    """Built by the owner who acts as intel_dbt: the same owners, grants, comments; no audit row."""
    count = "select count(*) from controle.auditoria"
    before, audited = a.catalogue(conn), a.value(conn, count)
    without_tests = (*a.ALL, "--exclude-resource-type", "test")
    acting = {**warehouse.env, "INTEL_DBT_ROLE": "intel_dbt"}
    done = warehouse.start_dbt("build", *without_tests, env=acting).wait()
    assert done.ok, done.trouble
    assert a.difference(before, a.catalogue(conn)) == []
    assert a.value(conn, count) == audited


def test_a_change_of_a_domain_is_audited(conn: psycopg.Connection) -> None:
    """Who, when, which table, and the row before and after."""
    with conn.transaction(force_rollback=True):
        conn.execute("set local intel_lead.dominio_aberto = 'sim'")
        conn.execute("update intel_lead.municipio set nome = 'X' || nome where id = 4321204")
        conn.execute("update intel_lead.municipio set nome = nome")
        rows = conn.execute(
            "select acao, objeto, quem = session_user, quando > now() - interval '1 minute',"
            " detalhes -> 'linhas', 'X' || (detalhes #>> '{antes,0,nome}'),"
            " detalhes #>> '{depois,0,nome}'"
            " from controle.auditoria where quando >= now()"
        ).fetchall()
    assert [row[:5] for row in rows] == [("update", "intel_lead.municipio", True, True, 1)]
    assert rows[0][5] == rows[0][6]


@pytest.mark.parametrize(
    "change",
    [
        "update controle.auditoria set acao = 'outra'",
        "delete from controle.auditoria",
        "truncate controle.auditoria",
        "insert into controle.auditoria (acao, objeto, quem) values ('liberar', 'x', 'outro')",
        "alter table controle.auditoria disable trigger so_cresce",
        "drop table controle.auditoria",
    ],
)
def test_no_role_rewrites_or_forges_the_audit(
    logins: Mapping[str, Mapping[str, str]], conn: psycopg.Connection, change: str
) -> None:
    before = a.value(conn, "select count(*) from controle.auditoria")
    for role, env in logins.items():
        with login(env) as own, pytest.raises(psycopg.Error) as refused:
            own.execute(change)
        assert refused.value.sqlstate in ("42501", "25006"), (role, refused.value)
    assert a.value(conn, "select count(*) from controle.auditoria") == before


def test_create_takes_back_what_an_earlier_version_granted_on_the_audit(
    logins: Mapping[str, Mapping[str, str]], warehouse: a.Warehouse, conn: psycopg.Connection
) -> None:
    rights = """
        select privilege_type, column_name from information_schema.column_privileges
        where table_name = 'auditoria' and grantee in ('intel_carga', 'intel_dbt')
        union all select privilege_type, grantee from information_schema.table_privileges
        where table_name = 'auditoria' and grantee in ('intel_carga', 'intel_dbt')
        order by 1, 2
    """
    before = conn.execute(rights).fetchall()
    assert ("INSERT", "detalhes") in before
    assert ("SELECT", "intel_carga") in before
    conn.execute("grant insert, delete on controle.auditoria to intel_carga, intel_dbt")
    assert conn.execute(rights).fetchall() != before
    _roles(warehouse, "create", {})
    assert conn.execute(rights).fetchall() == before


def test_the_owner_too_only_adds_to_the_audit(conn: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="só cresce: delete"):
        conn.execute("delete from controle.auditoria")

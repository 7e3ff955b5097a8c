"""Roles: each does its work, and nothing else.

On a cluster of this module's own, because roles are the cluster's. Not here: what the tables hold.
"""

import io
from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from loaders import aicss
from scripts import postgres, roles
from tests.integration import armazem as a

PASSWORDS = {f"{role.upper()}_PASSWORD": f"senha de {role}" for role in roles.ROLES}
DATABASE = "papeis"

OWN = {
    "intel_carga": {"raw", "raw_safra"},
    "intel_dbt": {"construcao", "safra", "descarte", "seeds", "marts"},
}
"""Schemas that are a role's own, whole."""


def login(cluster: postgres.Cluster, role: str = "lead") -> dict[str, str]:
    """PG* of a role."""
    own = {} if role == "lead" else {"PGUSER": role, "PGPASSWORD": f"senha de {role}"}
    return cluster.env(database=DATABASE) | own


def connect(env: Mapping[str, str]) -> psycopg.Connection:
    """A connection by PG* that are not this process's."""
    names = {"PGHOST": "host", "PGPORT": "port", "PGUSER": "user", "PGPASSWORD": "password"}
    names |= {"PGDATABASE": "dbname", "PGSSLMODE": "sslmode"}
    return psycopg.connect(**{names[k]: v for k, v in env.items() if k in names}, autocommit=True)


def command(env: Mapping[str, str], *arguments: str) -> str:
    """Run ``scripts.roles`` in this process as whom ``env`` says."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in env.items():
            patch.setenv(name, value)
        done = CliRunner().invoke(roles.app, arguments)
    assert done.exit_code == 0, done.output + done.stderr
    return done.output


@pytest.fixture(scope="module")
def cluster() -> Iterator[postgres.Cluster]:
    """A cluster with an empty database and the four roles."""
    with postgres.throwaway() as made:
        postgres.bring_up(made)
        postgres.make_databases(made, postgres.binaries_for(made), (DATABASE,))
        command(login(made) | PASSWORDS, "create")
        yield made


@pytest.fixture(scope="module")
def construido(
    cluster: postgres.Cluster, projeto: a.Project, arquivos: Mapping[str, Path]
) -> postgres.Cluster:
    """The same, landed by the loader's role and built by dbt's."""
    sample = str(a.CLONE / "loaders" / "amostra_aicss" / "aicss-sala_2025-01-15.csv")
    for done in (
        a.Warehouse(login(cluster, "intel_carga"), projeto).load(arquivos["antiga"]),
        a.Running(a._loaders, ["aicss", sample], env=login(cluster, "intel_carga")).wait(),
        a.Warehouse(login(cluster, "intel_dbt"), projeto).build(*a.ALL),
    ):
        assert done.ok, done.text
    return cluster


def everything(cluster: postgres.Cluster) -> list[tuple[str, str, str]]:
    """Schema, qualified name and kind of every table and view of ours."""
    with connect(login(cluster)) as conn:
        return conn.execute(
            "select nspname, format('%I.%I', nspname, relname), relkind::text from pg_class"
            " inner join pg_namespace as n on n.oid = relnamespace"
            " where relkind in ('r', 'p', 'v', 'm') and nspname !~ '^pg_'"
            " and nspname not in ('public', 'information_schema') order by 2"
        ).fetchall()


def may_read(role: str, schema: str, name: str, kind: str) -> bool:
    """Whether the role is meant to read all of it."""
    if schema in OWN.get(role, ()):
        return True
    if role == "intel_carga":
        return schema in ("intel_lead", "controle")
    if role == "intel_dbt":
        return schema in ("intel_lead", "controle") or name.startswith("raw.aicss_")
    if role == "intel_api" and name in (
        "raw.aicss_leitura", "raw.aicss_dispositivo", "controle.aicss_arquivo"
    ):  # fmt: skip
        return True
    return schema == "marts" or (schema == "intel_lead" and kind in "vm")


def refused(conn: psycopg.Connection, statement: str) -> bool:
    """Whether the server says no for want of a privilege."""
    try:
        conn.execute(statement)
    except psycopg.errors.InsufficientPrivilege:
        return True
    except (psycopg.errors.ReadOnlySqlTransaction, psycopg.errors.WrongObjectType):
        return True
    except psycopg.errors.ObjectNotInPrerequisiteState:  # a view that no one can write to
        return True
    return False


@pytest.mark.parametrize("role", roles.ROLES)
def test_every_table_and_view_as_every_role(construido: postgres.Cluster, role: str) -> None:
    wrong = []
    with connect(login(construido, role)) as conn:
        for schema, name, kind in everything(construido):
            meant = may_read(role, schema, name, kind)
            if role == "intel_carga" and schema == "marts":
                meant = True
            if refused(conn, f"select * from {name} limit 0") is meant:
                wrong.append(f"{role} {'may not' if meant else 'may'} read {name}")
    assert not wrong


def test_readers_write_nothing_but_readings(construido: postgres.Cluster) -> None:
    for role in ("bi_leitor", "intel_api"):
        with connect(login(construido, role)) as conn:
            conn.execute("set default_transaction_read_only = off")
            for _, name, _ in everything(construido):
                assert refused(conn, f"delete from {name} where false"), (role, name)
                assert refused(conn, f"truncate {name}"), (role, name)
                readings = ("raw.aicss_", "controle.aicss_", "raw.rejeitado")
                if role == "bi_leitor" or not name.startswith(readings):
                    assert refused(conn, f"insert into {name} default values"), (role, name)


def test_descr_and_lgrd_are_the_loaders_alone(construido: postgres.Cluster) -> None:
    with connect(login(construido)) as conn:
        personal = conn.execute(
            "select format('%I.%I', relnamespace::regnamespace, relname), attname from pg_class"
            " inner join pg_attribute on attrelid = pg_class.oid"
            " where attname in ('descr', 'lgrd') and relkind in ('r', 'p', 'v', 'm')"
            " union all select 'raw.rejeitado', 'registro'"
        ).fetchall()
    assert len(personal) == 2 * 8 + 1
    for role in roles.ROLES:
        with connect(login(construido, role)) as conn:
            for table, column in personal:
                may = not refused(conn, f"select {column} from {table} limit 0")
                assert may is (role == "intel_carga"), (role, table, column)


def test_dbt_reads_all_other_columns_of_raw(construido: postgres.Cluster) -> None:
    with connect(login(construido, "intel_dbt")) as conn:
        hidden = conn.execute(
            "select distinct attname from pg_attribute inner join pg_class as c on attrelid = c.oid"
            " where relnamespace::regnamespace::text in ('raw', 'raw_safra') and attnum > 0"
            " and c.relkind in ('r', 'p') and relname !~ '^aicss'"
            " and not has_column_privilege(c.oid, attnum, 'select') order by 1"
        ).fetchall()
        assert hidden == [("descr",), ("lgrd",), ("registro",)]
        assert refused(conn, "delete from raw.ucbt where false")


def test_the_analyst_reads_only_and_not_for_ever(construido: postgres.Cluster) -> None:
    with connect(login(construido, "bi_leitor")) as conn:
        assert conn.execute("show default_transaction_read_only").fetchone() == ("on",)
        assert conn.execute("show statement_timeout").fetchone() == ("5min",)
        (leads,) = conn.execute("select count(*) from vw_lead_completo_detalhado").fetchone()
        assert leads > 0
        conn.execute("select count(*) from lead_com_coordenadas where origem = 'UCBT'")
        conn.execute("select st_x(geom) from lead_com_coordenadas limit 1")


def test_the_api_writes_readings(construido: postgres.Cluster) -> None:
    reading = b'{"timestamp": "2025-03-01T10:00:00-03:00", "luz": 10, "distancia": 9}\n{x\n'
    with connect(login(construido, "intel_api")) as conn:
        done = aicss.carregar(conn, io.BytesIO(reading), nome="api", dispositivo="sala-9")
        assert (done.leituras, done.ilegiveis) == (1, 1)
        again = aicss.carregar(conn, io.BytesIO(reading), nome="api", dispositivo="sala-9")
        assert again.ja_carregado


def test_a_second_landing_and_build_keep_every_grant(
    construido: postgres.Cluster, projeto: a.Project, arquivos: Mapping[str, Path]
) -> None:
    with connect(login(construido)) as conn:
        conn.execute("create role vizinho")
        conn.execute("grant select on intel_lead.vw_lead_completo_detalhado to vizinho")
        conn.execute("grant select on intel_lead.resumo_leads_ano_camada to vizinho")
        before = acls(conn)
        loader = a.Warehouse(login(construido, "intel_carga"), projeto)
        builder = a.Warehouse(login(construido, "intel_dbt"), projeto)
        for done in (loader.load(arquivos["nova"]), builder.build(*a.ALL), builder.build(*a.ALL)):
            assert done.ok, done.text
        assert not a.difference(before, acls(conn))


def acls(conn: psycopg.Connection) -> set[tuple[str, str, str]]:
    """Owner and privileges of every relation and column that a rebuild keeps."""
    rows = conn.execute(
        "select c.oid::regclass::text, c.relowner::regrole::text, c.relacl::text from pg_class as c"
        " where c.relnamespace::regnamespace::text = any(%s) and relkind in ('r', 'p', 'v', 'm')"
        " union all select format('%%s.%%s', c.oid::regclass, attname), '', attacl::text"
        " from pg_attribute inner join pg_class as c on attrelid = c.oid"
        " where c.relnamespace::regnamespace::text = any(%s) and attacl is not null",
        [["raw", "raw_safra", "intel_lead", "marts", "controle"]] * 2,
    )
    return {(str(name), str(owner), str(acl)) for name, owner, acl in rows}


def test_a_warehouse_of_the_owners_is_handed_over(
    cluster: postgres.Cluster, projeto: a.Project, arquivos: Mapping[str, Path]
) -> None:
    binaries = postgres.binaries_for(cluster)
    postgres.query(cluster, binaries, "create database herdado")
    owner = login(cluster) | {"PGDATABASE": "herdado"}
    warehouse = a.Warehouse(owner, projeto)
    for done in (warehouse.load(arquivos["antiga"]), warehouse.build(*a.ALL)):
        assert done.ok, done.text
    assert "0 objects changed owner" not in command(owner, "create")
    assert "; 0 objects changed owner" in command(owner, "create")
    loader = a.Warehouse(owner | login(cluster, "intel_carga") | {"PGDATABASE": "herdado"}, projeto)
    builder = a.Warehouse(owner | login(cluster, "intel_dbt") | {"PGDATABASE": "herdado"}, projeto)
    for done in (loader.load(arquivos["nova"]), builder.build(*a.ALL)):
        assert done.ok, done.text
    # The owner goes on acting as the two roles, so that they own what it makes.
    acting = {"INTEL_CARGA_ROLE": "intel_carga", "INTEL_DBT_ROLE": "intel_dbt"}
    warehouse = a.Warehouse(owner | acting, projeto)
    for done in (warehouse.load(arquivos["outra"]), warehouse.build(*a.ALL)):
        assert done.ok, done.text
    assert "; 0 objects changed owner" in command(owner, "create")


def test_changes_of_domain_tables_are_audited(
    construido: postgres.Cluster, projeto: a.Project
) -> None:
    with connect(login(construido, "intel_dbt")) as conn:
        count = "select count(*) from controle.auditoria where objeto ~ '^intel_lead[.]'"
        (before,) = conn.execute(count).fetchone()
        assert before >= 14  # the first build filled every domain
        builder = a.Warehouse(login(construido, "intel_dbt"), projeto)
        done = builder.build("--select", "path:models/intel_lead/dominios", *a.ALL)
        assert done.ok, done.text
        assert conn.execute(count).fetchone() == (before,)
        with conn.transaction():
            conn.execute("set local intel_lead.dominio_aberto = 'sim'")
            conn.execute("update intel_lead.distribuidora set nome = nome")
            conn.execute("update intel_lead.distribuidora set nome = 'X' where id = 401")
        row = conn.execute(
            "select quem, acao, objeto, detalhes #>> '{depois,0,nome}', detalhes -> 'linhas'"
            " from controle.auditoria order by id desc limit 1"
        ).fetchone()
        assert row == ("intel_dbt", "update", "intel_lead.distribuidora", "X", 1)
        assert conn.execute(count).fetchone() == (before + 1,)
        assert refused(conn, "delete from controle.auditoria")


def test_no_password_no_login(cluster: postgres.Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PASSWORDS:
        monkeypatch.delenv(name, raising=False)
    with postgres.throwaway() as other:
        postgres.bring_up(other)
        said = command(other.env(), "create")
        assert said.count("no password, cannot log in") == 4
        said = command(other.env() | {"BI_LEITOR_PASSWORD": "segredo nunca dito"}, "create")
        assert said.count("can log in") == 4
        assert said.count("no password") == 3
        assert "segredo" not in said
        command(other.env(), "drop")
        assert command(other.env(), "list").count("missing") == 4

"""Roles on a cluster of this module's own: an empty database, one that the owner filled, none.

Not here: the matrix of who reads what (test_roles.py).
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from server import backup, clusters, restore, roles
from tests.integration import warehouse as a

pytestmark = pytest.mark.faults

PASSWORDS = {f"{role.upper()}_PASSWORD": f"senha de {role}" for role in roles.ROLES}
DATABASE = "papeis"
SAMPLE = str(a.CLONE / "loaders" / "synthetic" / "aicss_sample" / "aicss-sala_2025-01-15.csv")


def login(cluster: clusters.Cluster, role: str = "lead") -> dict[str, str]:
    """PG* of a role."""
    own = {} if role == "lead" else {"PGUSER": role, "PGPASSWORD": f"senha de {role}"}
    return cluster.env(database=DATABASE) | own


def connect(env: Mapping[str, str]) -> psycopg.Connection:
    """A connection by PG* that are not this process's."""
    names = {"PGHOST": "host", "PGPORT": "port", "PGUSER": "user", "PGPASSWORD": "password"}
    names |= {"PGDATABASE": "dbname", "PGSSLMODE": "sslmode"}
    return psycopg.connect(**{names[k]: v for k, v in env.items() if k in names}, autocommit=True)


def command(env: Mapping[str, str], *arguments: str) -> str:
    """Run ``server.roles`` in this process as whom ``env`` says."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in env.items():
            patch.setenv(name, value)
        done = CliRunner().invoke(roles.app, arguments)
    assert done.exit_code == 0, done.output + done.stderr
    return done.output


@pytest.fixture(scope="module")
def cluster() -> Iterator[clusters.Cluster]:
    """A cluster with an empty database and the four roles."""
    with clusters.throwaway() as made:
        clusters.bring_up(made)
        clusters.make_databases(made, clusters.binaries_for(made), (DATABASE,))
        command(login(made) | PASSWORDS, "create")
        yield made


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


def test_an_empty_database_is_filled_by_its_roles_and_neighbours_keep_their_grants(
    cluster: clusters.Cluster, project: a.Project, files: Mapping[str, Path]
) -> None:
    loader = a.Warehouse(login(cluster, "intel_carga"), project)
    builder = a.Warehouse(login(cluster, "intel_dbt"), project)
    readings = a.Running(a._loaders, ["aicss", SAMPLE], env=login(cluster, "intel_carga"))
    for done in (loader.load(files["antiga"]), readings.wait(), builder.build(*a.ALL)):
        assert done.ok, done.text
    with connect(login(cluster)) as conn:
        conn.execute("create role vizinho")
        conn.execute("grant select on intel_lead.vw_lead_completo_detalhado to vizinho")
        conn.execute("grant select on intel_lead.resumo_leads_ano_camada to vizinho")
        before = acls(conn)
        for done in (loader.load(files["nova"]), builder.build(*a.ALL)):
            assert done.ok, done.text
        assert not a.difference(before, acls(conn))
    with connect(login(cluster, "bi_leitor")) as conn:
        assert a.value(conn, "select count(*) from vw_lead_completo_detalhado") > 0
        assert a.value(conn, "select count(geom) from lead_com_coordenadas") > 0


def test_a_warehouse_of_the_owners_is_handed_over(
    cluster: clusters.Cluster, project: a.Project, files: Mapping[str, Path]
) -> None:
    binaries = clusters.binaries_for(cluster)
    clusters.query(cluster, binaries, "create database herdado")
    owner = login(cluster) | {"PGDATABASE": "herdado"}
    warehouse = a.Warehouse(owner, project)
    readings = a.Running(a._loaders, ["aicss", SAMPLE], env=owner)
    for done in (warehouse.load(files["antiga"]), readings.wait(), warehouse.build(*a.ALL)):
        assert done.ok, done.text
    assert "0 objetos mudaram de dono" not in command(owner, "create")
    assert "; 0 objetos mudaram de dono" in command(owner, "create")
    loader = a.Warehouse(owner | login(cluster, "intel_carga") | {"PGDATABASE": "herdado"}, project)
    builder = a.Warehouse(owner | login(cluster, "intel_dbt") | {"PGDATABASE": "herdado"}, project)
    for done in (loader.load(files["nova"]), builder.build(*a.ALL)):
        assert done.ok, done.text
    # The owner goes on acting as the two roles, so that they own what it makes.
    acting = {"INTEL_CARGA_ROLE": "intel_carga", "INTEL_DBT_ROLE": "intel_dbt"}
    warehouse = a.Warehouse(owner | acting, project)
    for done in (warehouse.load(files["outra"]), warehouse.build(*a.ALL)):
        assert done.ok, done.text
    assert "; 0 objetos mudaram de dono" in command(owner, "create")


def test_the_owner_fills_an_empty_database_as_the_two_roles(
    cluster: clusters.Cluster, project: a.Project, files: Mapping[str, Path]
) -> None:
    clusters.query(cluster, clusters.binaries_for(cluster), "create database vazio")
    owner = login(cluster) | {"PGDATABASE": "vazio"}
    command(owner, "create")
    acting = {"INTEL_CARGA_ROLE": "intel_carga", "INTEL_DBT_ROLE": "intel_dbt"}
    warehouse = a.Warehouse(owner | acting, project)
    for done in (warehouse.load(files["antiga"]), warehouse.build(*a.ALL)):
        assert done.ok, done.text
    assert "; 0 objetos mudaram de dono" in command(owner, "create")


def test_a_backup_restores_where_the_roles_are_not_and_create_completes_it(
    cluster: clusters.Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policies = "select count(*) from pg_policies where tablename = 'rejeitado'"
    guarded = "select relrowsecurity from pg_class where oid = 'raw.rejeitado'::regclass"
    for name, value in login(cluster).items():
        monkeypatch.setenv(name, value)
    saved = backup.create(tmp_path)
    with clusters.throwaway() as other:
        clusters.bring_up(other)
        for name, value in other.env().items():
            monkeypatch.setenv(name, value)
        assert restore.restore(saved, new="copia") == "copia"
        env = other.env(database="copia")
        with connect(env) as conn:
            assert a.value(conn, guarded)
            assert a.value(conn, policies) == 0
            command(env, "create")
            assert a.value(conn, policies) == 2


def test_no_password_no_login(cluster: clusters.Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PASSWORDS:
        monkeypatch.delenv(name, raising=False)
    with clusters.throwaway() as other:
        clusters.bring_up(other)
        said = command(other.env(), "create")
        assert said.count("sem senha, não entra") == len(roles.ROLES)
        said = command(other.env() | {"BI_LEITOR_PASSWORD": "segredo nunca dito"}, "create")
        assert "bi_leitor     entra" in said
        assert said.count("sem senha") == len(roles.ROLES) - 1
        assert "segredo" not in said
        command(other.env(), "drop")
        assert command(other.env(), "list").count("não existe") == len(roles.ROLES)

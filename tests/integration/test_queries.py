"""Every query that the documentation shows, run as each role that reads.

Not here: commands that change something; what the answers are (README's figures: elsewhere).
"""

import re
import secrets
from collections.abc import Iterator, Mapping

import psycopg
import pytest
from typer.testing import CliRunner

from loaders import connection as db
from server import roles
from tests.integration import warehouse as a

PAGES = [*sorted(a.CLONE.glob("*.md")), *sorted((a.CLONE / "docs").rglob("*.md"))]
FILES = sorted((a.CLONE / "docs" / "queries").glob("*.sql"))
READERS = {
    "bi_leitor": {"marts"},
    "analista": {"intel_lead", "marts"},
    "owner": {"intel_lead", "marts", "controle", "raw"},
}
"""Role → the schemas that it reads of those that the pages name."""
COMMANDS = re.compile(r"pg_terminate_backend|pg_promote|pg_create_physical_replication_slot")
"""What is written as a query and is none: it changes the server."""


def queries() -> Iterator[tuple[str, str]]:
    """Where it stands → a query: of the files, of indented blocks, of inline code."""
    for file in FILES:
        yield file.name, file.read_text(encoding="utf-8")
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        # What psql prints before a line is not the query's.
        lines = [re.sub(r"^( +)\w+[=-]> ", r"\1", line) for line in text.splitlines()]
        blocks = re.findall(r"^ {4,}(select\b(?:[^;]|\n)*?;)", "\n".join(lines), re.MULTILINE)
        for query in [*blocks, *re.findall(r"`(select\b[^`]+)`", text)]:
            if not COMMANDS.search(query):
                yield f"{page.name}: {query[:40]}", query


QUERIES = dict(queries())


@pytest.fixture(scope="module")
def logins(warehouse: a.Warehouse) -> Iterator[Mapping[str, psycopg.Connection]]:
    """Role → its own login; the owner is the one of the tests."""
    words = {role: secrets.token_hex(8) for role in READERS if role != "owner"}
    given = {f"{role.upper()}_PASSWORD": word for role, word in words.items()}
    cli = CliRunner()
    done = cli.invoke(roles.app, ["create"], env={**warehouse.env, **given})
    assert done.exit_code == 0, (done.output, done.exception)
    database = warehouse.env["PGDATABASE"]
    open_ = {
        role: psycopg.connect(dbname=database, user=role, password=word, autocommit=True)
        for role, word in words.items()
    }
    with warehouse.connect() as owner:
        db.prepare(owner, force=True)  # a copied database has lost its search_path
    open_["owner"] = warehouse.connect()
    yield open_
    for connection in open_.values():
        connection.close()
    assert cli.invoke(roles.app, ["drop"], env=dict(warehouse.env)).exit_code == 0


@pytest.mark.parametrize("role", READERS)
@pytest.mark.parametrize("where", QUERIES)
def test_a_query_of_the_pages_runs_where_its_schemas_may_be_read(
    logins: Mapping[str, psycopg.Connection], where: str, role: str
) -> None:
    """One that names a schema that the role has no right to is refused, and only then."""
    named = set(re.findall(r"\b(marts|intel_lead|controle|raw)\.\w", QUERIES[where]))
    allowed = named <= READERS[role]
    try:
        logins[role].execute(QUERIES[where])
    except psycopg.errors.InsufficientPrivilege:
        assert not allowed, role
    else:
        assert allowed, role


def test_the_documents_queries_find_the_view_of_who_asks(
    logins: Mapping[str, psycopg.Connection],
) -> None:
    """Without its schema the view is that of marts to bi_leitor, of intel_lead to the others."""
    count = "select count(*) from vw_lead_completo_detalhado"
    rows = {role: a.value(login, count) for role, login in logins.items()}
    assert rows["owner"] == rows["analista"] > rows["bi_leitor"] > 0


def test_the_pages_name_queries_for_every_role() -> None:
    """At least the two files and those of docs/bi.md: the search for them finds something."""
    assert {"vie_09_enriquecidos_de_pac_elevado.sql", "vie_10_dic_fic_acima_da_media.sql"} <= set(
        QUERIES
    )
    assert sum(where.startswith("bi.md") for where in QUERIES) >= 4


def test_readers_read_every_rollup_and_not_the_sums_that_it_is_made_of(
    logins: Mapping[str, psycopg.Connection],
) -> None:
    """What is not hidden yet is the owner's and analista's."""
    rollups = [n for n in a.relations(logins["owner"], "marts") if n.startswith("marts.resumo_")]
    assert len(rollups) == 9
    for name in rollups:
        assert a.value(logins["bi_leitor"], f"select count(*) from {name}") > 0, name
    for name in ("safra_celula", "safra_celula_oferta", "safra_classe_mes", "safra_resumo"):
        query = f"select count(*) from intel_lead.{name}"
        assert a.value(logins["analista"], query) > 0, name
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            logins["bi_leitor"].execute(query)

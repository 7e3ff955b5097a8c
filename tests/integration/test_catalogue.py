"""Law 6: rebuilding changes nothing in the catalogue, and nothing that others hung on it.

Not here: the tables' content while they are rebuilt (test_publicacao).
"""

from collections.abc import Iterator

import psycopg
import pytest

from tests.integration import warehouse as a

OURS = ("intel_lead", "marts", "safra", "construcao", "raw", "raw_safra", "seeds", "analista")
THEIRS = """
    create role analista_de_teste;
    create schema analista;
    grant usage on schema analista to analista_de_teste;
    grant select on intel_lead.lead_bruto, intel_lead.vw_lead_completo_detalhado,
        intel_lead.resumo_leads_distribuidora, intel_lead.municipio to analista_de_teste;
    grant select (nome) on intel_lead.distribuidora to analista_de_teste;
    create view analista.grandes with (security_barrier = true) as
        select uc_id, municipio, energia_anual_kwh from intel_lead.vw_lead_completo_detalhado;
    create view analista.maiores as
        select uc_id from analista.grandes where energia_anual_kwh > 1000;
    create materialized view analista.por_distribuidora as
        select distribuidora, sum(quantidade_leads) as leads
        from intel_lead.resumo_leads_distribuidora group by distribuidora;
    create unique index por_distribuidora_idx on analista.por_distribuidora (distribuidora);
    comment on view analista.grandes is 'De uma analista';
    comment on column analista.grandes.municipio is 'O município';
    comment on materialized view analista.por_distribuidora is 'De outra';
    grant select on analista.maiores to analista_de_teste with grant option;
    grant select on analista.por_distribuidora to analista_de_teste;
    grant select (municipio) on analista.grandes to analista_de_teste;
    grant select (municipio) on intel_lead.vw_lead_completo_detalhado to analista_de_teste;
    create index de_analista on intel_lead.resumo_leads_distribuidora (quantidade_leads);
    create function analista.recusa() returns trigger language plpgsql as
        $$ begin raise exception 'no'; end $$;
    create trigger de_analista before delete on intel_lead.lead_bruto
        for each row when (old.pac < 0) execute function analista.recusa();
"""


@pytest.fixture(scope="module", autouse=True)
def theirs(conn: psycopg.Connection) -> Iterator[None]:
    """What others hung on our tables and views: views, grants, comments, a trigger."""
    conn.execute(THEIRS)
    yield
    conn.execute("drop index if exists intel_lead.de_analista")
    conn.execute("drop schema analista cascade; drop owned by analista_de_teste")
    conn.execute("drop role analista_de_teste")


def test_every_column_that_people_read_is_described_in_the_database(
    conn: psycopg.Connection,
) -> None:
    """The data dictionary is in PostgreSQL too, for every relation that dbt makes."""
    relations = a.relations(conn, "intel_lead", "marts")
    relations.remove("intel_lead.import_status")
    blank = [
        row
        for relation in relations
        for row in conn.execute(
            "select attrelid::regclass::text, attname from pg_attribute"
            " where attrelid = %s::regclass and attnum > 0 and not attisdropped"
            " and col_description(attrelid, attnum) is null",
            [relation],
        )
    ]
    assert blank == []


@pytest.mark.parametrize(
    "commands",
    [
        [["build", *a.ALL]],
        [["build", "--full-refresh", *a.ALL]],
        [["run", "-s", "lead_bruto"], ["build", *a.SAFRAS]],
        [["run", "-s", "lead_bruto", "--full-refresh"], ["build", *a.SAFRAS]],
    ],
    ids=["build", "full_refresh", "single_model", "single_model_full_refresh"],
)
def test_a_rebuild_changes_nothing_in_catalogue_and_content(
    commands: list[list[str]], warehouse: a.Warehouse, conn: psycopg.Connection
) -> None:
    """Tables, columns, keys, indexes, triggers, views, grants, comments, partitions: the same."""
    before, content = a.catalogue(conn), a.contents(conn)
    for command in commands:
        done = warehouse.dbt(*command)
        assert done.ok, done.trouble
    assert a.difference(before, a.catalogue(conn)) == []
    assert a.contents(conn) == content


def test_what_somebody_undid_by_hand_is_put_right_by_the_next_build(
    warehouse: a.Warehouse, conn: psycopg.Connection
) -> None:
    """A build asks for nothing of what stands as it left it; the rest it makes again."""
    before = a.catalogue(conn)
    for undo in (
        "comment on table intel_lead.lead_bruto is null",
        "comment on column marts.mart_lead.score_backup is 'outra coisa'",
        "drop trigger protege_dominio on intel_lead.municipio",
        "drop view marts.mart_lead cascade",
        "drop index intel_lead.lead_bruto_municipio_id_idx",
    ):
        conn.execute(undo)
    done = warehouse.build(*a.ALL)
    assert done.ok, done.trouble
    assert a.difference(before, a.catalogue(conn)) == []


def of(catalogue: set[tuple[object, ...]], schema: str) -> set[tuple[object, ...]]:
    """The part of a catalogue that is of one schema."""
    return {thing for thing in catalogue if str(thing[1]).startswith(f"{schema}.")}


def test_a_changed_view_and_materialized_view_keep_what_others_hung_on_them(
    warehouse: a.Warehouse, conn: psycopg.Connection
) -> None:
    """Changes that CREATE OR REPLACE refuses: ours are new, theirs are untouched and readable."""
    before, content = a.catalogue(conn), a.contents(conn, *a.relations(conn, "analista"))
    views = "dbt_project/models/views"
    # A column that goes is a step of macros/migracoes.sql instead: readers' views hang on it.
    view = f"{views}/vw_lead_completo_detalhado.sql"
    warehouse.project.edit(view, "    l.cod_id,\n", "    'x' || l.cod_id as cod_id,\n")
    swapped = "    l.possui_geracao,\n    l.livre,\n"
    warehouse.project.edit(view, "    l.livre,\n    l.possui_geracao,\n", swapped)
    warehouse.project.edit(
        f"{views}/resumo_leads_distribuidora.sql",
        "    d.nome as distribuidora,\n",
        "    upper(d.nome) as distribuidora,\n    42 as resposta,\n",
    )
    changed = ("vw_lead_completo_detalhado", "resumo_leads_distribuidora")
    done = warehouse.dbt("build", "--select", *changed, "--exclude-resource-type", "unit_test")
    assert done.ok, done.trouble

    after = a.catalogue(conn)
    assert a.difference(of(before, "analista"), of(after, "analista")) == []
    assert of(before, "analista")
    for new_text in (
        "select max(resposta) = 42 from intel_lead.resumo_leads_distribuidora",
        "select bool_and(cod_id ~ '^x') from intel_lead.vw_lead_completo_detalhado",
        "select max(distribuidora) ~ '^[A-Z ]+$' from analista.por_distribuidora",
    ):
        assert a.value(conn, new_text)
    still = a.contents(conn, "analista.grandes", "analista.maiores")
    assert still == {name: content[name] for name in still}
    grants = {t for t in before if t[0] == "relation" and t[4] and "analista_de_teste" in str(t[4])}
    assert grants <= after
    hung = {t for t in before if "de_analista" in str(t) or t[0] == "column" and "teste" in str(t)}
    assert a.difference(hung, {t for t in hung if t in after}) == []
    untouched = {str(thing[1]) for thing in before ^ after} - {f"intel_lead.{m}" for m in changed}
    assert untouched == set()


@pytest.mark.parametrize("schema", ["construcao", "descarte", "safra"])
def test_no_leaf_is_left_over(schema: str, conn: psycopg.Connection) -> None:
    """After these builds nothing is under construction or discarded, and no leaf is detached."""
    detached = "not relispartition" if schema == "safra" else "true"
    leaves = "select array_agg(relname) from pg_class where relnamespace = %s::regnamespace"
    leaves += " and relname ~ '(_[0-9]{4}|^folha_[0-9]+)$'"
    assert a.value(conn, f"{leaves} and relkind = 'r' and {detached}", [schema]) is None

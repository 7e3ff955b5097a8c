"""What is built: again, of changed safras only, whole, and under the constraints of the catalogue.

Not here: what readers see meanwhile (test_publicacao), kills (test_quedas), the catalogue
(test_catalogo), the meaning of a column (dbt's unit tests).
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import psycopg
import pytest

from loaders.synthetic.writer import generate
from tests.integration import warehouse as a

MODELS = ("--select", "config.materialized:safra")

pytestmark = pytest.mark.usefixtures("warehouse")


def built(conn: psycopg.Connection, distribuidora: int) -> dict[str, str]:
    """When each leaf of a distributor was built."""
    rows = conn.execute(
        "select modelo, construida_em::text from controle.safra_construida"
        " where distribuidora_id = %s",
        [distribuidora],
    )
    return dict(rows.fetchall())


def test_a_second_build_builds_publishes_and_changes_nothing(
    warehouse: a.Warehouse, conn: psycopg.Connection
) -> None:
    """Law 3: nothing new, so no leaf is made, no safra swapped, no seed loaded, no row changed."""
    leaves = built(conn, 401), built(conn, 404)
    seeds = "select array_agg(oid order by oid) from pg_class"
    seeds += " where relnamespace = 'seeds'::regnamespace"
    seeded = a.value(conn, seeds)
    published = a.value(conn, "select max(publicada_em) from intel_lead.safra_publicada")
    before = a.contents(conn)
    done = warehouse.build(*a.ALL)
    assert done.ok, done.trouble
    assert (built(conn, 401), built(conn, 404)) == leaves
    assert a.value(conn, seeds) == seeded
    assert a.value(conn, "select max(publicada_em) from intel_lead.safra_publicada") == published
    assert a.contents(conn) == before


def test_a_new_file_replaces_its_safra_whole_and_builds_no_other(
    warehouse: a.Warehouse, conn: psycopg.Connection, files: Mapping[str, Path]
) -> None:
    """Laws 1 and 3: vanished UCs go with their months; 404's leaves are the same as before."""
    of_404 = "distribuidora_id = 404"
    tables = safra_tables(conn)
    other, leaves = a.contents(conn, *tables, where=of_404), built(conn, 404)
    codes = "select array_agg(uc_id) from intel_lead.lead_bruto where distribuidora_id = 401"
    old = set(a.value(conn, codes))
    assert warehouse.load(files["nova"]).ok
    done = warehouse.build()
    assert done.ok, done.trouble
    assert built(conn, 404) == leaves
    assert a.contents(conn, *tables, where=of_404) == other
    new = set(a.value(conn, codes))
    assert len(new) == 240
    gone = list(old - new)
    assert len(gone) > 50
    for table in with_uc(conn):
        assert a.value(conn, f"select count(*) from {table} where uc_id = any(%s)", [gone]) == 0
        ucs = f"select count(distinct uc_id) from {table} where distribuidora_id = 401"
        assert a.value(conn, ucs) <= 240


def test_a_mart_of_a_safra_is_swapped_in_the_publication_of_its_safra(
    warehouse: a.Warehouse, conn: psycopg.Connection
) -> None:
    """Built, not published: readers see the old leaves. Published: new ones, in both schemas."""
    of_leaves = (
        "select array_agg(inhparent::regclass::text || ' ' || inhrelid"
        " order by inhparent::regclass::text) from pg_inherits"
        " where inhrelid = any(array["
        "to_regclass('safra.mart_perda_alimentador_401_2024'),"
        " to_regclass('safra.alimentador_401_2024')])"
    )
    before = a.value(conn, of_leaves)
    assert [leaf.split()[0] for leaf in before] == [
        "intel_lead.alimentador",
        "marts.mart_perda_alimentador",
    ]
    losses = "select count(*) from marts.mart_perda_alimentador where distribuidora_id = 401"
    feeders = a.value(conn, losses)
    assert feeders == 2
    assert warehouse.dbt("run", *MODELS, safra="401-2024").ok
    assert a.value(conn, of_leaves) == before
    done = warehouse.build(safra="401-2024")
    assert done.ok, done.trouble
    after = a.value(conn, of_leaves)
    assert not {*before} & {*after}
    assert len(after) == 2
    assert a.value(conn, losses) == feeders


def test_the_replaced_safra_is_what_an_empty_warehouse_would_have(
    warehouse: a.Warehouse,
    conn: psycopg.Connection,
    model: a.Warehouse,
    files: Mapping[str, Path],
) -> None:
    """Nothing of the old safra shows in the new one: back to the first file, all is as at first."""
    assert warehouse.load(files["antiga"]).ok
    assert warehouse.build().ok
    with model.connect() as untouched:
        first = a.contents(untouched)
    again = a.contents(conn)
    assert {t: again[t] for t in again if again[t] != first[t]} == {}


def test_a_single_model_built_by_itself_does_not_stick(
    warehouse: a.Warehouse, conn: psycopg.Connection
) -> None:
    """After `run -s lead_bruto --full-refresh` the next build makes the safras whole again."""
    before = a.contents(conn)
    assert warehouse.dbt("run", "-s", "lead_bruto", "--full-refresh").ok
    assert a.contents(conn) == before
    done = warehouse.build()
    assert done.ok, done.trouble
    assert a.contents(conn) == before
    assert a.value(conn, "select bool_and(publicada) from controle.safra_construida")
    assert not leaves_in(conn, "construcao")


def test_a_changed_macro_rebuilds_every_safra_whole(
    warehouse: a.Warehouse, conn: psycopg.Connection
) -> None:
    """A model is pending when the SQL that its leaf would be made of has changed."""
    warehouse.project.edit(
        "macros/unidade_consumidora.sql",
        "{{ texto('tip_cc') }} as tipo_curva_carga",
        "upper({{ texto('tip_cc') }}) || '*' as tipo_curva_carga",
    )
    before = built(conn, 401), built(conn, 404)
    done = warehouse.build()
    assert done.ok, done.trouble
    after = built(conn, 401), built(conn, 404)
    assert all(now[m] > then[m] for then, now in zip(before, after, strict=True) for m in then)
    assert a.value(conn, "select bool_and(tipo_curva_carga ~ '\\*$') from intel_lead.lead_bruto")


def test_a_changed_seed_row_reaches_its_domain_table_and_the_views_over_it(
    warehouse: a.Warehouse, conn: psycopg.Connection
) -> None:
    """Domain tables follow their seed though they are protected; no lead is built again for it.

    What holds the name itself is: leads as the market sees them, and what is made of them.
    """
    leaves = built(conn, 401)
    seed = next(warehouse.project.folder.glob("seeds/distribuidora_dominio.csv"))
    seed.write_text(seed.read_text().replace("401,Mux Energia,", "401,Mux Outra,"))
    warehouse.project.parse()
    done = warehouse.dbt(
        "build", "--select", "distribuidora_dominio+", "--exclude-resource-type", "unit_test"
    )
    assert done.ok, done.trouble
    name = "select distinct distribuidora from intel_lead.{} where distribuidora_id = 401"
    for view in ("vw_lead_completo_detalhado", "resumo_leads_distribuidora"):
        assert conn.execute(name.format(view)).fetchall() == [("Mux Outra",)]
    again = built(conn, 401)
    assert again["lead_bruto"] == leaves["lead_bruto"]
    assert again["mart_lead_safra"] > leaves["mart_lead_safra"]


def safra_tables(conn: psycopg.Connection) -> list[str]:
    """The partitioned tables that people read, the marts' among them."""
    return [
        name
        for name in a.relations(conn, "intel_lead", "marts")
        if a.value(conn, "select relkind = 'p' from pg_class where oid = %s::regclass", [name])
    ]


def with_uc(conn: psycopg.Connection) -> list[str]:
    """Those of them that have rows of a UC."""
    has = "select count(*) from pg_attribute where attrelid = %s::regclass and attname = 'uc_id'"
    return [name for name in safra_tables(conn) if a.value(conn, has, [name])]


def leaves_in(conn: psycopg.Connection, schema: str) -> list[str]:
    """Ordinary tables of a private schema."""
    rows = conn.execute("select tablename from pg_tables where schemaname = %s", [schema])
    return [name for (name,) in rows if name[-1].isdigit()]


@pytest.fixture
def refused(conn: psycopg.Connection) -> Callable[[str], str]:
    """Run a statement that must fail, undone; the error's class."""

    def run(statement: str) -> str:
        with pytest.raises(psycopg.Error) as error, conn.transaction():
            conn.execute(statement)
        return type(error.value).__name__

    return run


def test_domain_tables_are_protected_and_in_use(
    conn: psycopg.Connection, refused: Callable[[str], str]
) -> None:
    """Law 4: no UPDATE, DELETE or TRUNCATE by hand; opened, a code in use still cannot go."""
    table = "intel_lead.distribuidora"
    for statement in (f"update {table} set nome = nome", f"delete from {table}"):
        assert refused(statement) == "InsufficientPrivilege"
    assert refused(f"truncate {table} cascade") == "InsufficientPrivilege"
    opened = "set local intel_lead.dominio_aberto = 'sim'; "
    assert refused(f"{opened} delete from {table} where id = 401") == "ForeignKeyViolation"
    with conn.transaction(force_rollback=True):
        conn.execute(f"{opened} update {table} set nome = nome where id = 401")


def test_a_uc_id_alone_finds_its_lead_and_opens_its_own_leaf_only(conn: psycopg.Connection) -> None:
    """Law 1: a key tells its safra; a new session that asks for a lead locks no other's leaf."""
    table = "intel_lead.lead_bruto"
    assert a.value(
        conn,
        "select bool_and(ano = intel_lead.ano_do_id(uc_id)"
        f" and distribuidora_id = intel_lead.distribuidora_do_id(uc_id)) from {table}",
    )
    lead = a.value(conn, f"select uc_id from {table} where distribuidora_id = 404 limit 1")
    locked = (
        "select array_agg(distinct relation::regclass::text) from pg_locks"
        " where pid = pg_backend_pid() and relation::regclass::text ~ '^safra.lead_bruto_[0-9_]*$'"
    )
    with psycopg.connect("", dbname=conn.info.dbname) as reader:
        found = reader.execute("select * from intel_lead.lead_por_id(%s)", [lead]).fetchall()
        assert a.value(reader, locked) == ["safra.lead_bruto_404_2024"]
        assert found == reader.execute(f"select * from {table} where uc_id = %s", [lead]).fetchall()
        unknown = "07e80191-0000-8000-8000-000000000000"
        nobody = reader.execute("select * from intel_lead.lead_por_id(%s)", [unknown])
        assert nobody.fetchall() == []


def test_deleting_a_lead_deletes_its_months(conn: psycopg.Connection) -> None:
    """Law 4: on delete cascade on every published leaf pair."""
    lead = a.value(
        conn, "select uc_id from intel_lead.lead_bruto where distribuidora_id = 401 limit 1"
    )
    tables = [t for t in with_uc(conn) if t != "intel_lead.lead_bruto"]
    rows = " union all ".join(f"select uc_id from {t} where uc_id = %(lead)s" for t in tables)
    with conn.transaction(force_rollback=True):
        count = f"select count(*) from ({rows}) as r"
        assert conn.execute(count, {"lead": lead}).fetchone()[0] > 12
        conn.execute("delete from intel_lead.lead_bruto where uc_id = %s", [lead])
        assert conn.execute(count, {"lead": lead}).fetchone()[0] == 0


@pytest.mark.parametrize("table", ["energia", "demanda", "qualidade"])
def test_a_month_needs_its_lead_and_a_calendar(
    table: str, conn: psycopg.Connection, refused: Callable[[str], str]
) -> None:
    """Law 4: a month without lead, month 13, a month twice are refused by PostgreSQL."""
    name = f"intel_lead.lead_{table}_mensal"
    conn.execute(f"create temporary table if not exists m_{table} as select * from {name} limit 1")
    insert = (
        f"insert into {name} select (jsonb_populate_record(null::{name}, to_jsonb(m) || '{{}}')).*"
    )
    insert += f" from m_{table} as m"
    for change, error in (
        ('{"uc_id": "00000000-0000-8000-8000-000000000000"}', "ForeignKeyViolation"),
        ('{"mes": 13}', "CheckViolation"),
        ("{}", "UniqueViolation"),
    ):
        assert refused(insert.replace("'{}'", f"'{change}'")) == error


def test_a_constraint_that_is_gone_fails_or_reads_the_rows(
    warehouse: a.Warehouse, conn: psycopg.Connection
) -> None:
    """The contract's test asks the catalogue, and reads the rows that it no longer vouches for."""
    test = ("test", "--vars", "{testar: publicado}", "--select", "contrato_lead_bruto_")
    key = "conrelid = 'intel_lead.lead_bruto'::regclass and contype = 'f'"
    key += " and confrelid = 'intel_lead.municipio'::regclass"
    name, definition = conn.execute(
        f"select conname, pg_get_constraintdef(oid) from pg_constraint where {key}"
    ).fetchone()
    lead, municipio = conn.execute(
        "select uc_id, municipio_id from intel_lead.lead_bruto where municipio_id is not null"
    ).fetchone()
    move = "update intel_lead.lead_bruto set municipio_id = %s where uc_id = %s"
    assert warehouse.dbt(*test).ok
    conn.execute("alter table intel_lead.lead_bruto alter cod_id drop not null")
    assert not warehouse.dbt(*test).ok, "no row is null, but one could be"
    conn.execute("alter table intel_lead.lead_bruto alter cod_id set not null")
    conn.execute(f"alter table intel_lead.lead_bruto drop constraint {name}")
    try:
        assert warehouse.dbt(*test).ok, "every município is there, whoever says so"
        conn.execute(move, [1, lead])
        assert not warehouse.dbt(*test).ok
    finally:
        conn.execute(move, [municipio, lead])
        conn.execute(f"alter table intel_lead.lead_bruto add constraint {name} {definition}")


def test_a_replaced_leaf_goes_when_nobody_reads_what_it_references(
    warehouse: a.Warehouse, conn: psycopg.Connection
) -> None:
    """One short try that keeps no reader waiting; one that another dbt dropped is gone as well."""
    conn.execute(
        "create table descarte.folha_de_teste (id integer references intel_lead.municipio)"
    )
    drop = "select controle.apaga_descartada(to_regclass('descarte.folha_de_teste'))"
    with warehouse.connect() as analyst, analyst.transaction():
        analyst.execute("select from intel_lead.municipio limit 1")
        assert a.value(conn, drop) is False
    assert a.value(conn, drop) is True
    assert a.value(conn, "select to_regclass('descarte.folha_de_teste') is null")
    assert a.value(conn, drop) is True


def test_whom_nobody_documents_enters_the_domain_with_whichever_leaf_is_built_first(
    warehouse: a.Warehouse, conn: psycopg.Connection, tmp_path: Path
) -> None:
    """Every leaf refers to its distributor, and not every one waits for the leads."""
    path = tmp_path / "nova.gdb"
    generate(path, ucs=50, distribuidora=64_900, ano=2024, seed=1, faults=frozenset())
    assert warehouse.load(path).ok
    without_leads = ("--exclude", "lead_bruto+")
    done = warehouse.dbt("run", *MODELS, *without_leads, safra="64900-2024")
    assert done.ok, done.trouble
    assert "safra_camada" in built(conn, 64_900)
    name = a.value(conn, "select nome from intel_lead.distribuidora where id = 64900")
    assert name == "Distribuidora 64900 (não documentada)"

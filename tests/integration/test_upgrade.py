"""A database that an earlier version made: `make build` takes it over, its readers lose nothing.

Not here: what the tables hold (the other modules); the dumps are described in tests/upgrade.
"""

import lzma
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from loaders import connection as db
from tests.conftest import empty_database
from tests.integration import warehouse as a

DUMPS = sorted((a.CLONE / "tests" / "upgrade").glob("*.sql.xz"))
SCHEMAS = ("intel_lead", "marts", "controle", "construcao")
THEIRS = """
    create schema deles;
    create view deles.maiores as
        select uc_id, municipio, soma_energia from intel_lead.vw_lead_completo_detalhado
        where soma_energia > 1000;
    create view deles.totais as
        select ano, energia_total_kwh from intel_lead.resumo_leads_distribuidora;
"""
"""What people hung on our views by the names of then."""
YEARLY = """
    select ano, distribuidora_id, count(*), round(sum({energy})::numeric, 3),
        round(sum({dic})::numeric, 3), round(sum({fic})::numeric, 3)
    from intel_lead.vw_lead_completo_detalhado group by ano, distribuidora_id order by 1, 2
"""


@dataclass(frozen=True)
class Old:
    """A restored database, and what it said before any code of today touched it."""

    warehouse: a.Warehouse
    content: Mapping[str, tuple[int, int]]
    theirs: Mapping[str, tuple[int, int]]
    yearly: list[tuple]


def restore(dump: Path, env: Mapping[str, str]) -> None:
    """By psql, into an empty database."""
    command = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-o", os.devnull]
    text = lzma.decompress(dump.read_bytes())
    done = subprocess.run(command, input=text, env={**os.environ, **env}, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()


@pytest.fixture(scope="module", params=DUMPS, ids=lambda p: p.name.split(".sql")[0])
def old(
    request: pytest.FixtureRequest, server: dict[str, str], project: a.Project
) -> Iterator[Old]:
    """Each version that was out there."""
    with empty_database(server) as env:
        restore(request.param, env)
        warehouse = a.Warehouse(env, project)
        with warehouse.connect() as conn:
            conn.execute(THEIRS)
            names = {"energy": "soma_energia", "dic": "soma_dic", "fic": "soma_fic"}
            yearly = conn.execute(YEARLY.format(**names)).fetchall()
            content = a.contents(conn, *a.relations(conn, "intel_lead", "marts"))
            theirs = a.contents(conn, *a.relations(conn, "deles"))
        yield Old(warehouse, content, theirs, yearly)


def check(old: Old, conn: psycopg.Connection) -> None:
    """Readers see the same units and the same figures, and what they hung on them works."""
    names = {"energy": "energia_anual_kwh", "dic": "dic_anual_h", "fic": "fic_anual"}
    yearly = conn.execute(YEARLY.format(**names)).fetchall()
    # M10's outages are by the year: those of superseded rows were left out until 2026-11-27.
    model_m10 = {2020}
    assert [row[:4] for row in yearly] == [row[:4] for row in old.yearly]
    for now, then in zip(yearly, old.yearly, strict=True):
        assert now[4:] == then[4:] or (now[0] in model_m10 and now[4:] >= then[4:])
    assert a.contents(conn, *old.theirs) == old.theirs
    same = {name for name in old.content if name not in CHANGED}
    assert a.contents(conn, *same) == {name: old.content[name] for name in same}


CHANGED = {
    f"intel_lead.{name}"
    for name in [
        "lead_enrichment_log",  # its rows are numbered at each build
        "leitura_sensor",  # gained ressalva_horario
        "conjunto",  # gained geom
        "cnae",  # gained the codes of earlier editions
        "vw_lead_status_enriquecimento",  # which steps count: seed enriquecimento_etapa
        *["lead_bruto", "lead_com_coordenadas"],  # the outages of model M10, see check
        *["lead_historico", "lead_resumo_anual", "safra_resumo", "vw_lead_completo_detalhado"],
        *["resumo_energia_por_municipio", "resumo_leads_distribuidora", "resumo_leads_ano_camada"],
    ]
}
"""Relations whose columns or sums are others now: YEARLY and what hangs on them speak for them."""


def test_before_anything_is_built_readers_see_the_old_safras(old: Old) -> None:
    """Any dbt command runs the steps: here one that builds no safra."""
    done = old.warehouse.dbt("seed", "--select", "area_localizacao_dominio")
    assert done.ok, done.text
    with old.warehouse.connect() as conn:
        steps = conn.execute("select numero from controle.versao order by numero").fetchall()
        assert steps == [(n,) for n in range(1, db.DATABASE_VERSION + 1)]
        check(old, conn)
        assert a.value(
            conn, "select bool_and(invocacao is not null) from controle.safra_construida"
        )


def test_the_steps_run_once(old: Old) -> None:
    with old.warehouse.connect() as conn:
        before = a.catalogue(conn), conn.execute("table controle.versao").fetchall()
        done = old.warehouse.dbt("seed", "--select", "area_localizacao_dominio")
        assert done.ok, done.text
        after = a.catalogue(conn), conn.execute("table controle.versao").fetchall()
    assert before == after


def test_make_build_takes_it_over_and_nothing_is_lost(old: Old) -> None:
    """All safras are built by today's code, and say what they said."""
    done = subprocess.run(
        ["make", "build"],
        cwd=a.CLONE,
        env={**os.environ, **old.warehouse.env},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    with old.warehouse.connect() as conn:
        check(old, conn)
        assert a.value(
            conn,
            "select bool_and(publicada) and count(distinct (ano, distribuidora_id)) = %s"
            " and count(distinct sql_md5) = 1 from controle.safra_construida",
            [len(old.yearly)],
        )
        assert a.value(conn, "select count(*) from marts.vw_lead_completo_detalhado") > 0


def shape(conn: psycopg.Connection) -> set[tuple]:
    """Columns, constraints and indexes of all that is nobody's leaf."""
    conn.execute("set search_path = public")  # types are spelled by it
    ours = set(a.relations(conn, *SCHEMAS)) - {"intel_lead.qualidade_validacao"}  # the gate's
    things = {thing for thing in a.catalogue(conn) if thing[1] in ours}
    columns = {(kind, table, *rest[1:5]) for kind, table, *rest in things if kind == "column"}
    others = {thing for thing in things if thing[0] in ("constraint", "index", "trigger")}
    return columns | others


def test_it_ends_as_a_new_database_does(old: Old, model: a.Warehouse) -> None:
    """The same columns, keys and indexes, whichever way a database came to be."""
    with old.warehouse.connect() as conn, model.connect() as new:
        assert a.difference(shape(new), shape(conn)) == []
        for table in ("controle.visao", "controle.visao_materializada"):
            keys = f"select esquema, nome from {table} order by 1, 2"
            assert conn.execute(keys).fetchall() == new.execute(keys).fetchall()


def test_a_new_database_starts_at_the_newest_number(model: a.Warehouse) -> None:
    with model.connect() as conn:
        found = conn.execute("select numero, codigo from controle.versao").fetchall()
    assert found == [(db.DATABASE_VERSION, "banco novo")]


def test_a_database_newer_than_the_code_is_refused(
    warehouse: a.Warehouse, conn: psycopg.Connection, files: Mapping[str, Path]
) -> None:
    """By dbt and by the loader, in Portuguese, and nothing changes."""
    conn.execute("insert into controle.versao (numero, codigo) values (999, 'de amanhã')")
    before = a.catalogue(conn), a.contents(conn)
    built = warehouse.build(*a.ALL)
    assert not built.ok
    assert "o banco está na versão 999" in built.text
    landed = warehouse.start_load(files["nova"]).wait()
    assert landed.code == 4
    assert "o banco está na versão 999" in landed.text
    assert (a.catalogue(conn), a.contents(conn)) == before

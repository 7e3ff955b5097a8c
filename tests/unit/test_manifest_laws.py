"""The layer law and the documentation law, read off dbt's manifest: no database is asked.

Not here: what the tables hold (tests/integration), what a macro computes (dbt's own tests).
"""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from loaders.bdgd.layers import RAW_TABLES, UC_LAYERS
from loaders.connection import DATABASE_VERSION
from tests.golden import compare, make, tables

CLONE = Path(__file__).resolve().parent.parent.parent

MAY_READ = {
    "staging": {"source", "staging"},
    "intel_lead": {"staging", "intel_lead", "seed"},
    "views": {"intel_lead", "views"},
    "marts": {"intel_lead", "views", "marts", "seed"},
}
EXCEPTIONS = {
    # The ledger is the loader's own table, part of the contract: there is nothing to stage.
    ("vw_import_status_resumido", "source.intel_lead.controle.import_status"),
    ("mart_safra_camada", "source.intel_lead.controle.import_status"),
    # Rows and energy as they landed, before the staging.
    ("carga_resumo", "source.intel_lead.raw.ucat"),
    ("carga_resumo", "source.intel_lead.raw.ucmt"),
    ("carga_resumo", "source.intel_lead.raw.ucbt"),
    # Yearly sums of the few units with more rows: staging read twice would be written out whole.
    ("lead_bruto", "source.intel_lead.raw.ucat"),
    ("lead_bruto", "source.intel_lead.raw.ucmt"),
    ("lead_bruto", "source.intel_lead.raw.ucbt"),
    # Months as they came, read twice: an ephemeral model read twice is written out whole before.
    ("lead_serie", "source.intel_lead.raw.ucat"),
    ("lead_serie", "source.intel_lead.raw.ucmt"),
    ("lead_serie", "source.intel_lead.raw.ucbt"),
    # Read by tests of the safra tables that must stop the publication.
    ("safra_publicada", "source.intel_lead.controle.import_status"),
    ("safra_publicada", "source.intel_lead.raw.rejeitado"),
    ("safra_publicada", "source.intel_lead.carga.carga_soma"),
    ("safra_publicada", "source.intel_lead.carga.entrega"),
    # What a delivery brought, empty layers too: nothing in raw tells an absent one from them.
    ("safra_camada", "source.intel_lead.carga.entrega"),
    # The distributor's published safra before this one, or those before.
    ("lead_tendencia", "source.intel_lead.publicado.lead_perfil_anteriores"),
    ("safra_diferenca", "source.intel_lead.publicado.lead_bruto_anterior"),
    ("safra_diferenca", "source.intel_lead.publicado.lead_mercado_anterior"),
    ("anomalia", "source.intel_lead.publicado.lead_perfil_anterior"),
    ("previsao_faixa", "source.intel_lead.publicado.lead_perfil_anterior"),
    ("previsao_faixa", "source.intel_lead.publicado.lead_perfil_consumo_anterior"),
    # What the product writes while it runs: of no safra, so no model stages it.
    ("mart_operacao", "source.intel_lead.controle.import_status"),
    ("mart_operacao", "source.intel_lead.operacao.execucao_no"),
    ("mart_operacao", "source.intel_lead.operacao.aberto_arquivo"),
    ("mart_operacao", "source.intel_lead.operacao.visao_lida"),
    ("mart_operacao", "source.intel_lead.app.latencia_por_dia"),
    ("mart_alerta", "source.intel_lead.app.alerta"),
    ("mart_alerta", "source.intel_lead.app.regra_alerta"),
    ("mart_catalogo_bdgd", "source.intel_lead.catalogo.catalogo_situacao"),
    ("mart_aprendizado", "source.intel_lead.aprendizado.aprendizado"),
    ("peso_criterio", "source.intel_lead.aprendizado.peso_aprendido"),
}
KEPT = {"safra", "dominio", "publicacao", "incremental", "table", "inteira"}
"""Materializations that make a table."""

Node = dict[str, Any]


@pytest.fixture(scope="module")
def models(manifest: dict[str, dict[str, Node]]) -> list[Node]:
    """The project's models."""
    return [n for n in manifest["nodes"].values() if n["resource_type"] == "model"]


def layer(manifest: dict[str, dict[str, Node]], unique_id: str) -> str:
    """The folder of a model, else what kind of node it is."""
    kind = unique_id.split(".")[0]
    return manifest["nodes"][unique_id]["fqn"][1] if kind == "model" else kind


def kind(manifest: dict[str, dict[str, Node]], unique_id: str) -> str | None:
    """The materialization of a node."""
    return manifest["nodes"].get(unique_id, {}).get("config", {}).get("materialized")


def test_every_model_reads_only_the_layers_below_it(
    manifest: dict[str, dict[str, Node]], models: list[Node]
) -> None:
    """Raw → staging → intel_lead → views and marts; each exception is named above, and used.

    The publication comes after every table that it swaps, the marts' too.
    """
    crossings = {
        (model["name"], parent)
        for model in models
        for parent in model["depends_on"]["nodes"]
        if layer(manifest, parent) not in MAY_READ[model["fqn"][1]]
        and (model["name"], kind(manifest, parent)) != ("safra_publicada", "safra")
    }
    assert crossings == EXCEPTIONS


def test_no_model_goes_round_the_law_by_writing_a_schema_down(models: list[Node]) -> None:
    """Relations are named by ref and source alone, so that the graph knows all that is read."""
    written = re.compile(
        r"\b(from|join)\s+(raw|raw_safra|controle|app|seeds|construcao|safra|intel_lead|marts)\s*\."
    )
    assert not [m["name"] for m in models if written.search(m["raw_code"].lower())]


def test_every_model_source_seed_and_column_is_described(
    manifest: dict[str, dict[str, Node]], models: list[Node]
) -> None:
    """The data dictionary has no blank entry."""
    seeds = [n for n in manifest["nodes"].values() if n["resource_type"] == "seed"]
    nodes = [*models, *seeds, *manifest["sources"].values()]
    blank = [n["unique_id"] for n in nodes if not n["description"].strip()]
    blank += [
        f"{node['unique_id']}.{name}"
        for node in nodes
        for name, column in node["columns"].items()
        if not column["description"].strip()
    ]
    assert not blank


def test_every_model_that_people_read_lists_its_columns(models: list[Node]) -> None:
    """Only staging, which is ephemeral, may leave its columns to the SQL."""
    assert not [m["name"] for m in models if m["fqn"][1] != "staging" and not m["columns"]]


def test_every_table_has_an_enforced_contract_and_a_primary_key(models: list[Node]) -> None:
    """Types, NOT NULL and keys are promised in yml and made in the catalogue.

    A key that holds a null (the leads without município) is a unique constraint that counts it.
    """
    tables = [m for m in models if m["config"]["materialized"] in KEPT]
    assert len(tables) > 25
    assert not [m["name"] for m in tables if not m["config"]["contract"]["enforced"]]
    keyless = [
        m["name"]
        for m in tables
        if not {"primary_key", "custom"}
        & (
            {c["type"] for c in m["constraints"]}
            | {c["type"] for column in m["columns"].values() for c in column["constraints"]}
        )
    ]
    assert not keyless


def test_every_table_and_view_has_golden_values_or_a_reason(models: list[Node]) -> None:
    """A new one enters tests/golden with its model: its README says how."""
    built = {
        n["alias"] if n["schema"] == "intel_lead" else f"{n['schema']}.{n['alias']}"
        for n in models
        if n["config"]["materialized"] != "ephemeral"
    }
    sums = [make.FOLDER / name / make.SUMS for name in ("synthetic", "mux")]
    golden = {line["table"] for path in sums for line in compare.read(path)}
    assert sorted(built - golden - tables.NOT_COMPARED.keys()) == []
    assert not tables.NOT_COMPARED.keys() & golden


def test_one_test_asks_whether_postgres_holds_a_tables_contract(
    manifest: dict[str, dict[str, Node]], models: list[Node]
) -> None:
    """Law 4, once a table: a test per column says nothing more, and dbt takes 40 ms for each."""
    tests = [n for n in manifest["nodes"].values() if n["resource_type"] == "test"]
    of = {(t.get("attached_node"), (t.get("test_metadata") or {}).get("name")) for t in tests}
    tables = [m for m in models if m["config"]["materialized"] in KEPT]
    assert not [m["name"] for m in tables if (m["unique_id"], "contrato") not in of]
    repeated = [
        f"{m['name']}.{name}"
        for m in tables
        for name, column in m["columns"].items()
        for c in column["constraints"]
        for t in tests
        if t.get("attached_node") == m["unique_id"]
        and t.get("column_name") == name
        and t["test_metadata"]["name"] == c["type"]
    ]
    assert not repeated


def test_the_publication_swaps_every_safra_table_under_a_name_of_its_own(
    manifest: dict[str, dict[str, Node]], models: list[Node]
) -> None:
    """A table that is not named there stays in construction; leaves share a schema."""
    tables = [m for m in models if m["config"]["materialized"] == "safra"]
    publication = manifest["nodes"]["model.intel_lead.safra_publicada"]["depends_on"]["nodes"]
    assert {m["unique_id"] for m in tables} <= set(publication)
    assert len({m["alias"] for m in tables}) == len(tables)


def test_no_layer_of_the_network_is_without_the_ledgers_test(
    manifest: dict[str, dict[str, Node]],
) -> None:
    """The loader's layers are dbt's sources, and linhas_registradas counts the rows of each."""
    sources = {
        s["identifier"]
        for s in manifest["sources"].values()
        if s["config"]["meta"].get("por_safra")
    }
    assert sources == {layer.table for layer in RAW_TABLES}
    of_network = {c.table for c in RAW_TABLES if c not in UC_LAYERS}
    read = manifest["nodes"]["test.intel_lead.linhas_registradas"]["depends_on"]["nodes"]
    assert {f"source.intel_lead.raw.{name}" for name in of_network} <= set(read)


def test_no_two_tests_have_one_name_or_ask_the_same(manifest: dict[str, dict[str, Node]]) -> None:
    """A failed test is found by its name, and nothing is asked twice."""
    tests = [n for n in manifest["nodes"].values() if n["resource_type"] == "test"]
    asked = Counter(
        str((t["test_metadata"]["name"], sorted(t["test_metadata"]["kwargs"].items())))
        for t in tests
        if t.get("test_metadata")
    )
    names = Counter(n["name"] for n in [*tests, *manifest["unit_tests"].values()])
    assert not [what for what, times in (asked + names).items() if times > 1]


def test_every_failed_test_of_a_safra_table_stops_the_publication(
    manifest: dict[str, dict[str, Node]],
) -> None:
    """Dbt skips a model after a failed test only if all that the test reads is upstream of it."""
    nodes = manifest["nodes"]
    above, ahead = set(), ["model.intel_lead.safra_publicada"]
    while ahead:
        node = nodes.get(ahead.pop(), {})
        parents = set(node.get("depends_on", {}).get("nodes", []))
        ahead += parents - above
        above |= parents
    after = {
        unique_id
        for unique_id, node in nodes.items()
        if node["resource_type"] == "model" and unique_id not in above
    }
    loose = {
        test["name"]: reads - above
        for test in nodes.values()
        if test["resource_type"] == "test"
        for reads in [set(test["depends_on"]["nodes"])]
        if reads & above and not reads & after and not reads <= above
    }
    assert not loose


def test_the_loaders_know_the_newest_step_of_the_database() -> None:
    steps = (CLONE / "macros" / "migracoes.sql").read_text(encoding="utf-8")
    made = re.findall(r"macro migracao_(\d+)\(", steps)
    assert made == [str(n) for n in range(1, DATABASE_VERSION + 1)]
    called = re.search(r"return\(\[(.*)\]\)", steps)[1]
    assert called == ", ".join(f"migracao_{n}()" for n in made)

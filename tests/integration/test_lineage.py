"""Where a column comes from, as the page and the dictionary tell it.

Not here: the lineage of tables, which is dbt's (tests/unit/test_dagster_definitions.py).
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from dagster_pipeline import docs_site, lineage
from dagster_pipeline.defs import dbt
from tests.integration import warehouse as a

Docs = tuple[dict[str, Any], lineage.Lineage]
COMPUTED_OF_NOTHING = {
    "a count": ("carga_resumo", "linhas"),
    "a constant": ("mart_balanco_distribuidora", "item"),
    "a clock": ("lead_bruto", "created_at"),
}


@pytest.fixture(scope="module")
def docs(warehouse: a.Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Docs:
    """Of a built warehouse: dbt's manifest, and what its columns are made of."""
    target = tmp_path_factory.mktemp("docs")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in warehouse.env.items():
            patch.setenv(name, value)
        docs_site.generate(target)
    nodes = json.loads((target / "manifest.json").read_text())
    catalog = json.loads((target / "catalog.json").read_text())
    told, unread = lineage.of(nodes, catalog)
    assert unread == {}
    return nodes, told


def test_sql_that_cannot_be_read_leaves_the_others_theirs() -> None:
    def model(name: str, code: str) -> dict[str, object]:
        relation = {"resource_type": "model", "relation_name": f'"d"."s"."{name}"', "name": name}
        return relation | {
            "config": {"materialized": "view"},
            "columns": {"a": {}},
            "compiled_code": code,
        }

    nodes = {"m.b": model("b", "select 1 as a"), "m.c": model("c", "select (a from b")}
    columns = {"columns": {"a": {"type": "integer"}}}
    catalog = {"nodes": dict.fromkeys(nodes, columns), "sources": {}}
    told, unread = lineage.of({"nodes": nodes, "sources": {}}, catalog)
    assert told == {"m.b": {"a": []}}
    assert set(unread) == {"c"}


@pytest.fixture
def kept(docs: Docs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """The manifest, while `lineage.kept` knows what its columns are made of."""
    monkeypatch.setenv("DBT_TARGET_PATH", str(tmp_path))
    lineage.keep(docs[1], "source")
    yield docs[0]


def origins(docs: Docs, table: str, column: str) -> set[str]:
    nodes, told = docs
    return {
        f"{of.split('.')[-1]}.{name}"
        for of, name in told[f"model.intel_lead.{table}"][column]
        if of in nodes["nodes"] or of in nodes["sources"]
    }


def test_every_column_of_every_table_and_view_is_told(docs: Docs) -> None:
    nodes, told = docs
    models = {
        unique_id: set(node["columns"])
        for unique_id, node in nodes["nodes"].items()
        if node["resource_type"] == "model" and node["config"]["materialized"] != "ephemeral"
    }
    assert {unique_id: set(columns) for unique_id, columns in told.items()} == models
    columns = [made_of for of in told.values() for made_of in of.values()]
    assert sum(map(bool, columns)) > 0.95 * len(columns)


@pytest.mark.parametrize(
    ("table", "column", "expected"),
    [
        # Through staging, whose models are no tables.
        ("lead_bruto", "pac", {"ucat.dem_cont", "ucmt.dem_cont"}),
        ("lead_bruto", "carga_instalada_kw", {f"uc{x}t.car_inst" for x in "abm"}),
        # A view, through its join.
        ("vw_lead_com_cnae_desc", "segmento_mercado", {"segmento_mercado.descricao"}),
        # A sum.
        ("mart_lead_score", "score", {"mart_lead_criterio.contribuicao"}),
    ],
)
def test_a_column_is_made_of_these(docs: Docs, table: str, column: str, expected: set[str]) -> None:
    assert origins(docs, table, column) == expected


@pytest.mark.parametrize(("table", "column"), COMPUTED_OF_NOTHING.values(), ids=COMPUTED_OF_NOTHING)
def test_what_is_computed_of_no_column_says_so(docs: Docs, table: str, column: str) -> None:
    assert origins(docs, table, column) == set()


def test_dagster_is_told_of_the_columns_that_it_has_assets_of(kept: dict[str, Any]) -> None:
    told = dbt.column_lineage(kept)["model.intel_lead.mart_lead_score"]["dagster/column_lineage"]
    (dep,) = told.deps_by_column["score"]
    assert (dep.asset_key, dep.column_name) == (
        dg.AssetKey(["marts", "mart_lead_criterio"]),
        "contribuicao",
    )


def test_a_columns_description_ends_with_what_it_is_made_of(kept: dict[str, Any]) -> None:
    lineage.add_origins(kept, lineage.kept()[0])
    columns = kept["nodes"]["model.intel_lead.lead_bruto"]["columns"]
    assert columns["pac"]["description"].endswith("Vem de: raw.ucat.dem_cont, raw.ucmt.dem_cont.")
    assert "Vem de" not in columns["created_at"]["description"]
    many = kept["nodes"]["model.intel_lead.lead_bruto"]["columns"]["uc_id"]["description"]
    assert " e outras " in many


def test_before_it_is_told_nothing_is_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DBT_TARGET_PATH", str(tmp_path))
    assert lineage.kept() == ({}, "")
    assert dbt.column_lineage({"nodes": {}, "sources": {}}) == {}

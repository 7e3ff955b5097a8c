"""dashboards/ against dbt: what charts take is there, what falls is named. Superset is not asked.

Not here: Superset itself (tests/bi), who may read what (tests/integration/test_roles.py).
"""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from bi import assets, falls, marts, package
from bi.datasets import Dataset, identity, make, said

SHOWN = assets.read()
LOSSES = identity("dataset", "perda_alimentador")
OF_NO_DISTRIBUTOR = {
    "resumo_municipio",
    "consumo_dispositivo_hora",
    "consumo_dispositivo_mes",
    "mart_alerta_aicss",
    "mart_aicss_vs_perfil",
    "mart_operacao",
}
"""What docs/bi.md says that whoever is kept to a distributor sees whole."""
Manifest = dict[str, dict[str, dict[str, Any]]]


def datasets(manifest: Manifest) -> dict[str, Dataset]:
    """Those of the project, or of a changed one."""
    return package.known_datasets(marts.read(manifest))


def renamed(manifest: Manifest, mart: str, column: str) -> Manifest:
    """The project with a column under another name."""
    changed = copy.deepcopy(manifest)
    (node,) = (
        n for n in changed["nodes"].values() if n.get("alias") == mart and n["schema"] == "marts"
    )
    node["columns"]["outro_nome"] = node["columns"].pop(column)
    return changed


def test_every_chart_and_filter_finds_its_columns_and_metrics(manifest: Manifest) -> None:
    assert falls.find(SHOWN, datasets(manifest)) == []


def test_a_column_under_another_name_names_the_charts_and_filters_that_fall(
    manifest: Manifest,
) -> None:
    changed = datasets(renamed(manifest, "resumo_municipio", "uf"))
    assert {f.place for f in falls.find(SHOWN, changed)} == {
        "Visão geral › Energia por estado (MWh)",  # by a computed column
        "Visão geral › Municípios",
        "Visão geral › filtro UF",
        "Mercado livre › filtro UF",
        "Qualidade › filtro UF",
    }


def test_a_column_of_a_metric_under_another_name_names_the_charts(manifest: Manifest) -> None:
    changed = datasets(renamed(manifest, "mart_alerta", "aberto"))
    (fall,) = falls.find(SHOWN, changed)
    assert fall == falls.Fall("Operação › Alertas abertos, por regra", "alerta", "aberto")


def test_a_joined_column_under_another_name_fells_all_of_the_dataset(manifest: Manifest) -> None:
    changed = datasets(renamed(manifest, "safra_publicada", "distribuidora"))
    found = falls.find(SHOWN, changed)
    fallen = {f.place for f in found if f.dataset == "alerta"}
    assert fallen == {"Operação › Alertas abertos, por regra"}
    assert {f.lacking for f in found if f.dataset == "alerta"} == {
        "marts.safra_publicada.distribuidora"
    }


def test_a_mart_that_is_gone_fells_its_charts(manifest: Manifest) -> None:
    there = marts.read(manifest)
    del there["mart_operacao"]
    found = falls.find(SHOWN, package.known_datasets(there))
    assert {f.place for f in found} == {
        "Operação › Execuções por dia e etapa",
        "Operação › Falhas",
        "Operação › Tempo por dia e etapa (s)",
    }


def test_what_the_database_has_not_yet_falls_too(manifest: Manifest) -> None:
    gone = {"mart_alerta_aicss": {"evidencia"}}
    (fall,) = falls.find(SHOWN, datasets(manifest), gone=gone)
    assert fall == falls.Fall("AICSS › O que há de errado", "mart_alerta_aicss", "evidencia")


def test_what_a_joined_dataset_names_and_the_database_lacks_fells_all_its_charts(
    manifest: Manifest,
) -> None:
    found = falls.find(SHOWN, datasets(manifest), gone={"perda_alimentador": {"posicao"}})
    drawn = {c["slice_name"] for c in SHOWN.charts.values() if c["dataset_uuid"] == LOSSES}
    assert {f.place.partition(" › ")[2] for f in found if "filtro" not in f.place} == drawn


@pytest.mark.parametrize(
    ("expression", "named"),
    [
        ("sum(a_kwh) / 1000", {"a_kwh"}),
        ("count(*) filter (where livre)", {"livre"}),
        ("case when situação = 'x y' then b end", {"situação", "b"}),
        ("round(x::numeric(10, 2))", {"x"}),
        ("percentile_cont(0.5) within group (order by mape)", {"mape"}),
        ('"Com Espaço" + c', {"Com Espaço", "c"}),
    ],
    ids=["sum", "filter", "text", "cast", "within", "quoted"],
)
def test_the_columns_of_an_expression(expression: str, named: set[str]) -> None:
    assert marts.columns_named(expression) == named


def test_metrics_take_columns_of_their_own_mart(manifest: Manifest) -> None:
    wrong = {
        (mart.name, metric.name): lacking
        for mart in marts.read(manifest).values()
        for metric in mart.metrics
        if (lacking := marts.columns_named(metric.expression) - {*mart.columns})
    }
    assert wrong == {}


def test_files_are_in_the_form_that_an_export_writes() -> None:
    """Else the first export would change them, though nobody touched a page."""
    forms: tuple[tuple[str, Callable], ...] = (
        ("charts", assets.chart),
        ("dashboards", assets.dashboard),
    )
    for kind, form in forms:
        for file in sorted((assets.FOLDER / kind).iterdir()):
            text = file.read_text(encoding="utf-8")
            assert assets.dump(form(yaml.safe_load(text))) == text, file.name


def test_numbers_of_one_superset_are_left_out_of_an_export() -> None:
    known = SHOWN.dashboards["visao_geral"]
    theirs = copy.deepcopy(known)
    for box in assets.boxes(theirs["position"]):
        box["meta"]["chartId"] += 4000
    for one in theirs["metadata"]["native_filter_configuration"]:
        one["scope"]["excluded"] = [n + 4000 for n in one["scope"]["excluded"]]
        one["chartsInScope"] = [4001]
    theirs["metadata"]["chart_configuration"] = {"4001": {"id": 4001}}
    chart = SHOWN.charts["visao_mapa"]
    their_chart = chart | {"params": chart["params"] | {"slice_id": 4001, "datasource": "9__table"}}
    exported = {
        "dashboards/Visao_geral_9.yaml": yaml.safe_dump(theirs),
        "charts/Onde_estao_4001.yaml": yaml.safe_dump(their_chart | {"query_context": "{}"}),
    }
    ours = assets.ours(exported, SHOWN)
    assert ours.dashboards == {"visao_geral": known}
    assert ours.charts == {"visao_mapa": chart}


def test_a_new_chart_gets_a_file_named_by_its_title() -> None:
    new = {**SHOWN.charts["visao_mapa"], "uuid": identity("chart", "x"), "slice_name": "Ação × mês"}
    ours = assets.ours({"charts/x_1.yaml": yaml.safe_dump(new)}, SHOWN)
    assert [*ours.charts] == ["acao_mes"]


def test_every_chart_is_on_a_dashboard_and_no_two_share_a_uuid() -> None:
    uuids = [c["uuid"] for c in SHOWN.charts.values()]
    assert len(uuids) == len({*uuids})
    assert {*uuids} == {*SHOWN.places()}


def test_a_dataset_that_joins_reads_marts_alone_and_names_each_column_once() -> None:
    one = marts.Column("text", "")
    there = {
        "a": marts.Mart("a", "", {"k": one, "x": one, "g": marts.Column("geometry", "")}, ()),
        "b": marts.Mart("b", "", {"k": one, "x": one, "y": one, "z": one}, ()),
    }
    entry = {"from": "a", "join": [{"mart": "b", "by": ["k"], "columns": ["y"]}]}
    made = make({"d": entry}, there, package.names)["d"]
    assert [*made.columns] == ["k", "x", "y"]
    assert made.sql == (
        "select\n    b.k,\n    b.x,\n    j0.y\nfrom marts.a as b\n"
        "left join (select distinct k, y from marts.b) as j0 using (k)"
    )


def test_no_dataset_has_what_readers_may_not_see(manifest: Manifest) -> None:
    found = {c for d in datasets(manifest).values() for c in d.columns}
    assert found & {"telefone", "email", "descr", "lgrd"} == set()


def test_rows_are_kept_to_a_distributor_in_all_datasets_but_those_that_the_docs_name(
    manifest: Manifest,
) -> None:
    """The filter goes by a column; a dataset that lost it would show all rows without a word."""
    without = {n for n, d in datasets(manifest).items() if "distribuidora_id" not in d.columns}
    assert without == OF_NO_DISTRIBUTOR


def test_a_code_is_said_by_its_name_and_one_without_a_name_by_itself() -> None:
    assert said("tipo", {"a": "Água d'oeste"}) == (
        "case tipo when 'a' then 'Água d''oeste' else tipo end"
    )

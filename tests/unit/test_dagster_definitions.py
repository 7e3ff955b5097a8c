"""What the code location promises: one lineage, sound jobs, every model and test in its place."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import dagster as dg
import pytest

from dagster_pipeline import batch, failures, manifest
from dagster_pipeline.definitions import defs as load
from dagster_pipeline.defs import dbt, inbox, open_data, raw, resources, safras
from loaders.__main__ import Thousands
from loaders.bdgd import landing
from loaders.open_data.dataset import Dataset
from loaders.open_data.registry import DATASETS


@pytest.fixture(scope="module")
def defs() -> dg.Definitions:
    return load()


@pytest.fixture(scope="module")
def nodes(defs: dg.Definitions) -> Mapping[str, Any]:
    return dbt.loaded(manifest.prepare())["nodes"]


def keys(defs: dg.Definitions, job: str) -> set[dg.AssetKey]:
    return set(defs.resolve_job_def(job).asset_layer.executable_asset_keys)


@pytest.mark.parametrize("config", [raw.BdgdFile, safras.Batch])
def test_the_page_lands_as_the_command_line_does(config: type[dg.Config]) -> None:
    words = get_args(config.model_fields["milhar"].annotation)
    assert words == ("", *(word.value for word in Thousands))
    told = safras.options(config(milhar="ponto", sem_camada=["ucbt_tab"], substituir=True))
    assert told == landing.Options(
        wait=True, thousands="ponto", without=frozenset({"UCBT"}), replace_layer=True
    )


def test_every_model_and_seed_is_an_asset(defs: dg.Definitions, nodes: Mapping[str, Any]) -> None:
    expected = {
        (no["schema"], no["alias"])
        for no in nodes.values()
        if no["resource_type"] in ("model", "seed") and no["config"]["materialized"] != "ephemeral"
    }
    found = {tuple(spec.key.path) for spec in defs.resolve_all_asset_specs()}
    assert expected <= found


@pytest.mark.parametrize(("job", "with_safra"), [("safra", True), ("marts", False)])
def test_a_job_mixes_no_partitionings(defs: dg.Definitions, job: str, with_safra: bool) -> None:
    graph = defs.resolve_asset_graph()
    assert all(graph.get(key).is_partitioned == with_safra for key in keys(defs, job))


def test_the_two_jobs_materialize_everything_but_what_comes_from_the_net(
    defs: dg.Definitions,
) -> None:
    graph = defs.resolve_asset_graph()
    of_the_net = {open_data.key(dataset) for dataset in DATASETS.values()}
    parts = [keys(defs, "safra"), keys(defs, "marts"), keys(defs, "empresas"), of_the_net]
    assert set().union(*parts) == set(graph.materializable_asset_keys)
    assert sum(map(len, parts)) == len(set().union(*parts))


def test_open_data_comes_at_its_sources_own_period_once_switched_on(defs: dg.Definitions) -> None:
    schedules = {s.name: s for s in open_data.schedules}
    assert schedules.keys() == {f"aberto_{d.id}" for d in DATASETS.values() if d.origin}
    for dataset in DATASETS.values():
        assert keys(defs, f"aberto_{dataset.id}") == {open_data.key(dataset)}
    for schedule in schedules.values():
        assert defs.resolve_schedule_def(schedule.name).cron_schedule == schedule.cron_schedule
        assert schedule.default_status is dg.DefaultScheduleStatus.STOPPED


@pytest.mark.parametrize("dataset", DATASETS.values(), ids=lambda d: d.id)
def test_the_page_and_the_dictionary_say_source_licence_period_and_caveat(
    dataset: Dataset, defs: dg.Definitions
) -> None:
    (source,) = (
        s
        for s in dbt.loaded(manifest.prepare())["sources"].values()
        if s["identifier"] == dataset.table
    )
    on_the_page = defs.resolve_asset_graph().get(open_data.key(dataset))
    told = {"dbt": source["description"], "page": on_the_page.description}
    for text in told.values():
        words = " ".join(text.split())
        for said in (dataset.title, dataset.publisher, dataset.licence, dataset.period):
            assert said in words
        assert dataset.caveat in words
    assert dataset.page in source["description"]


@pytest.mark.parametrize(
    "leaf",
    [
        ["intel_lead", "resumo_leads_distribuidora"],
        ["intel_lead", "vw_import_status_resumido"],
        ["marts", "mart_previsao_energia"],
    ],
)
def test_lineage_goes_from_the_file_to_the_view(defs: dg.Definitions, leaf: list[str]) -> None:
    graph = defs.resolve_asset_graph()
    above = graph.get_ancestor_asset_keys(dg.AssetKey(leaf))
    assert {raw.FILE, dg.AssetKey(["raw", "ucbt"])} <= above


def test_nothing_of_the_lineage_lacks_its_definition(defs: dg.Definitions) -> None:
    graph = defs.resolve_asset_graph()
    defined = {spec.key for spec in defs.resolve_all_asset_specs()}
    assert set(graph.get_all_asset_keys()) == defined


def test_the_aicss_job_goes_from_reading_to_mart(defs: dg.Definitions) -> None:
    found_keys = keys(defs, "aicss")
    assert {raw.AICSS, dg.AssetKey(["marts", "consumo_dispositivo_hora"])} <= found_keys
    assert not any(key.path[-1] == "lead_bruto" for key in found_keys)


def test_rollups_follow_publications_and_not_builds(defs: dg.Definitions) -> None:
    graph = defs.resolve_asset_graph()
    summary = graph.get(dg.AssetKey(["intel_lead", "resumo_leads_distribuidora"]))
    assert summary.automation_condition is not None
    assert dbt.PUBLISHED in summary.parent_keys
    assert graph.get(dg.AssetKey(["intel_lead", "lead_bruto"])).automation_condition is None


def test_a_file_enters_only_once_it_stopped_growing() -> None:
    before, now = {"a.gdb.zip": [5, 1]}, {"a.gdb.zip": [9, 2]}
    assert inbox.ready(now, {}) == []
    assert inbox.ready(now, before) == []
    assert inbox.ready(now, now) == ["a.gdb.zip"]
    assert inbox.ready({"a.gdb.zip": [0, 1]}, {"a.gdb.zip": [0, 1]}) == []


def test_the_inbox_sees_only_what_the_loader_reads(tmp_path: Path) -> None:
    passed_over: dict[str, str] = {}
    assert inbox.present(tmp_path / "ausente", passed_over) == {}
    assert inbox.present(tmp_path, passed_over) == {}
    for folder in (tmp_path, tmp_path / "feito"):
        (folder / "base.gdb").mkdir(parents=True)
        (folder / "base.gdb" / "a00000001.gdbtable").write_bytes(b"12345")
    (tmp_path / "leia-me.txt").write_text("nada")
    (tmp_path / "x.gdb.zip.part").write_text("meio arquivo")
    found = inbox.present(tmp_path, passed_over)
    assert list(found) == ["base.gdb"]
    assert sorted(passed_over) == ["leia-me.txt", "x.gdb.zip.part"]
    assert found["base.gdb"][0] == 5


def test_a_complement_waits_until_nothing_else_does() -> None:
    """A geodatabase and the CSV beside it may be laid down together, in whatever order."""
    csv, base = "complemento/ucbt_pj.csv", "b.gdb.zip"
    both = {csv: [5, 1], base: [9, 1]}
    assert inbox.turn(both, [csv, base]) == ([base], False)
    assert inbox.turn(both, [csv]) == ([], False)  # the geodatabase is still being copied
    assert inbox.turn({csv: [5, 1]}, [csv]) == ([csv], True)
    assert inbox.turn({csv: [5, 1], "vazio.gdb.zip": [0, 1]}, [csv]) == ([csv], True)
    assert inbox.turn({}, []) == ([], False)


def test_what_came_by_the_inbox_ends_in_feito_or_recusado_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTEL_INBOX", str(tmp_path / "caixa"))
    inbox_folder = inbox.make()
    outside = tmp_path / "fora.gdb.zip"
    names = ("bom", "complemento/pj.csv", "ruim", "retido", "sem_banco")
    for file in (outside, *(inbox_folder / name for name in names)):
        file.write_text("x")
    done = batch.Outcome(
        landings=[
            batch.Landing(inbox_folder / "bom", ("1-2023",)),
            batch.Landing(inbox_folder / "complemento/pj.csv", ("1-2023",), complement=True),
            batch.Landing(inbox_folder / "ruim", (), "ruim: não é um zip", 3),
            batch.Landing(inbox_folder / "retido", ("2-2023",)),
            batch.Landing(inbox_folder / "sem_banco", (), "o banco não respondeu", 4),
            batch.Landing(outside, (), "não é um zip", 3),
        ],
        verdicts=[],
        held={"2-2023": "caiu pela metade"},
        build=batch.Build(),
    )
    inbox.file_away(done)
    stayed = {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()}
    assert stayed == {
        "fora.gdb.zip",
        "caixa/feito/bom",
        "caixa/feito/complemento/pj.csv",
        "caixa/recusado/ruim",
        "caixa/recusado/ruim.txt",
        "caixa/recusado/retido",
        "caixa/recusado/retido.txt",
        "caixa/sem_banco",
    }
    assert "não é um zip" in (inbox_folder / "recusado" / "ruim.txt").read_text()
    assert "caiu pela metade" in (inbox_folder / "recusado" / "retido.txt").read_text()
    assert done.landings[0].path == inbox_folder / "feito" / "bom"


def test_what_fails_says_the_greatest_exit_code() -> None:
    nothing = batch.Outcome([], [], {}, batch.Build())
    assert (nothing.code, nothing.problems()) == (0, [])
    bad = batch.Landing(Path("a"), (), "ruim", 3)
    failed = {"1-2023": [failures.Failed("1-2023", "teste", "2 linhas", 2)]}
    everything = batch.Outcome([bad], [], {}, batch.Build(failed=failed))
    assert everything.code == 3
    assert everything.problems() == [
        "arquivo a: ruim",
        "safra 1-2023 reprovada, não publicada: teste: 2 linhas",
    ]


def test_every_check_has_a_description(defs: dg.Definitions) -> None:
    graph = defs.resolve_asset_graph()
    assert graph.asset_check_keys
    assert all(graph.get(key).description for key in graph.asset_check_keys)


def test_the_fingerprint_changes_with_a_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in manifest.SOURCES:
        (tmp_path / folder).mkdir(parents=True)
    for name in manifest.SINGLE_FILES:
        (tmp_path / name).write_text("")
    monkeypatch.setattr(manifest, "CLONE", tmp_path)
    before = manifest.fingerprint()
    assert manifest.fingerprint() == before
    (tmp_path / "dbt_project" / "models" / "x.sql").write_text("select 1")
    assert manifest.fingerprint() != before


def test_pruning_leaves_the_newest_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    for number in range(4):
        folder = tmp_path / "storage" / f"run{number}"
        (folder / "compute_logs").mkdir(parents=True)
        os.utime(folder, (number, number))
    (tmp_path / "storage" / "raw").mkdir()
    resources.prune(keep=2)
    assert {p.name for p in (tmp_path / "storage").iterdir()} == {"run2", "run3", "raw"}


def test_everything_on_the_page_has_somebody_who_answers_for_it_and_says_what_it_is(
    defs: dg.Definitions,
) -> None:
    specs = list(defs.resolve_all_asset_specs())
    assert {owner for spec in specs for owner in spec.owners} == {
        *("team:engenharia", "team:analise", "team:comercial")
    }
    assert [spec.key for spec in specs if not spec.owners or not spec.description] == []
    assert [spec.key for spec in specs if "```sql" in spec.description] == []


def test_a_dbt_test_that_fails_stops_what_reads_its_table_in_the_same_run(
    defs: dg.Definitions, nodes: Mapping[str, Any]
) -> None:
    """Python assets too: Dagster skips what lies under a check that blocks."""
    graph, wrong = defs.resolve_asset_graph(), []
    for node in nodes.values():
        key = dbt.check_key({"nodes": nodes}, node)
        if key and not dbt.is_of_a_safra(nodes_by_key(nodes)[key.asset_key]):
            blocks = graph.get_check_spec(key).blocking
            if blocks != (node["config"]["severity"].lower() == "error"):
                wrong.append(key)
    assert wrong == []


def test_every_dbt_test_of_data_is_on_the_page(nodes: Mapping[str, Any]) -> None:
    """Those without data of ours are tests of our kinds of tests."""
    data = [n for n in nodes.values() if n["resource_type"] == "test" and n["depends_on"]["nodes"]]
    assert len(data) > 100
    assert [n["name"] for n in data if not dbt.check_key({"nodes": nodes}, n)] == []


def nodes_by_key(nodes: Mapping[str, Any]) -> dict[dg.AssetKey, Mapping[str, Any]]:
    tables = (n for n in nodes.values() if n["resource_type"] in ("model", "seed"))
    return {dbt.asset_key(node): node for node in tables}

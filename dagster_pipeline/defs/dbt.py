"""dbt's models as assets: those of one safra, and those made of all that is published.

Belongs here: which models run together, and how dbt's events become Dagster's. Not here: SQL, tests
(dbt_project/), when things run (jobs.py, schedules.py, sensors.py).
"""

import json
import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, build_dbt_asset_specs, dbt_assets

from dagster_pipeline import batch, dbt_command, docs_site, failures, lineage
from dagster_pipeline.defs import sizes
from dagster_pipeline.defs.resources import Database, prune
from dagster_pipeline.manifest import KINDS_OF_A_SAFRA, OF_A_SAFRA

DOMAINS = "config.materialized:seed config.materialized:dominio"
OF_ALL = (
    f"{DOMAINS} config.materialized:view config.materialized:materialized_view"
    " config.materialized:incremental config.materialized:inteira"
)
PUBLISHED = dg.AssetKey(["intel_lead", "safra_publicada"])

VIEW_TESTS = ("--select", "path:tests/views")
"""Tests that compare a view with the tables it reads."""


class Translator(DagsterDbtTranslator):
    """Groups by layer; what is made of published data follows each publication by itself."""

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """The table's own name: a model that stands for another schema's has an alias."""
        key = super().get_asset_key(dbt_resource_props)
        return dg.AssetKey([*key.path[:-1], dbt_resource_props.get("alias") or key.path[-1]])

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """What the table holds; its SQL is in dbt's docs."""
        said = dbt_resource_props["description"]
        if site := os.environ.get(docs_site.ADDRESS):
            kind, unique_id = dbt_resource_props["resource_type"], dbt_resource_props["unique_id"]
            return f"{said}\n\n[No dicionário de dados]({site}/#!/{kind}/{unique_id})"
        return said

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> Sequence[str] | None:
        """Who answers for it: ``meta.dono`` in dbt_project.yml."""
        owner = dbt_resource_props["config"].get("meta", {}).get("dono")
        return [f"team:{owner}"] if owner else None

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """``safra`` for what has a partition, ``seeds``, else the model's folder."""
        if dbt_resource_props["resource_type"] == "seed":
            return "seeds"
        return "safra" if is_of_a_safra(dbt_resource_props) else dbt_resource_props["fqn"][-2]

    def get_automation_condition(
        self, dbt_resource_props: Mapping[str, Any]
    ) -> dg.AutomationCondition | None:
        """Views follow what they read by themselves; a safra's tables, their partition's run."""
        materialized = dbt_resource_props["config"].get("materialized")
        if materialized not in ("materialized_view", "incremental", "inteira"):
            return None
        return after_publications()

    def get_asset_check_spec(
        self,
        asset_spec: dg.AssetSpec,
        manifest: Mapping[str, Any],
        unique_id: str,
        project: Any,  # noqa: ANN401
    ) -> dg.AssetCheckSpec | None:
        """As dbt's test says it, else as its kind does."""
        spec = super().get_asset_check_spec(asset_spec, manifest, unique_id, project)
        if spec is None:
            return None
        test = manifest["nodes"][unique_id]
        blocking = severity(test) is dg.AssetCheckSeverity.ERROR
        return spec._replace(description=claim(test), blocking=blocking)


def after_publications() -> dg.AutomationCondition:
    """Of what is made of published safras: a safra's tables' own builds trigger nothing."""
    updated = dg.AutomationCondition.any_deps_updated().ignore(
        dg.AssetSelection.groups("safra") - dg.AssetSelection.assets(PUBLISHED)
    )
    return updated.since_last_handled() & ~dg.AutomationCondition.in_progress()


CLAIMS = {
    "contrato": "o PostgreSQL garante os nulos, as chaves e as referências do contrato",
    "not_null": "{column} nunca é nula",
    "unique": "{column} não se repete",
    "accepted_values": "{column} só tem os valores previstos",
    "relationships": "{column} existe em {to}",
    "combinacao_unica": "{colunas} não se repetem juntas",
    "entre": "{column} fica entre {minimo} e {maximo}",
    "doze_meses_por_uc": "cada UC tem os doze meses, cada um uma vez",
    "chave_da_safra": "a safra escrita no uc_id é a da linha",
    "energia_igual": "a energia de cada mês é a do arquivo",
}


def claim(test: Mapping[str, Any]) -> str:
    """What a dbt test claims, in Portuguese."""
    if test.get("description"):
        return test["description"]
    generic = test.get("test_metadata") or {}
    values = dict(generic.get("kwargs", {}))
    to = re.search(r"'(\w+)'", str(values.get("to", "")))
    words = values | {
        "column": values.get("column_name", ""),
        "to": to[1] if to else "",
        "colunas": ", ".join(values.get("colunas", [])),
    }
    return CLAIMS.get(generic.get("name", ""), test["name"]).format_map(words)


def is_of_a_safra(props: Mapping[str, Any]) -> bool:
    """Whether a node is a table that has a partition per safra."""
    return props["config"].get("materialized") in KINDS_OF_A_SAFRA


def filled_elsewhere(manifest: Mapping[str, Any]) -> dict[str, dg.AssetKey]:
    """Sources that are assets, and no safra's: id → key."""
    found = ((i, s["config"].get("meta", {})) for i, s in manifest["sources"].items())
    return {i: dg.AssetKey(m["dagster"]["asset_key"]) for i, m in found if "dagster" in m}


def made_of(manifest: Mapping[str, Any], source: str) -> set[str]:
    """Ids of the nodes that a source's tables lie under."""
    found, ahead = set(), [i for i, s in manifest["sources"].items() if s["source_name"] == source]
    while ahead:
        new = set(manifest["child_map"].get(ahead.pop(), ())) - found
        found |= new
        ahead += new
    return found


def asset_key(props: Mapping[str, Any]) -> dg.AssetKey:
    """A model's or seed's key."""
    return dg.AssetKey([props["schema"], props["alias"]])


@cache
def loaded(path: Path) -> Mapping[str, Any]:
    """The manifest, read once a process; its columns say what they are made of, if that is told."""
    nodes = json.loads(path.read_text())
    lineage.add_origins(nodes, lineage.kept()[0])
    return nodes


def column_lineage(nodes: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Unique id → metadata: its columns' origins, as Dagster has them; nothing before make docs."""
    key_of = Translator().get_asset_key
    keys = {
        unique_id: key_of(node)
        for unique_id, node in {**nodes["nodes"], **nodes["sources"]}.items()
        if node.get("relation_name")
    }
    return {
        unique_id: {
            "dagster/column_lineage": dg.TableColumnLineage(
                {
                    column: [
                        dg.TableColumnDep(keys[of], name) for of, name in made_of if of in keys
                    ]
                    for column, made_of in columns.items()
                }
            )
        }
        for unique_id, columns in lineage.kept()[0].items()
    }


def specs_of_a_safra(path: Path) -> list[dg.AssetSpec]:
    """The tables that have a partition per safra; no code version: the database knows that."""
    specs = build_dbt_asset_specs(
        manifest=loaded(path), dagster_dbt_translator=Translator(), select=OF_A_SAFRA
    )
    return [spec.replace_attributes(code_version=None) for spec in specs]


def sources(path: Path) -> list[dg.AssetSpec]:
    """What dbt reads and something else fills, as its yml describes it."""
    translator = Translator()
    return [
        dg.AssetSpec(
            translator.get_asset_key(source),
            description=translator.get_description(source),
            group_name="origens",
            kinds={"postgres"},
            metadata=translator.get_metadata(source),
        )
        for source in loaded(path)["sources"].values()
    ]


def tables_of_a_safra(nodes: Mapping[str, Any]) -> list[dg.AssetKey]:
    """Their keys."""
    return [
        asset_key(node)
        for node in nodes["nodes"].values()
        if node["resource_type"] == "model" and is_of_a_safra(node)
    ]


def published_assets(path: Path) -> dg.AssetsDefinition:
    """What is made of all published safras and of readings."""
    manifest, translator = loaded(path), Translator()

    @dbt_assets(
        manifest=manifest,
        name="dbt_publicado",
        select=OF_ALL,
        dagster_dbt_translator=translator,
    )
    def dbt_published(
        context: dg.AssetExecutionContext, banco: Database
    ) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        """Domains, views, rollups, marts: what is made of all published safras, and of readings."""
        chosen = context.selected_asset_keys
        names = [
            node["name"]
            for node in manifest["nodes"].values()
            if node["resource_type"] in ("model", "seed") and asset_key(node) in chosen
        ]
        say = context.log.info
        with banco.connect() as conn, batch.sole_dbt(conn, say):
            # A test of safras under construction must not fail what readers see.
            done = dbt_command.build(
                "--select", *names, *VIEW_TESTS[1:], "--indirect-selection", "cautious"
            )
        with banco.connect() as conn:
            alerted = batch.alert(conn, say=say)
            counted = sizes.of_whole(conn, manifest, done.nodes)
        yield from results(manifest, done, counted, chosen, context.selected_asset_check_keys)
        prune()
        if problem := failures.problem(done) if done.code else alerted:
            raise dg.Failure(problem, allow_retries=False)

    return dbt_published


def results(
    manifest: Mapping[str, Any],
    done: dbt_command.Done,
    counted: Mapping[str, dict[str, Any]],
    chosen: Collection[dg.AssetKey],
    checks: Collection[dg.AssetCheckKey],
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    """What dbt made, as the outputs of a step that was asked for these."""
    origins = column_lineage(manifest)
    for node in done.nodes:
        props = manifest["nodes"].get(node.id)
        if props and node.kind in ("model", "seed") and node.status == "success":
            if asset_key(props) in chosen:
                known = {**counted.get(node.id, {}), **origins.get(node.id, {})}
                metadata = {"segundos": node.seconds, **known}
                yield dg.MaterializeResult(asset_key(props), metadata=metadata)
        elif props and (key := check_key(manifest, props)) in checks:
            yield dg.AssetCheckResult(
                passed=node.status == "pass",
                asset_key=key.asset_key,
                check_name=key.name,
                severity=severity(props),
                metadata={"estado": node.status},
            )


def severity(test: Mapping[str, Any]) -> dg.AssetCheckSeverity:
    """Of a dbt test, as Dagster has it."""
    warns = test["config"]["severity"].lower() == "warn"
    return dg.AssetCheckSeverity.WARN if warns else dg.AssetCheckSeverity.ERROR


def check_key(manifest: Mapping[str, Any], test: Mapping[str, Any]) -> dg.AssetCheckKey | None:
    """The check that a dbt test is: of the model it is attached to, or the one it names."""
    if test["resource_type"] != "test":
        return None
    of = test.get("attached_node") or _only_model(manifest, test)
    if not of or of not in manifest["nodes"]:
        return None
    return dg.AssetCheckKey(asset_key(manifest["nodes"][of]), test["name"])


def _only_model(manifest: Mapping[str, Any], test: Mapping[str, Any]) -> str | None:
    of = [name for name in test["depends_on"]["nodes"] if name in manifest["nodes"]]
    named = test["config"].get("meta", {}).get("dagster", {}).get("ref", {}).get("name")
    return next((n for n in of if n.endswith(f".{named}")), of[0] if len(of) == 1 else None)

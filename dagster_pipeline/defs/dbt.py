"""dbt's models as assets: those of one safra, and those made of all that is published.

Belongs here: which models run together, and how dbt's events become Dagster's. Not here: SQL, tests
(dbt_project/), when things run (jobs.py, schedules.py, sensors.py).
"""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
from dagster_dbt import DagsterDbtTranslator, DbtCliInvocation, dbt_assets

from dagster_pipeline.defs.partitions import SAFRA
from dagster_pipeline.defs.resources import Banco, Dbt, prune, sole_dbt
from dagster_pipeline.manifest import OF_A_SAFRA
from loaders.safra import Safra

DOMAINS = "config.materialized:seed config.materialized:dominio"
OF_ALL = (
    f"{DOMAINS} config.materialized:view config.materialized:materialized_view"
    " config.materialized:incremental"
)
PUBLISHED = dg.AssetKey(["intel_lead", "safra_publicada"])

DbtEvent = (
    dg.Output
    | dg.AssetMaterialization
    | dg.AssetObservation
    | dg.AssetCheckResult
    | dg.AssetCheckEvaluation
)

VIEW_TESTS = ("--select", "path:tests/views")
"""Tests that compare a view with the tables it reads."""


class Translator(DagsterDbtTranslator):
    """Groups by layer; what is made of published data follows each publication by itself."""

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """The table's own name: a model that stands for another schema's has an alias."""
        key = super().get_asset_key(dbt_resource_props)
        return dg.AssetKey([*key.path[:-1], dbt_resource_props.get("alias") or key.path[-1]])

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """``safra`` for what has a partition, ``seeds``, else the model's folder."""
        props = dbt_resource_props
        if props["resource_type"] == "seed":
            return "seeds"
        of_a_safra = props["config"].get("materialized") in ("safra", "publicacao")
        return "safra" if of_a_safra else props["fqn"][-2]

    def get_automation_condition(
        self, dbt_resource_props: Mapping[str, Any]
    ) -> dg.AutomationCondition | None:
        """A safra is visible only once published: its tables' own builds trigger nothing."""
        materialized = dbt_resource_props["config"].get("materialized")
        if materialized not in ("materialized_view", "incremental", "table"):
            return None
        updated = dg.AutomationCondition.any_deps_updated().ignore(
            dg.AssetSelection.groups("safra") - dg.AssetSelection.assets(PUBLISHED)
        )
        return updated.since_last_handled() & ~dg.AutomationCondition.in_progress()


@cache
def loaded(path: Path) -> Mapping[str, Any]:
    """The manifest, read once a process."""
    return json.loads(path.read_text())


def assets(path: Path) -> list[dg.AssetsDefinition]:
    """Both groups of dbt assets, from a manifest."""
    manifest, translator = loaded(path), Translator()

    @dbt_assets(
        manifest=manifest,
        name="dbt_safra",
        select=OF_A_SAFRA,
        dagster_dbt_translator=translator,
        partitions_def=SAFRA,
    )
    def dbt_safra(context: dg.AssetExecutionContext, dbt: Dbt, banco: Banco) -> Iterator[DbtEvent]:
        """Build, test and publish one safra: always all of its tables, or nothing is published."""
        with banco.conectar() as conn, sole_dbt(conn, context.log):
            select = f"{DOMAINS} {OF_A_SAFRA}" if _domains_missing(conn, manifest) else OF_A_SAFRA
            # No context: a safra is built whole even when a page selected some of its tables.
            with dbt.build(
                ["--select", select, "--indirect-selection", "buildable"],
                environment={"DBT_SAFRA": context.partition_key},
                manifest=manifest,
                dagster_dbt_translator=translator,
            ) as build:
                yield from _safra_events(context, conn, build)
            _must_be_published(conn, context.partition_key)
        prune()

    @dbt_assets(
        manifest=manifest,
        name="dbt_publicado",
        select=OF_ALL,
        dagster_dbt_translator=translator,
    )
    def dbt_publicado(
        context: dg.AssetExecutionContext, dbt: Dbt, banco: Banco
    ) -> Iterator[DbtEvent]:
        """Domains, views, rollups, marts: what is made of all published safras, and of readings."""
        with (
            banco.conectar() as conn,
            sole_dbt(conn, context.log),
            dbt.build(
                [] if context.is_subset else VIEW_TESTS,
                # A test of safras under construction must not fail what readers see.
                environment={"DBT_INDIRECT_SELECTION": "cautious"},
                context=context,
            ) as build,
        ):
            yield from build.stream()
        prune()

    return [dbt_safra, dbt_publicado]


def _domains_missing(conn: psycopg.Connection, manifest: Mapping[str, Any]) -> bool:
    """Whether this is a new database, or the project gained a domain: safras reference them all."""
    names = [
        node["relation_name"].replace('"', "").split(".", 1)[1]
        for node in manifest["nodes"].values()
        if node["config"].get("materialized") == "dominio"
    ]
    query = "select bool_or(to_regclass(nome) is null) from unnest(%s::text[]) as nome"
    return conn.execute(query, [names]).fetchone()[0]


def _safra_events(
    context: dg.AssetExecutionContext, conn: psycopg.Connection, build: DbtCliInvocation
) -> Iterator[DbtEvent]:
    """What dbt says, as this step's outputs; what the step was not asked for, as plain events."""
    definition = context.assets_def
    asked = [definition.get_asset_spec(key) for key in context.selected_asset_keys]
    asked += [definition.get_spec_for_check_key(key) for key in context.selected_asset_check_keys]
    ids = {spec.metadata["dagster_dbt/unique_id"] for spec in asked}
    for event in build.stream_raw_events():
        node = event.raw_event["data"].get("node_info", {}).get("unique_id")
        of_step = context if node in ids else None
        for result in event.to_default_asset_events(
            build.manifest, build.dagster_dbt_translator, of_step, build.target_path
        ):
            if isinstance(result, dg.Output):
                rows = _rows(conn, build.manifest["nodes"][node]["alias"], context.partition_key)
                yield result.with_metadata({**result.metadata, **rows})
            else:
                yield result


def _rows(conn: psycopg.Connection, table: str, safra: str) -> dict[str, int]:
    """Rows of the safra's leaf, which dbt itself noted."""
    found = conn.execute(
        "select linhas from controle.safra_construida"
        " where modelo = %s and distribuidora_id || '-' || ano = %s",
        [table, safra],
    ).fetchone()
    return {"dagster/partition_row_count": found[0]} if found else {}


def _must_be_published(conn: psycopg.Connection, safra: str) -> None:
    """A build that succeeds and publishes nothing would look like success to everybody."""
    chave = Safra.de_chave(safra)
    found = conn.execute(
        "select exists (select from intel_lead.safra_publicada join controle.safra_importada"
        " using (ano, distribuidora_id, import_id) where (ano, distribuidora_id) = (%s, %s))",
        [chave.ano, chave.distribuidora_id],
    ).fetchone()
    if not found[0]:
        raise dg.Failure(
            f"safra {safra} was built and tested but is not published: its import changed"
            " meanwhile, or a test that guards it was not run (see dbt's output). Run it again",
            allow_retries=False,
        )

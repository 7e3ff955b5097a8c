"""The batch (dagster_pipeline/batch.py) as Dagster runs it, and what Dagster is told of it.

Belongs here: the job ``lote`` (what is given or pending), the assets of a safra (what a page asks
for), their events. Not here: what a batch does (batch.py), what landing takes (raw.py).
"""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from itertools import groupby, product
from pathlib import Path
from typing import Any, Literal

import dagster as dg
import psycopg
from dagster._core.errors import DagsterExecutionInterruptedError
from dagster._core.events import (
    AssetMaterializationPlannedData,
    DagsterEvent,
)

from dagster_pipeline import batch, dbt_command, failures
from dagster_pipeline.defs import checks, dbt, events, forecasts, inbox, raw, sizes
from dagster_pipeline.defs.partitions import SAFRA
from dagster_pipeline.defs.resources import Database, prune
from loaders import connection as db
from loaders.bdgd import landing as bdgd
from loaders.bdgd.layers import ALL_LAYERS, said_name
from loaders.catalogue import wanted
from loaders.errors import DatabaseFailure
from loaders.safra import Safra
from server.run_states import NOTED

LINE = "▸ "
"""How the lines begin that a person should see among a run's messages."""

OP = "carregar_e_publicar"
"""The one step of job ``lote``."""

RAW = [dg.AssetKey(["raw", layer.table]) for layer in ALL_LAYERS]


class Batch(dg.Config):
    """What to land before what is pending is built; nothing: only build."""

    arquivos: list[str] = []
    """BDGD files."""
    aicss: list[str] = []
    """AICSS readings, files or folders."""
    safras: list[str] = []
    """Safras to build even if nothing of them changed."""
    substituir: bool = False
    complemento: bool = False
    """CSVs land beside the geodatabases of their safras."""
    forcar: bool = False
    milhar: Literal["", "ponto", "virgula", "nao"] = ""
    """What groups thousands where a CSV's column does not tell; empty: such a file is refused."""
    sem_camada: list[str] = []
    """Layers of which the copy of a geodatabase has no data, and a person knows it."""


def job(path: Path) -> dg.JobDefinition:
    """The job ``lote``, of a dbt manifest."""
    nodes = dbt.loaded(path)

    @dg.op(name=OP)
    def land_and_build(context: dg.OpExecutionContext, config: Batch, banco: Database) -> None:
        """Land what is given, judge it, build and publish all that is pending."""
        files = [batch.File(Path(name), options(config)) for name in config.arquivos]
        with canceled_when_interrupted(context):
            if config.aicss:
                list(raw.land_aicss(context, banco, config.aicss))
            outcome = batch.run(
                files, keys=config.safras, patient=unwatched(context), say=say(context)
            )
            inbox.file_away(outcome)
            report(context, nodes, outcome, planned=False, readings=bool(config.aicss))
        _conclude(outcome)

    @dg.job(
        name="lote",
        description=(
            "Aterrissa os arquivos dados e constrói, testa e publica tudo o que está pendente."
        ),
    )
    def whole() -> None:
        land_and_build()

    return whole


def assets(path: Path) -> dg.AssetsDefinition:
    """A safra's raw layers and tables: one step, because a safra is built and published whole."""
    nodes = dbt.loaded(path)
    tables = dbt.specs_of_a_safra(path)

    @dg.multi_asset(
        name="safra_inteira",
        specs=[*raw.LAYERS, *tables],
        check_specs=checks.specs(nodes),
        partitions_def=SAFRA,
        can_subset=True,
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def safra(
        context: dg.AssetExecutionContext, config: raw.BdgdFile, banco: Database
    ) -> Iterator[dg.MaterializeResult]:
        """Land the chosen safras' files, where raw is chosen; build and publish them whole."""
        keys, chosen = list(context.partition_keys), context.selected_asset_keys
        with canceled_when_interrupted(context):
            files = _files(context, config, keys) if chosen & set(RAW) else []
            building = not chosen <= set(RAW)
            outcome = batch.run(files, keys=keys, building=building, patient=True, say=say(context))
            report(context, nodes, outcome, planned=True)
        _conclude(outcome)
        yield from ()

    return safra


def _files(
    context: dg.AssetExecutionContext, config: raw.BdgdFile, keys: list[str]
) -> list[batch.File]:
    """Each safra's file, once; a file that is wanted for one safra lands that one alone."""
    found: dict[Path, list[str]] = {}
    with closing(db.connect()) as conn:
        db.prepare(conn)
        copies = wanted.copies(conn)
    for key in keys:
        try:
            known = config.arquivo or raw.newest_file(context.instance, key, copies)
        except dg.Failure as missing:
            if len(keys) == 1:
                raise
            context.log.warning(f"{missing.description}: fica como aterrissou")
            continue
        found.setdefault(Path(known), []).append(key)
    return [
        batch.File(path, options(config, Safra.from_key(of[0]) if len(of) == 1 else None))
        for path, of in found.items()
    ]


def options(config: Batch | raw.BdgdFile, safra: Safra | None = None) -> bdgd.Options:
    """How to land a file, as the page says it.

    Raises:
        InvalidInput: a layer that is none of ours.
    """
    return bdgd.Options(
        safra=safra,
        wait=True,
        replace_layer=config.substituir,
        complement=config.complemento,
        force=config.forcar,
        thousands=config.milhar or None,
        without=frozenset(map(said_name, config.sem_camada)),
    )


@contextmanager
def canceled_when_interrupted(context: dg.OpExecutionContext) -> Iterator[None]:
    """Ctrl-C, or a terminal that closes, ends a run as Canceled: Dagster would call it failed.

    A server that stops in the middle is a failure that says so.
    """
    try:
        yield
    except (psycopg.OperationalError, DatabaseFailure) as error:
        text = str(error if isinstance(error, DatabaseFailure) else db.lost(error))
        say(context)(f"falhou   {text}")
        raise dg.Failure(text, metadata={"codigo": DatabaseFailure.code}) from None
    except (KeyboardInterrupt, DagsterExecutionInterruptedError):
        context.instance.report_run_canceling(context.run)
        raise


def unwatched(context: dg.OpExecutionContext) -> bool:
    """Whether nobody waits for this run at a terminal."""
    return context.run.tags.get("de") != "make"


def say(context: dg.OpExecutionContext) -> batch.Say:
    """Takes lines that a person should see."""
    return lambda text: context.log.info(f"{LINE}{text}")


def _conclude(outcome: batch.Outcome) -> None:
    """The run's end: what a person must look at is a failure that says it."""
    prune()
    if problems := outcome.problems():
        raise dg.Failure(
            "\n".join(problems),
            metadata={"codigo": outcome.code, NOTED: outcome.noted()},
            allow_retries=False,
        )


# ── What Dagster is told ──────────────────────────────────────────────────────────────────────────
Event = dg.AssetMaterialization | dg.AssetCheckEvaluation


def report(
    context: dg.OpExecutionContext,
    nodes: Mapping[str, Any],
    outcome: batch.Outcome,
    *,
    planned: bool,
    readings: bool = False,
) -> None:
    """Each partition of each table, materialized with its rows or failed; then what is of all."""
    instance = context.instance
    with closing(db.connect()) as conn:
        landed = {key for x in outcome.landings for key in x.safras}
        new = untold(instance, conn) if outcome.build.builds else []
        published = sorted({*outcome.build.published, *new})
        known = sorted({*landed, *published, *outcome.held, *outcome.build.failed})
        if known:
            instance.add_dynamic_partitions(SAFRA.name, known)
        news = News(instance, conn, nodes, readings=readings)
        told = _events(conn, nodes, outcome, sorted({*landed, *new}), published, news)
        for asset, of_it in groupby(told, key=_materialized):
            if asset:
                events.materializations(context, list(of_it))
            elif planned:  # rows of theirs are there, and Dagster finds them
                for event in of_it:
                    context.log_event(event)
            else:
                events.checks(context, list(of_it))
    if planned:
        return
    # A partition is red in the page where a run that failed had planned it.
    for key in {*outcome.held, *outcome.build.failed} - set(published):
        for asset in dbt.tables_of_a_safra(nodes):
            planning = AssetMaterializationPlannedData(asset, partition=key)
            instance.report_dagster_event(
                DagsterEvent.build_asset_materialization_planned_event(
                    context.job_name, context.op.name, planning
                ),
                context.run_id,
            )


def untold(instance: dg.DagsterInstance, conn: psycopg.Connection) -> list[str]:
    """Safras that readers see as they are landed, and Dagster does not show as materialized.

    A run published them and was killed before it could say so, or another command did.
    """
    keys = failures.published(conn)
    keys = sorted(set(keys) - set(failures.unpublished(conn, keys)))
    states = instance.get_status_by_partition(dbt.PUBLISHED, keys, SAFRA) or {}
    return [k for k in keys if states.get(k) is not dg.AssetPartitionStatus.MATERIALIZED]


def tell(
    instance: dg.DagsterInstance, conn: psycopg.Connection, nodes: Mapping[str, Any]
) -> list[str]:
    """Make up for what killed runs did not say; returns the safras."""
    keys, assets = untold(instance, conn), dbt.tables_of_a_safra(nodes)
    known = sizes.of_safras(conn, keys)
    for asset, key in product(assets, keys):
        metadata = known.get((asset.path[-1], key), {})
        event = dg.AssetMaterialization(asset, partition=key, metadata=metadata)
        instance.report_runless_asset_event(event)
    return keys


def _materialized(event: Event) -> dg.AssetKey | None:
    return event.asset_key if isinstance(event, dg.AssetMaterialization) else None


def _events(
    conn: psycopg.Connection,
    nodes: Mapping[str, Any],
    outcome: batch.Outcome,
    landed: list[str],
    published: list[str],
    news: "News",
) -> Iterator[Event]:
    """All of one asset together, and an asset after those that it is made of."""
    for landing in outcome.landings:
        for key in () if landing.complement else landing.safras:
            yield raw.registered(landing.path.resolve(), key)
    yield from raw.materialized(conn, landed)
    yield from checks.of_the_gate(outcome.verdicts)
    yield from raw.found(conn, news.found)
    known, after = sizes.of_safras(conn, published), dbt.made_of(nodes, "previsao")
    whole, origins = sizes.of_whole(conn, nodes, outcome.build.nodes), dbt.column_lineage(nodes)
    known |= {(name, ""): size for name, size in whole.items()}
    for node in outcome.build.nodes:
        if node.id not in after:
            yield from _of_node(node, nodes, known, origins, published, news)
    if outcome.forecast:
        yield from forecasts.materialized(outcome.forecast)
    for node in outcome.build.nodes:
        if node.id in after:
            yield from _of_node(node, nodes, known, origins, published, news)
    yield from checks.of_dbt(nodes, outcome.build)
    yield from checks.of_the_published(conn, published)


def _of_node(
    node: dbt_command.Node,
    nodes: Mapping[str, Any],
    known: Mapping[tuple[str, str], dict[str, Any]],
    origins: Mapping[str, dict[str, Any]],
    published: list[str],
    news: "News",
) -> Iterator[Event]:
    props = nodes["nodes"].get(node.id)
    if not props or node.kind not in ("model", "seed") or node.status != "success":
        return
    asset, of_columns = dbt.asset_key(props), origins.get(node.id, {})
    if not dbt.is_of_a_safra(props):
        if news.of(node, props):
            size = known.get((node.id, ""), {})
            metadata = {"segundos": node.seconds, **size, **of_columns}
            yield dg.AssetMaterialization(asset, metadata=metadata)
        return
    for n, key in enumerate(published, 1):
        # The page reads columns' origins from an asset's newest event: once is enough.
        last = of_columns if n == len(published) else {}
        metadata = {**known.get((props["alias"], key), {}), **last}
        yield dg.AssetMaterialization(asset, partition=key, metadata=metadata)


class News:
    """What of seeds, domains and tables filled elsewhere is new.

    All safras built before would be "unsynced" with what Dagster is told again, and a table is with
    what it was never told of.

    Attributes:
        found: tables that are no safra's, to be told: where readings landed in this run, and where
            Dagster has never heard of one.
    """

    def __init__(
        self,
        instance: dg.DagsterInstance,
        conn: psycopg.Connection,
        nodes: Mapping[str, Any],
        *,
        readings: bool,
    ) -> None:
        """Ask when each domain changed last, and what was told."""
        tables = dbt.filled_elsewhere(nodes)
        ours = (n for n in nodes["nodes"].values() if n["resource_type"] in ("model", "seed"))
        told = instance.get_latest_materialization_events(
            [*tables.values(), *map(dbt.asset_key, ours)]
        )
        self.told = {asset: event.timestamp for asset, event in told.items() if event}
        changed = conn.execute("select nome, extract(epoch from alterado_em) from controle.dominio")
        self.changed = {name: float(when) for name, when in changed}
        again = {raw.AICSS, raw.AICSS_DISPOSITIVO} if readings else set()
        new = {i: asset for i, asset in tables.items() if asset in again or asset not in self.told}
        self.seen = set(new)
        self.found = list(new.values())

    def of(self, node: dbt_command.Node, props: Mapping[str, Any]) -> bool:
        """Whether a node that dbt went through is to be told."""
        kind, asset = props["config"]["materialized"], dbt.asset_key(props)
        told = self.told.get(asset, 0.0)
        new = kind not in ("seed", "dominio") or not told
        new |= kind == "seed" and node.message != "unchanged"
        new |= kind == "dominio" and self.changed.get(props["alias"], 0.0) > told
        new |= bool(self.seen & set(props.get("depends_on", {}).get("nodes", ())))
        if new:
            self.seen.add(node.id)
        return new

"""What runs because something happened: files in the inbox, a published safra.

Belongs here: noticing, and what is asked for. Not here: the work itself, the inbox (inbox.py).
"""

import json
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import dagster as dg

from dagster_pipeline.defs import dbt, inbox
from dagster_pipeline.defs.partitions import SAFRA
from dagster_pipeline.defs.resources import end_dead_runs
from dagster_pipeline.defs.safras import OP, tell
from loaders import connection as db
from loaders import ledger, removal
from loaders.catalogue import wanted
from loaders.errors import DatabaseFailure

TAG = "de"
FROM_INBOX = {TAG: "caixa de entrada"}
UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def inbox_sensor(batch: dg.JobDefinition, manifest: Path) -> dg.SensorDefinition:
    """The sensor that hands what is ready in the inbox to the batch."""
    nodes = dbt.loaded(manifest)

    @dg.sensor(
        name="caixa_de_entrada",
        job=batch,
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="O que está inteiro na caixa de entrada vira um lote, até publicar.",
    )
    def look(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        """All that is ready goes in one batch; what grew since the last look waits."""
        folder = inbox.folder()
        cursor: Mapping[str, Any] = json.loads(context.cursor or "{}")
        passed: dict[str, str] = {}
        found = inbox.present(folder, passed)
        for name in sorted(passed.keys() - set(cursor.get("passed", ()))):
            context.log.warning(f"fica na caixa de entrada: {passed[name]}")
        try:
            changes = _keep_partitions(context, nodes)
        except DatabaseFailure as error:
            return dg.SkipReason(f"o banco não responde; olho de novo em 30 s ({error})")
        running = context.instance.get_runs(
            dg.RunsFilter(job_name=batch.name, tags=FROM_INBOX, statuses=UNFINISHED), limit=1
        )
        ready = [] if running else inbox.ready(found, cursor.get("last", {}))
        names, beside = inbox.turn(found, ready)
        files = [str(folder / name) for name in names]
        return dg.SensorResult(
            run_requests=[
                dg.RunRequest(
                    run_config={
                        "ops": {OP: {"config": {"arquivos": files, "complemento": beside}}}
                    },
                    tags=FROM_INBOX,
                )
            ]
            if files
            else [],
            dynamic_partitions_requests=changes,
            skip_reason=None if files else f"nada pronto em {folder}",
            cursor=json.dumps({"last": found, "passed": sorted(passed)}),
        )

    return look


def _keep_partitions(
    context: dg.SensorEvaluationContext, nodes: Mapping[str, Any]
) -> list[dg.AddDynamicPartitionsRequest | dg.DeleteDynamicPartitionsRequest]:
    """A partition for each safra that landed or is archived, none for a removed one; dead runs end.

    So the page can materialize what only the archive has, many at once.
    """
    with closing(db.connect()) as conn:
        db.prepare(conn)
        if dead := end_dead_runs(context.instance, conn):
            context.log.warning(f"o processo destas execuções morreu: {', '.join(dead)}")
            tell(context.instance, conn, nodes)
        known = set(context.instance.get_dynamic_partitions(SAFRA.name))
        removed = removal.removed(conn)
        new = sorted((ledger.landed(conn) | wanted.copies(conn).keys()) - known - removed)
        gone = sorted(known & removed)
    changes = [SAFRA.build_add_request(new)] if new else []
    return changes + ([SAFRA.build_delete_request(gone)] if gone else [])


follow_publications = dg.AutomationConditionSensorDefinition(
    "segue_publicacoes",
    target=dg.AssetSelection.all(),
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=60,
    description="Resumos e marts depois de cada safra publicada; leituras depois de cada carga.",
)

"""What runs because something happened: files in the inbox, a published safra.

Belongs here: noticing, and what is asked for. Not here: the work itself, the inbox (inbox.py).
"""

import json
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg

from dagster_pipeline.defs import dbt, inbox
from dagster_pipeline.defs.partitions import SAFRA
from dagster_pipeline.defs.resources import end_dead_runs
from dagster_pipeline.defs.safras import OP, tell
from loaders import conexao
from loaders.erros import FalhaDeBanco

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
        last: inbox.Seen = json.loads(context.cursor or "{}")
        found = inbox.present(folder)
        try:
            keys = _know_landed_safras(context, nodes)
        except FalhaDeBanco as erro:
            return dg.SkipReason(f"o banco não responde; olho de novo em 30 s ({erro})")
        running = context.instance.get_runs(
            dg.RunsFilter(job_name=batch.name, tags=FROM_INBOX, statuses=UNFINISHED), limit=1
        )
        names = [] if running else inbox.ready(found, last)
        files = [str(folder / name) for name in names]
        return dg.SensorResult(
            run_requests=[
                dg.RunRequest(
                    run_config={"ops": {OP: {"config": {"arquivos": files}}}}, tags=FROM_INBOX
                )
            ]
            if files
            else [],
            dynamic_partitions_requests=[SAFRA.build_add_request(keys)] if keys else [],
            skip_reason=None if files else f"nada pronto em {folder}",
            cursor=json.dumps(found),
        )

    return look


def _know_landed_safras(context: dg.SensorEvaluationContext, nodes: Mapping[str, Any]) -> list[str]:
    """Safras that Dagster never saw, because the loaders landed them; ends dead runs on the way."""
    with closing(conexao.conectar()) as conn:
        conexao.preparar(conn)
        if dead := end_dead_runs(context.instance, conn):
            context.log.warning(f"o processo destas execuções morreu: {', '.join(dead)}")
            tell(context.instance, conn, nodes)
        known = set(context.instance.get_dynamic_partitions(SAFRA.name))
        return sorted(set(landed_safras(conn)) - known)


def landed_safras(conn: psycopg.Connection) -> list[str]:
    """Keys of all landed safras."""
    rows = conn.execute("select distribuidora_id || '-' || ano from controle.safra_importada")
    return [chave for (chave,) in rows]


follow_publications = dg.AutomationConditionSensorDefinition(
    "segue_publicacoes",
    target=dg.AssetSelection.all(),
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=60,
    description="Resumos e marts depois de cada safra publicada; leituras depois de cada carga.",
)

"""Many events of a run in few writes: what a batch of safras has to tell is thousands of them.

Belongs here: how they are stored. Not here: which (safras.py, checks.py), the storage (storage.py).
Dagster writes a batch of materializations at once, and check evaluations by ten statements each:
3,600 of 50 safras took a quarter of the client's CPU (25 s of 107, 2026-11-29, py-spy).
``checks`` writes Dagster's own table: test_dagster_storage.py reads them back by its API.
"""

import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import dagster as dg
from dagster._core.events import (
    DagsterEvent,
    DagsterEventBatchMetadata,
    EventSpecificData,
    StepMaterializationData,
)
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._core.storage.event_log.schema import (
    AssetCheckExecutionsTable,
    SqlEventLogStorageTable,
)
from dagster._serdes import serialize_value

AT_ONCE = 1000
"""Evaluations in one statement: some 2 MB."""


def materializations(
    context: dg.OpExecutionContext, events: Sequence[dg.AssetMaterialization]
) -> None:
    """One asset's partitions in one write: by themselves they take 4 ms each, 5 s of 50 safras."""
    os.environ["DAGSTER_EVENT_BATCH_SIZE"] = str(len(events))
    last = len(events)
    for n, told in enumerate(events, 1):
        text = f"Materializado: {told.asset_key.to_user_string()}."
        context.instance.report_dagster_event(
            _event(context, "ASSET_MATERIALIZATION", StepMaterializationData(told), text),
            context.run_id,
            batch_metadata=DagsterEventBatchMetadata(context.run_id, n == last),
        )


def checks(context: dg.OpExecutionContext, events: Sequence[dg.AssetCheckEvaluation]) -> None:
    """Evaluations that this run has not planned, ``AT_ONCE`` in two writes."""
    for start in range(0, len(events), AT_ONCE):
        _write(context, events[start : start + AT_ONCE])


def _write(context: dg.OpExecutionContext, events: Sequence[dg.AssetCheckEvaluation]) -> None:
    storage, now = context.instance.event_log_storage, time.time()
    entries = [
        EventLogEntry(
            error_info=None,
            level="info",
            user_message="",
            run_id=context.run_id,
            timestamp=now,
            step_key=context.op.name,
            job_name=context.job_name,
            dagster_event=_event(
                context,
                "ASSET_CHECK_EVALUATION",
                told,
                f"{told.asset_key.to_user_string()}, {told.check_name}:"
                f" {'passou' if told.passed else 'não passou'}.",
            ),
        )
        for told in events
    ]
    written = storage.prepare_insert_event_batch(entries).returning(SqlEventLogStorageTable.c.id)
    with storage.index_connection() as conn:
        numbers = conn.execute(written).scalars().all()
        rows = [
            {
                "asset_key": told.asset_key.to_string(),
                "check_name": told.check_name,
                "partition": told.partition,
                "run_id": context.run_id,
                "execution_status": (
                    AssetCheckExecutionRecordStatus.SUCCEEDED
                    if told.passed
                    else AssetCheckExecutionRecordStatus.FAILED
                ).value,
                "evaluation_event": serialize_value(entry),
                "evaluation_event_timestamp": datetime.fromtimestamp(now, UTC).replace(tzinfo=None),
                "evaluation_event_storage_id": number,
            }
            for told, entry, number in zip(events, entries, numbers, strict=True)
        ]
        conn.execute(AssetCheckExecutionsTable.insert().values(rows))


def _event(
    context: dg.OpExecutionContext, kind: str, data: EventSpecificData, message: str
) -> DagsterEvent:
    return DagsterEvent(
        event_type_value=kind,
        job_name=context.job_name,
        step_key=context.op.name,
        event_specific_data=data,
        message=message,
    )

"""The daily judgement of alert rules, and the sending of what waits.

Belongs here: jobs, their schedules. Not here: rules and deliveries (alerts/), the judgement after a
publication (batch.py).
"""

from contextlib import closing
from datetime import UTC, datetime

import dagster as dg

from alerts import delivery
from dagster_pipeline import batch
from dagster_pipeline.defs import resources
from loaders import connection as db


@dg.op(name="julgar_e_enviar")
def judge_and_send(
    context: dg.OpExecutionContext,
    banco: dg.ResourceParam[resources.Database],
) -> None:
    """Judge all rules; what went wrong with one fails the run, and the others are judged."""
    with banco.connect() as conn:
        if problem := batch.alert(conn, say=context.log.info):
            raise dg.Failure(problem, allow_retries=False)


@dg.op(name="enviar")
def send(
    context: dg.OpExecutionContext,
    banco: dg.ResourceParam[resources.Database],
) -> None:
    """Send what is due; a receiver that is down fails the run, and its deliveries wait."""
    with banco.connect() as conn:
        sent = delivery.send(conn, datetime.now(UTC))
    context.log.info(str(sent))
    if sent.errors:
        raise dg.Failure(str(sent), allow_retries=False)


@dg.job(name="alertas", description="Julga as regras de alerta e envia o que está na hora.")
def judging() -> None:
    """One step: no asset comes of it."""
    judge_and_send()


@dg.job(name="entregas", description="Envia as entregas que estão na hora: alertas e leads.")
def sending() -> None:
    """One step."""
    send()


daily = dg.ScheduleDefinition(
    name="alertas_diario",
    job=judging,
    cron_schedule="0 7 * * *",
    execution_timezone="America/Sao_Paulo",
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="Toda manhã: julga as regras de alerta e envia o que está na hora.",
)


@dg.schedule(
    name="entregas_pendentes",
    job=sending,
    cron_schedule="*/10 * * * *",
    execution_timezone="America/Sao_Paulo",
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="De dez em dez minutos, se há o que enviar: entregas novas e novas tentativas.",
)
def due() -> dg.RunRequest | dg.SkipReason:
    """A run only where something is due: an empty look leaves no run behind."""
    with closing(db.connect()) as conn:
        if conn.execute("select to_regclass('app.entrega') is null").fetchone()[0]:
            return dg.SkipReason("ainda não há entregas")
        (now, _, _) = conn.execute(delivery.DUE, [datetime.now(UTC)]).fetchone()
    return dg.RunRequest() if now else dg.SkipReason("nada a enviar agora")

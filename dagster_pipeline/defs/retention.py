"""What the API keeps of calls and sessions goes by the clock, once it is old enough.

Belongs here: the job, its schedule. Not here: what goes (server/retention.py).
"""

import dagster as dg

from dagster_pipeline.defs import resources
from server import retention


class Days(dg.Config):
    """How long what stays."""

    auditoria: int = retention.AUDIT_DAYS
    sessoes: int = retention.SESSION_DAYS


@dg.op(name="poda_da_api")
def prune(
    context: dg.OpExecutionContext,
    config: Days,
    banco: dg.ResourceParam[resources.Database],
) -> None:
    """Delete what is older; what is younger stays, whatever is asked."""
    with banco.connect() as conn:
        done = retention.prune(conn, audit_days=config.auditoria, session_days=config.sessoes)
    context.log.info(", ".join(f"{table}: {rows}" for table, rows in done.items()))


@dg.job(
    name="poda", description="Apaga chamadas, sessões e tentativas da API que passaram da guarda."
)
def job() -> None:
    """One step: no asset comes of it."""
    prune()


schedule = dg.ScheduleDefinition(
    name="poda_semanal",
    job=job,
    cron_schedule="45 3 * * 0",
    execution_timezone="America/Sao_Paulo",
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="Aos domingos: a auditoria da API fica um ano, as sessões encerradas um mês.",
)

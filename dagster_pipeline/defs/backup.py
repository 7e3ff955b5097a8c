"""The daily backup, and its trial.

Belongs here: jobs, schedules. Not here: what they are (server/backup.py, server/drill.py).
"""

from pathlib import Path

import dagster as dg

from dagster_pipeline.defs import resources
from loaders.errors import LoadError
from server import backup, drill, dump


class BackupConfig(dg.Config):
    """Where backups go and how many of the newest stay."""

    dest: str = str(backup.DEST)
    manter: int = backup.KEEP


@dg.op(name="copia_de_seguranca")
def back_up(
    context: dg.OpExecutionContext,
    config: BackupConfig,
    banco: dg.ResourceParam[
        resources.Database
    ],  # holds the run's lock: the run is seen to be alive
) -> None:
    """Dump the database into a new folder; landings and publications wait."""
    folder = backup.create(Path(config.dest), keep=config.manter)
    size = sum((folder / name).stat().st_size for name in dump.files(folder))
    context.log.info("%s: %.1f MB", folder, size / 1e6)


@dg.job(name="backup", description="Cópia de segurança do banco, com somas de verificação.")
def job() -> None:
    """One step: no asset comes of it."""
    back_up()


schedule = dg.ScheduleDefinition(
    name="backup_diario",
    job=job,
    cron_schedule="30 2 * * *",
    execution_timezone="America/Sao_Paulo",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Toda madrugada: cópia de segurança; ficam as sete mais novas.",
)


class DrillConfig(dg.Config):
    """Where backups are."""

    dest: str = str(backup.DEST)


@dg.op(name="ensaio_de_restauro")
def try_out(
    context: dg.OpExecutionContext,
    config: DrillConfig,
    banco: dg.ResourceParam[resources.Database],
) -> None:
    """Restore the newest backup beside the warehouse, and compare; it needs the room of both."""
    try:
        trial = drill.run(Path(config.dest))
    except LoadError as error:
        raise dg.Failure(str(error), allow_retries=False) from None
    context.log.info("%s: %d safras, %.0f s", trial.folder, trial.safras, trial.seconds)


@dg.job(name="ensaio", description="Restaura a cópia mais nova num banco à parte e a confere.")
def drill_job() -> None:
    """One step: no asset comes of it."""
    try_out()


drill_schedule = dg.ScheduleDefinition(
    name="ensaio_mensal",
    job=drill_job,
    cron_schedule="30 3 1 * *",
    execution_timezone="America/Sao_Paulo",
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="No dia 1, de madrugada: restaura a cópia mais nova à parte; pede disco para duas.",
)

"""The daily backup.

Belongs here: the job, its schedule. Not here: what a backup is (server/backup.py).
"""

from pathlib import Path

import dagster as dg

from dagster_pipeline.defs import resources
from server import backup, dump


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
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="Toda madrugada: cópia de segurança; ficam as sete mais novas.",
)

"""What runs by the clock. Stopped until someone switches it on (Automation page)."""

import dagster as dg

from dagster_pipeline.defs import jobs

daily = dg.ScheduleDefinition(
    name="diario",
    job=jobs.marts,
    cron_schedule="30 5 * * *",
    execution_timezone="America/Sao_Paulo",
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="Toda manhã: leituras AICSS que chegaram, visões, resumos e marts.",
)

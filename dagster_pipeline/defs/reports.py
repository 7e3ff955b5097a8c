"""Reports by the clock: the house's own, stopped until someone switches them on; and people's.

Belongs here: the job, its schedules, whose turn it is. Not here: what a report says (reports/), nor
installing what writes PDFs: ``make report`` does that once.
"""

from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Literal

import dagster as dg
from pydantic import Field

from dagster_pipeline.defs import resources
from loaders import connection as db
from loaders.environment import CLONE
from loaders.errors import LoadError
from reports.choice import Choice
from reports.period import ZONE, Kind


class Which(dg.Config):
    """What to make, and where to."""

    periodo: Literal["safra", "diario", "semanal", "mensal"] = Field(
        default="safra", description="A safra inteira, ou o que mudou nos dias que acabaram."
    )
    safras: list[str] = Field(
        default=[], description="Chaves como 401-2024; sem elas, a mais nova de cada distribuidora."
    )
    municipios: list[int] = Field(
        default=[], description="Só estes municípios (código do IBGE); sem eles, a safra inteira."
    )
    ofertas: list[str] = Field(default=[], description="Só leads destas ofertas; sem elas, todas.")
    secoes: list[str] = Field(default=[], description="Só estas seções; sem elas, todas.")
    titulo: str = Field(default="", description="O que se lê no alto da página.")
    pasta: str = Field(
        default=str(Path(CLONE) / "relatorios"), description="Onde ficam os relatórios."
    )


@dg.op(name="fazer_relatorios")
def write(
    context: dg.OpExecutionContext,
    config: Which,
    banco: dg.ResourceParam[resources.Database],
) -> None:
    """Make them; a report without its PDF fails the run, and the HTML is there."""
    from reports.make import make  # Matplotlib, which `make run` need not wait for

    problems = set()
    now = datetime.now(ZONE)
    options = {"keys": config.safras, "kind": Kind(config.periodo), "generated_at": now}
    with banco.connect() as conn:
        try:
            options["choice"] = Choice.of(
                config.municipios, config.ofertas, config.secoes, config.titulo
            )
            for made in make(conn, Path(config.pasta), **options):
                context.log.info(f"{', '.join(map(str, made.paths))}: {made.seconds:.1f} s")
                problems |= {made.problem} - {""}
        except LoadError as error:
            raise dg.Failure(str(error), allow_retries=False) from None
    if problems:
        raise dg.Failure("; ".join(problems), allow_retries=False)


@dg.job(name="relatorios", description="Relatórios em HTML e PDF das safras publicadas.")
def reporting() -> None:
    """One step."""
    write()


def _schedule(kind: Kind, cron: str, description: str) -> dg.ScheduleDefinition:
    return dg.ScheduleDefinition(
        name=f"relatorio_{kind}",
        job=reporting,
        cron_schedule=cron,
        execution_timezone=str(ZONE),
        default_status=dg.DefaultScheduleStatus.STOPPED,
        run_config={"ops": {"fazer_relatorios": {"config": {"periodo": kind.value}}}},
        description=description,
    )


_AGENDAS = """
    select a.id::text, a.pedido from app.relatorio_agendado as a
    where a.quando = any(%(vez)s) or (a.quando = 'publicacao' and exists (
        select from intel_lead.safra_publicada as p
        where p.publicada_em > greatest(%(desde)s, a.criado_em) and p.publicada_em <= %(ate)s
            and (a.pedido -> 'safras' = '[]'
                or a.pedido -> 'safras' ? concat(p.distribuidora_id, '-', p.ano))
    ))
    order by a.criado_em, a.id"""


def turns(day: date) -> list[str]:
    """Whose turn a day is, besides publications'."""
    return [
        "diario",
        *(["semanal"] if day.isoweekday() == 1 else []),
        *(["mensal"] if day.day == 1 else []),
    ]


@dg.schedule(
    name="relatorios_agendados",
    job=reporting,
    cron_schedule="45 8 * * *",
    execution_timezone=str(ZONE),
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Toda manhã: os relatórios que as pessoas agendaram (painel, página Relatórios).",
)
def agendas(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """A run for each report whose turn it is; the same morning asks for none twice."""
    now = context.scheduled_execution_time.astimezone(ZONE)
    asked = {"vez": turns(now.date()), "desde": now - timedelta(days=1), "ate": now}
    with closing(db.connect()) as conn:
        there = "select num_nulls(to_regclass('app.relatorio_agendado'),"
        there += " to_regclass('intel_lead.safra_publicada')) = 0"
        found = (
            conn.execute(_AGENDAS, asked).fetchall() if conn.execute(there).fetchone()[0] else []
        )
    for agenda, wanted in found:
        yield dg.RunRequest(
            run_key=f"{agenda} {now.date()}",
            run_config={"ops": {"fazer_relatorios": {"config": wanted}}},
        )
    if not found:
        yield dg.SkipReason("nenhum relatório agendado para hoje")


schedules = [
    _schedule(Kind.DAILY, "0 8 * * *", "Toda manhã: o que mudou ontem."),
    _schedule(Kind.WEEKLY, "15 8 * * 1", "Às segundas: o que mudou nos sete dias que acabaram."),
    _schedule(Kind.MONTHLY, "30 8 1 * *", "No dia 1: o mês que acabou, e a safra inteira."),
    agendas,
]

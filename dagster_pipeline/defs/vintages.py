"""New vintages: the catalogue, looked at every day, and what of it is followed, published.

Belongs here: the job ``novas_safras``, its schedule, what Dagster is told. Not here: the catalogue
and the archive (loaders/catalogue), batches (vintages.py), what a batch is told of (safras.py).
"""

from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
from pydantic import Field

from dagster_pipeline import batch, vintages
from dagster_pipeline.defs import dbt, safras
from dagster_pipeline.defs.resources import Database
from loaders.catalogue import errand, hub, wanted
from loaders.catalogue.bookkeeping import Refreshed
from loaders.errors import InvalidInput, LoadError, SourceFailure
from loaders.open_data.client import Client

CATALOGUE = dg.AssetKey(["controle", "dataset_catalogo"])
STATE = dg.AssetKey(["controle", "catalogo_situacao"])
OP = "buscar_e_publicar"
JOB = "novas_safras"

ASSETS = [
    dg.AssetSpec(
        CATALOGUE,
        group_name="catalogo",
        kinds={"python", "postgres"},
        description=(
            "O que a ANEEL publica da BDGD: itens do Hub e os três CSV _pj do CKAN, e desde quando"
            " se sabe de cada um."
        ),
    ),
    dg.AssetSpec(
        STATE,
        deps=[CATALOGUE],
        group_name="catalogo",
        kinds={"postgres"},
        description="O que foi feito de cada item do catálogo: guardado, aterrissado, recusado.",
    ),
]


class Vintages(dg.Config):
    """What to bring."""

    safras: list[str] = Field(
        default=[],
        description=(
            "401-2024, 401 (todas as dela), ucmt_pj, ou TODAS; vazio: o que INTEL_SEGUIR diz."
        ),
    )
    ensaio: bool = Field(
        default=False, description="Só diz o que faria, quantos bytes e quanto demora."
    )


def job(path: Path) -> dg.JobDefinition:
    """The job ``novas_safras``, of a dbt manifest."""
    nodes = dbt.loaded(path)

    @dg.op(name=OP)
    def fetch_and_publish(
        context: dg.OpExecutionContext, config: Vintages, banco: Database
    ) -> None:
        """Read the catalogue; fetch, land, build and publish what is asked for or followed."""
        say, client = safras.say(context), Client(remedy=hub.REMEDY)
        with safras.canceled_when_interrupted(context):
            try:
                asked = wanted.read(config.safras) if config.safras else wanted.followed()
                with banco.connect() as conn:
                    problems = _look(context, conn, client, asked)
                    plan = wanted.plan(conn, asked)
                    problems += [f"{x}: não está no catálogo da ANEEL" for x in plan.unknown]
                    if config.ensaio:
                        for line in vintages.shown(conn, plan):
                            say(line)
                        return
            except LoadError as error:
                raise dg.Failure(
                    str(error), metadata={"codigo": error.code}, allow_retries=False
                ) from None
            done = []
            patient = safras.unwatched(context)
            for outcome in vintages.run(asked, client, patient=patient, say=say):
                safras.report(context, nodes, outcome, planned=False)
                done.append(outcome)
        _conclude(context, done, problems)

    @dg.job(
        name=JOB,
        description=(
            "Lê o catálogo da ANEEL; busca, aterrissa, constrói e publica as safras pedidas ou, sem"
            " pedido, as que INTEL_SEGUIR segue. O que já está publicado não se repete."
        ),
    )
    def whole() -> None:
        fetch_and_publish()

    return whole


def _look(
    context: dg.OpExecutionContext,
    conn: psycopg.Connection,
    client: Client,
    asked: wanted.Wanted,
) -> list[str]:
    """Read the catalogue and tell of it; the failures of sources that what is followed needs.

    Raises:
        SourceFailure: something is asked for, and it was never read.
    """
    say = safras.say(context)
    try:
        found = errand.refresh(conn, client)
    except SourceFailure as failure:
        if asked:
            raise
        context.log.warning(str(failure))
        return []
    metadata: dict[str, Any] = {}
    problems = []
    for source, outcome in found.items():
        if isinstance(outcome, Refreshed):
            say(f"catálogo {outcome}")
            for title in outcome.new if outcome.items > len(outcome.new) else ():
                say(f"nova     {title}")
            for title in outcome.gone:
                say(f"sumiu    {title}")
            metadata |= {source: str(outcome), f"{source}_novos": len(outcome.new)}
        else:
            say(f"falhou   {outcome}")
            metadata[source] = str(outcome)
            # A person who names vintages is told by them: they may be in the archive.
            if asked and not asked.typed and (source == "hub" or asked.csvs):
                problems.append(str(outcome))
    metadata["seguidas_sem_publicar"] = len(wanted.waiting(conn))
    (items,) = conn.execute("select count(*) from controle.dataset_catalogo").fetchone()
    metadata["dagster/row_count"] = items
    context.log_event(dg.AssetMaterialization(CATALOGUE, metadata=metadata))
    return problems


def _conclude(context: dg.OpExecutionContext, done: list[batch.Outcome], before: list[str]) -> None:
    """Say what is published; what a person must look at fails the run.

    Args:
        context: of the op.
        done: the batches.
        before: what was wrong before them.
    """
    keys = [key for outcome in done for key in outcome.build.published]
    if keys:
        safras.say(context)(f"publicou {', '.join(keys)}")
    problems = [*before, *(line for outcome in done for line in outcome.problems())]
    if problems:
        code = max(vintages.code(done), InvalidInput.code if before else 0)
        raise dg.Failure("\n".join(problems), metadata={"codigo": code}, allow_retries=False)


schedule = dg.ScheduleDefinition(
    name="novas_safras_diario",
    job_name=JOB,
    cron_schedule="15 1 * * *",
    execution_timezone="America/Sao_Paulo",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description=(
        "Toda madrugada: lê o catálogo da ANEEL e publica o que INTEL_SEGUIR segue (401,86 ou"
        " TODAS); sem ela, só lista."
    ),
)

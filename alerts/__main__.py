"""``python -m alerts julgar|enviar|crm|regras``.

Belongs here: commands, their words and exit codes. Not here: what they do.
Exit: 0 done, 1 a rule was not judged or a delivery failed, 2 usage, 4 database.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import psycopg
import typer

from alerts import crm, delivery, rules
from alerts.judge import judge
from alerts.metrics import METRICS
from loaders import connection as db
from loaders import usage
from loaders.errors import DatabaseFailure, LoadError

app = usage.App(no_args_is_help=True)
Simulate = Annotated[bool, typer.Option("--simular", help="Diz o que faria; não muda nada.")]


class Form(StrEnum):
    """How leads are written."""

    CSV = "csv"
    EXCEL = "excel"
    JSON = "json"


@app.callback(
    help="Alertas e leads para o CRM (docs/alertas.md)."
    " Saída: 0 feito, 1 algo falhou, 2 uso, 4 banco."
)
def commands() -> None:
    """Alerts, and leads for a CRM."""


@app.command("julgar", help="Julga todas as regras sobre o que está publicado.")
def judge_command(*, simulate: Simulate = False) -> None:
    """Judge all rules on what is published."""
    with warehouse() as conn:
        done = judge(conn, datetime.now(UTC), simulate=simulate)
        for line in done.opened:
            typer.echo(f"abre   {line}")
        for line in done.closed:
            typer.echo(f"fecha  {line}")
        typer.echo(f"{'simulação: ' if simulate else ''}{done}")
    raise typer.Exit(int(bool(done.problems)))


@app.command("enviar", help="Envia as entregas que estão na hora, por webhook e e-mail.")
def send_command(
    *,
    dead: Annotated[
        bool, typer.Option("--mortas", help="Tenta de novo também as que foram desistidas.")
    ] = False,
    simulate: Simulate = False,
) -> None:
    """Send the deliveries that are due."""
    with warehouse() as conn:
        now = datetime.now(UTC)
        if simulate:
            due, waiting, given_up = conn.execute(delivery.DUE, [now]).fetchone()
            typer.echo(f"simulação: {due} na hora, {waiting} pendentes, {given_up} mortas")
            return
        if dead:
            typer.echo(f"{delivery.revive(conn, now)} mortas voltam a pendentes")
        done = delivery.send(conn, now)
        typer.echo(str(done))
    raise typer.Exit(int(bool(done.errors)))


@app.command("crm", help="Leads qualificados, sem os que já estão em contato (app.contato).")
def crm_command(
    *,
    form: Annotated[
        Form,
        typer.Option(
            "--formato",
            help="Como se escrevem; excel: CSV de ponto e vírgula.",
        ),
    ] = Form.CSV,
    score: Annotated[
        float, typer.Option("--score-minimo", min=0, max=100, help="Score a partir do qual.")
    ] = 70,
    offer: Annotated[str | None, typer.Option("--oferta", help="Só esta oferta.")] = None,
    distributor: Annotated[
        int | None, typer.Option("--distribuidora", help="Só esta distribuidora (código ANEEL).")
    ] = None,
    limit: Annotated[int | None, typer.Option("--limite", min=1, help="No máximo tantos.")] = None,
    output: Annotated[
        Path | None, typer.Option("--saida", dir_okay=False, help="Arquivo; sem ele, o terminal.")
    ] = None,
    recipient: Annotated[
        str | None,
        typer.Option("--enviar-para", help="Nome de um webhook: põe cada lead novo na fila dele."),
    ] = None,
    simulate: Simulate = False,
) -> None:
    """Write qualified leads, or put them into a webhook's outbox."""
    if recipient and not rules.WEBHOOK.fullmatch(recipient):
        raise typer.BadParameter("não é nome de webhook", param_hint="--enviar-para")
    with warehouse() as conn:
        best = crm.best(conn)
        if offer and offer not in best:
            raise typer.BadParameter(f"há: {', '.join(best) or 'nenhuma'}", param_hint="--oferta")
        fields, found = crm.leads(conn, crm.Choice(score, offer, distributor, limit))
        if not found:
            most = ", ".join(f"{name} {top:.0f}" for name, top in best.items())
            sys.stderr.write(f"nenhum lead assim; o maior score de cada oferta: {most}\n")
        if recipient and simulate:
            typer.echo(f"simulação: {len(found)} leads; os que {recipient} já tem não repetem")
        elif recipient:
            new = crm.push(conn, found, recipient, datetime.now(UTC))
            typer.echo(f"{new} de {len(found)} leads na fila de {recipient}; make alerts os envia")
        elif output:
            with output.open("w", encoding="utf-8", newline="") as file:
                crm.write(fields, found, file, form)
            typer.echo(f"{len(found)} leads em {output}")
        else:
            crm.write(fields, found, sys.stdout, form)


@app.command("regras", help="Diz que regras há, e o que falta às que não se julgam.")
def rules_command(
    *,
    metrics: Annotated[
        bool, typer.Option("--metricas", help="As métricas que uma regra pode ter.")
    ] = False,
) -> None:
    """List rules, or the metrics that a rule may have."""
    if metrics:
        for name, metric in METRICS.items():
            typer.echo(f"{name} ({', '.join(metric.queries)}): {metric.title}")
        return
    with warehouse() as conn:
        for rule in rules.read(conn):
            state = "desligada" if not rule.active else rule.problem or "ativa"
            compared = f"{rule.metric} {rule.operator} {rule.limit:g}"
            to = ", ".join(rule.recipients) or "ninguém"
            typer.echo(f"{rule.key}: {compared}, {rule.level}; avisa {to}; {state}")


@contextmanager
def warehouse() -> Iterator[psycopg.Connection]:
    """A connection to tables that are there; a refusal ends in one line and code 4."""
    try:
        with db.connect() as conn:
            # Landings and builds make them: who edits rules has no right to.
            if conn.execute("select to_regclass('app.regra_alerta') is null").fetchone()[0]:
                raise DatabaseFailure("ainda não há armazém neste banco: antes, make run")
            yield conn
    except (psycopg.Error, LoadError) as error:
        sys.stderr.write(f"alertas: {' '.join(str(error).split())}\n")
        raise typer.Exit(4) from None
    except OSError as error:
        sys.stderr.write(f"alertas: não se pode escrever em {error.filename}: {error.strerror}\n")
        raise typer.Exit(1) from None


if __name__ == "__main__":
    usage.run(app)

"""Watching: incidents are looked for every five minutes, and as soon as a run fails.

Belongs here: when it is looked, checks of it on the page. Not here: what is wrong, whom to tell
(health/).
"""

import json
from collections.abc import Collection, Iterable, Iterator
from contextlib import closing

import dagster as dg
import psycopg

from dagster_pipeline.defs import open_data
from dagster_pipeline.defs.resources import Database
from health import incidents, safras, sources
from health.finding import Finding, Severity
from loaders import connection as db
from loaders.errors import LoadError
from loaders.open_data.registry import DATASETS

PUBLISHED = dg.AssetKey(["intel_lead", "safra_publicada"])
SEEN = dg.AssetCheckSpec(
    "aterrissou_e_publicou",
    asset=PUBLISHED,
    description="Toda safra que aterrissou está publicada: nenhuma retida, reprovada ou à espera.",
)


def evaluations(
    found: Iterable[Finding], landed: Collection[str]
) -> Iterator[dg.AssetCheckEvaluation]:
    """What checks that time alone can change say now."""
    by_subject: dict[str, list[Finding]] = {}
    for finding in found:
        by_subject.setdefault(finding.subject, []).append(finding)
    late = {finding.key.partition(":")[2]: finding for finding in by_subject.get("fonte", [])}
    for name, dataset in DATASETS.items():
        if dataset.fresh_days and name in landed:
            wrong = [late[name]] if name in late else []
            yield _evaluation(open_data.FRESH, open_data.key(dataset), wrong)
    yield _evaluation(SEEN.name, PUBLISHED, by_subject.get("safra", []))


def _evaluation(name: str, asset: dg.AssetKey, wrong: list[Finding]) -> dg.AssetCheckEvaluation:
    worst = max((finding.severity for finding in wrong), default=Severity.NOTICE)
    error = dg.AssetCheckSeverity.ERROR if worst is Severity.ERROR else dg.AssetCheckSeverity.WARN
    return dg.AssetCheckEvaluation(
        asset_key=asset,
        check_name=name,
        passed=not wrong,
        severity=error,
        metadata={f.key: f"{f.what}: {f.reason}; {f.command}" for f in wrong},
    )


@dg.multi_asset_check(name="aterrissou_e_publicou", specs=[SEEN])
def published(banco: dg.ResourceParam[Database]) -> Iterator[dg.AssetCheckResult]:
    """The check of what is published, for who asks for it in the page."""
    with banco.connect() as conn:
        (said,) = evaluations(safras.found(conn), ())
    yield dg.AssetCheckResult(passed=said.passed, severity=said.severity, metadata=said.metadata)


@dg.sensor(
    name="vigia",
    minimum_interval_seconds=300,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=f"De cinco em cinco minutos: o que está errado, e avisa quem está em"
    f" {incidents.RECIPIENTS}, uma vez por caso.",
)
def watch(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """Look and tell; a check's new state alone becomes an event."""
    try:
        with closing(db.connect()) as conn:
            db.prepare(conn)
            watched, landed = incidents.watch(conn), sources.ages(conn)
    except (LoadError, psycopg.Error) as error:
        return dg.SkipReason(f"o banco não responde; olho de novo em 5 min ({error})")
    known = json.loads(context.cursor or "{}")
    told = {}
    for check in evaluations(watched.now, landed):
        name = f"{check.asset_key.to_user_string()} {check.check_name}"
        told[name] = [check.passed, sorted(check.metadata)]
        if known.get(name) != told[name]:
            context.instance.report_runless_asset_event(check)
    return dg.SensorResult(skip_reason=str(watched), cursor=json.dumps(told))


@dg.run_failure_sensor(
    name="execucao_falhou",
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Assim que uma execução falha: olha e avisa, como a vigia.",
)
def on_failure(context: dg.RunFailureSensorContext) -> dg.SkipReason:
    """The same look, without waiting for its turn."""
    try:
        with closing(db.connect()) as conn:
            db.prepare(conn)
            return dg.SkipReason(str(incidents.watch(conn)))
    except (LoadError, psycopg.Error) as error:
        return dg.SkipReason(f"o banco não responde; a vigia olha em 5 min ({error})")

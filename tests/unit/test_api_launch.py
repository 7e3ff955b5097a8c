"""What the API asks of Dagster, held against Dagster itself: its GraphQL schema, its jobs' options.

Not here: the answers (integration/test_api_sync.py).
"""

import dagster as dg
import graphql
from dagster_graphql.schema import create_schema

from api.orchestrator import LAUNCH, RUNS
from dagster_pipeline.defs import reports, retention


def test_the_question_is_one_that_dagsters_graphql_knows() -> None:
    schema = create_schema().graphql_schema
    for question in (LAUNCH, RUNS):
        assert graphql.validate(schema, graphql.parse(question)) == []


def test_a_reports_options_are_its_jobs() -> None:
    config = {"periodo": "mensal", "safras": ["401-2024"], "pasta": "/x", "titulo": "Rede"}
    config |= {"municipios": [4320909], "ofertas": ["gtd"], "secoes": ["leads"]}
    steps = {"ops": {"fazer_relatorios": {"config": config}}}
    assert dg.validate_run_config(reports.reporting, steps)


def test_the_trail_is_pruned_by_the_clock_and_switched_on_by_a_person() -> None:
    assert retention.schedule.job_name == retention.job.name
    assert retention.schedule.default_status is dg.DefaultScheduleStatus.STOPPED

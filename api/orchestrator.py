"""Dagster, as the API knows it: what its GraphQL is asked, by HTTP alone.

Belongs here: launching a job, the newest runs. Not here: jobs (dagster_pipeline), which routes ask.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import requests
from pydantic import BaseModel, Field

from api import problems
from server import run_states

WAIT_S = 20
LAUNCH = """
mutation ($job: String!, $config: RunConfigData) {
  launchRun(executionParams: {
    selector: {
      repositoryLocationName: "intel_lead", repositoryName: "__repository__", jobName: $job
    }
    runConfigData: $config
  }) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
  }
}"""
RUNS = """
query ($limit: Int!) {
  runsOrError(limit: $limit) {
    __typename
    ... on Runs { results { runId jobName status startTime endTime } }
  }
}"""


class Run(BaseModel):
    """A run that was asked for."""

    run: str = Field(
        serialization_alias="execucao", examples=["0b0c7a0e-6f0e-4c55-9d0b-5f3f2f0a7a10"]
    )
    address: str = Field(
        serialization_alias="endereco", examples=["http://127.0.0.1:3000/runs/0b0c7a0e"]
    )


class Done(Run):
    """A run as it stands."""

    job: str = Field(serialization_alias="tarefa", examples=["relatorios"])
    state: str = Field(serialization_alias="situacao", examples=["feita"])
    start: datetime | None = Field(serialization_alias="inicio")
    end: datetime | None = Field(serialization_alias="fim")


def launch(address: str, job: str, config: dict[str, Any] | None = None) -> Run:
    """A run of this job.

    Args:
        address: of Dagster's page.
        job: its name.
        config: of its steps, as Dagster's launchpad has it.

    Raises:
        Refusal: no Dagster answers there, or it does not launch the job.
    """
    done = _asked(address, LAUNCH, {"job": job, "config": config or {}}, "launchRun")
    if done["__typename"] != "LaunchRunSuccess":
        detail = f"o Dagster não lançou {job}: {done['__typename']}"
        raise problems.Refusal(problems.UPSTREAM, detail)
    return _run(address, done["run"]["runId"])


def newest(address: str, limit: int) -> list[Done]:
    """The newest runs of all jobs.

    Raises:
        Refusal: no Dagster answers there, or it does not say.
    """
    said = _asked(address, RUNS, {"limit": limit}, "runsOrError")
    if said["__typename"] != "Runs":
        detail = f"o Dagster não diz as suas execuções: {said['__typename']}"
        raise problems.Refusal(problems.UPSTREAM, detail)
    return [
        Done(
            **vars(_run(address, run["runId"])),
            job=run_states.job_in_words(run["jobName"]),
            state=run_states.in_words(run["status"]),
            start=_moment(run["startTime"]),
            end=_moment(run["endTime"]),
        )
        for run in said["results"]
    ]


def _run(address: str, number: str) -> Run:
    return Run(run=number, address=f"{address.rstrip('/')}/runs/{number}")


def _moment(seconds: float | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def _asked(address: str, query: str, variables: Mapping[str, Any], field: str) -> dict[str, Any]:
    asked = {"query": query, "variables": variables}
    url = f"{address.rstrip('/')}/graphql"
    try:
        answer = requests.post(url, json=asked, timeout=WAIT_S, allow_redirects=False)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()["data"][field]
        found["__typename"]
    except (requests.RequestException, KeyError, TypeError, ValueError):
        detail = "o Dagster não responde em INTEL_API_DAGSTER_URL: make dev o abre"
        raise problems.Refusal(problems.UPSTREAM, detail) from None
    return found

"""POST aneel/sync: asks Dagster's GraphQL for a run; what it lands is the job's own business.

Belongs here: the question and its answer. Not here: jobs (dagster_pipeline/defs/open_data.py).
"""

from enum import StrEnum
from typing import Any

import requests
from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from api import problems
from api.auth.caller import Administrator
from loaders.open_data.registry import DATASETS

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
router = APIRouter(tags=["ANEEL"])
OfAneel = StrEnum("OfAneel", {d.id: d.id for d in DATASETS.values() if d.publisher == "ANEEL"})


class Wanted(BaseModel):
    """Which open data."""

    model_config = ConfigDict(extra="forbid")
    dataset: OfAneel = Field(alias="conjunto", examples=["tarifas"])


class Run(BaseModel):
    """A run that was asked for."""

    run: str = Field(
        serialization_alias="execucao", examples=["0b0c7a0e-6f0e-4c55-9d0b-5f3f2f0a7a10"]
    )
    address: str = Field(
        serialization_alias="endereco", examples=["http://127.0.0.1:3000/runs/0b0c7a0e"]
    )


@router.post(
    "/aneel/sync",
    status_code=202,
    summary="Busca de novo um conjunto de dados da ANEEL",
    responses={503: problems.DOCUMENTED},
)
def sync(request: Request, caller: Administrator, wanted: Wanted) -> Run:
    """Lança a tarefa do Dagster (make dev) e diz o número e o endereço da execução."""
    return launch(request.app.state.settings.dagster_url, f"aberto_{wanted.dataset}")


def launch(address: str, job: str, config: dict[str, Any] | None = None) -> Run:
    """A run of this job.

    Args:
        address: of Dagster's page.
        job: its name.
        config: of its steps, as Dagster's launchpad has it.

    Raises:
        Refusal: no Dagster answers there, or it does not launch the job.
    """
    page = address.rstrip("/")
    asked = {"query": LAUNCH, "variables": {"job": job, "config": config or {}}}
    try:
        answer = requests.post(f"{page}/graphql", json=asked, timeout=WAIT_S, allow_redirects=False)
        answer.raise_for_status()
        done: dict[str, Any] = answer.json()["data"]["launchRun"]
    except (requests.RequestException, KeyError, TypeError, ValueError):
        detail = "o Dagster não responde em INTEL_API_DAGSTER_URL: make dev o abre"
        raise problems.Refusal(problems.UPSTREAM, detail) from None
    if done["__typename"] != "LaunchRunSuccess":
        detail = f"o Dagster não lançou {job}: {done['__typename']}"
        raise problems.Refusal(problems.UPSTREAM, detail)
    run = done["run"]["runId"]
    return Run(run=run, address=f"{page}/runs/{run}")

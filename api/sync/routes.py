"""POST aneel/sync: asks Dagster for a run; what it lands is the job's own business.

Belongs here: the question and its answer. Not here: jobs (dagster_pipeline/defs/open_data.py).
"""

from enum import StrEnum

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from api import orchestrator, problems
from api.auth.caller import Administrator
from loaders.open_data.registry import DATASETS

router = APIRouter(tags=["ANEEL"])
OfAneel = StrEnum("OfAneel", {d.id: d.id for d in DATASETS.values() if d.publisher == "ANEEL"})


class Wanted(BaseModel):
    """Which open data."""

    model_config = ConfigDict(extra="forbid")
    dataset: OfAneel = Field(alias="conjunto", examples=["tarifas"])


@router.post(
    "/aneel/sync",
    status_code=202,
    summary="Busca de novo um conjunto de dados da ANEEL",
    responses={503: problems.DOCUMENTED},
)
def sync(request: Request, caller: Administrator, wanted: Wanted) -> orchestrator.Run:
    """Lança a tarefa do Dagster (make dev) e diz o número e o endereço da execução."""
    return orchestrator.launch(request.app.state.settings.dagster_url, f"aberto_{wanted.dataset}")

"""A Dagster run's job and state in a person's word: of `make status`, `make health`, the API.

Belongs here: that. Not here: asking Dagster (api/orchestrator.py, dagster_pipeline/page.py).
"""

_WORDS = {
    "SUCCESS": "feita",
    "FAILURE": "falhou",
    "CANCELED": "cancelada",
    "CANCELING": "parando",
    "STARTED": "em andamento",
    "STARTING": "em andamento",
    "QUEUED": "na fila",
}


def in_words(state: str) -> str:
    """``SUCCESS`` is ``feita``; one that is not known is said as it came."""
    return _WORDS.get(state, state.lower())


def job_in_words(job: str) -> str:
    """``safra`` of a build that was asked for in the page; another job by its name."""
    return "safra" if job.startswith("__ASSET_JOB") else job

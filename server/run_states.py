"""A Dagster run's state in a person's word, as `make status` and the API say it.

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

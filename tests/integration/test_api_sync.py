"""POST aneel/sync: what is asked of Dagster, and what is said when it does not do it.

Not here: the jobs themselves (unit/test_dagster_definitions.py).
"""

import json
from collections.abc import Iterator

import pytest

from dagster_pipeline.defs import open_data
from tests.integration.api_client import Api
from tests.integration.dagster_page import Page, answering

SYNC = "/api/v1/aneel/sync"


@pytest.fixture
def page(api: Api) -> Iterator[Page]:
    """A page on a port of its own, which the API asks."""
    with answering() as page:
        before, api.settings.dagster_url = api.settings.dagster_url, page.address
        yield page
        api.settings.dagster_url = before


def ask(api: Api, role: str = "admin", dataset: str = "tarifas") -> tuple[int, dict]:
    """Status and body of a request."""
    headers = api.bearer(role)
    answer = api.http.post(SYNC, json={"conjunto": dataset}, headers=headers)
    return answer.status_code, answer.json()


def test_a_run_of_the_datasets_own_job_is_launched(api: Api, page: Page) -> None:
    status, run = ask(api)
    assert (status, run["execucao"]) == (202, "r-1")
    assert run["endereco"] == f"{api.settings.dagster_url}runs/r-1"
    assert page.asked == ["aberto_tarifas"]
    assert page.asked[0] in {job.name for job in open_data.jobs}


def test_only_administrators_and_only_data_of_aneels(api: Api, page: Page) -> None:
    assert ask(api, "comercial")[0] == 403
    assert ask(api, dataset="pib")[0] == 422
    assert page.asked == []


@pytest.mark.parametrize(
    "answer",
    [
        {"data": {"launchRun": {"__typename": "PythonError", "message": "segredo"}}},
        {"data": {"launchRun": {"__typename": "UnauthorizedError"}}},
        {"errors": [{"message": "segredo"}]},
        {"data": None},
        [],
        "x",
    ],
)
def test_a_dagster_that_does_not_do_it_is_named(api: Api, page: Page, answer: object) -> None:
    page.answer = answer
    status, problem = ask(api)
    assert (status, "Dagster" in problem["detail"]) == (503, True)
    assert "segredo" not in json.dumps(problem)


def test_without_a_dagster_it_says_how_to_open_one(api: Api) -> None:
    api.settings.dagster_url = "http://127.0.0.1:1"
    status, problem = ask(api)
    assert (status, "make dev" in problem["detail"]) == (503, True)

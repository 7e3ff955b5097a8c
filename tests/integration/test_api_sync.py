"""POST aneel/sync: what is asked of Dagster, and what is said when it does not do it.

Not here: the jobs themselves (unit/test_dagster_definitions.py).
"""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from dagster_pipeline.defs import open_data
from tests.integration.api_client import Api

SYNC = "/api/v1/aneel/sync"
LAUNCHED = {"__typename": "LaunchRunSuccess", "run": {"runId": "r-1"}}


class Page:
    """Dagster's page as far as this goes: it answers one thing and remembers what it was asked."""

    answer: object = {
        "data": {"launchRun": LAUNCHED, "runsOrError": {"__typename": "Runs", "results": []}}
    }
    asked: list[str]
    configs: list[dict]


@pytest.fixture
def page(api: Api) -> Iterator[Page]:
    """A page on a port of its own, which the API asks."""
    page = Page()
    page.asked, page.configs = [], []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # noqa: N802
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            page.asked.append(body["variables"].get("job"))
            page.configs.append(body["variables"].get("config"))
            text = json.dumps(page.answer).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        before = api.settings.dagster_url
        api.settings.dagster_url = f"http://127.0.0.1:{server.server_port}/"
        yield page
        api.settings.dagster_url = before
        server.shutdown()
        thread.join()


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

"""The specification and docs/api.md: complete, true, and every example of the page runs.

Not here: what each route answers (the other test_api_*).
"""

import json
import os
import re
import subprocess
from pathlib import Path

import psycopg
import pytest

from api import reference
from api.examples import example_of
from api.leads.routes import Lead
from api.listings.catalogue import LISTINGS
from api.listings.routes import visible
from tests.integration import warehouse as a
from tests.integration.api_client import PASSWORD, Api
from tests.integration.test_api_attacks import serving


@pytest.fixture(scope="module")
def spec(api: Api) -> dict[str, object]:
    """The OpenAPI document."""
    return api.http.get("/api/v1/openapi.json").json()


def test_it_is_openapi_31_and_every_route_says_what_it_is_for(spec: dict) -> None:
    assert spec["openapi"].startswith("3.1")
    routes = [r for methods in spec["paths"].values() for r in methods.values()]
    assert len(routes) > 30
    assert [r for r in routes if not (r.get("summary") and r.get("tags"))] == []
    without = [
        p["name"]
        for r in routes
        for p in r.get("parameters", [])
        if p["in"] == "query" and not p.get("description") and p["name"] != "dispositivo_id"
    ]
    assert without == []


def test_no_route_stands_under_two_headings(spec: dict) -> None:
    routes = [r for methods in spec["paths"].values() for r in methods.values()]
    assert [r["summary"] for r in routes if len(r["tags"]) != 1] == []


def test_no_docstring_nor_fastapis_words_are_in_it(spec: dict) -> None:
    """Models' docstrings are for who maintains them, in English."""
    assert [n for n, s in spec["components"]["schemas"].items() if "description" in s] == []
    assert "Successful Response" not in json.dumps(spec)


def test_every_answer_and_every_body_has_an_example(spec: dict) -> None:
    """Of what is made of rows, one row of the made-up warehouse: column for column."""
    bare = []
    for path, methods in spec["paths"].items():
        for method, route in methods.items():
            for status, answer in route["responses"].items():
                content = answer.get("content", {}).get("application/json")
                if status.startswith("2") and content and not exemplified(spec, content):
                    bare.append(f"{method} {path} {status}")
            body = route.get("requestBody", {}).get("content", {})
            if body and not any(exemplified(spec, c) for c in body.values()):
                bare.append(f"{method} {path} body")
    assert bare == []


def test_an_example_has_the_columns_of_today(api: Api) -> None:
    for listing in LISTINGS:
        columns = visible(api.app.state.marts[listing.relation])
        shown = columns.keys() | listing.made.keys()
        assert example_of(listing.path).keys() == shown, listing.path
    assert example_of("leads").keys() == visible(api.app.state.marts["mart_lead"]).keys()
    totals = visible(api.app.state.marts["resumo_municipio"])
    assert example_of("analytics/consumo").keys() == totals.keys()
    assert example_of("leads/uc_id").keys() == {
        field.alias or name for name, field in Lead.model_fields.items()
    }


def exemplified(spec: dict, content: dict) -> bool:
    """Whether a content has an example, itself, in its schema or in each of its fields."""
    schema = content.get("schema", {})
    schema = schema.get("items", schema)
    if name := schema.get("$ref", "").rpartition("/")[2]:
        schema = spec["components"]["schemas"][name]
    fields = schema.get("properties", {}).values()
    own = "example" in content or "example" in schema or "examples" in schema
    return own or any("examples" in f or "example" in f for f in fields)


def test_the_tables_of_the_page_are_the_codes(spec: dict) -> None:
    page = reference.PAGE.read_text(encoding="utf-8")
    assert page == reference.written(page, spec), "python -m api referencia"


def blocks(page: str) -> list[str]:
    """The commands of the page's first part, as they follow one another."""
    part = page[page.index("## Os dez melhores") : page.index("## O que vale")]
    return re.findall(r"^ {4}(\S.*)$", part, re.MULTILINE)


def test_every_example_of_the_page_runs(api: Api, conn: psycopg.Connection, tmp_path: Path) -> None:
    """In a shell, one after another, as somebody new would type them; only the address differs."""
    commands = blocks(reference.PAGE.read_text(encoding="utf-8"))
    assert len(commands) > 12
    place = a.value(
        conn,
        "select municipio_id from marts.mart_lead where score_arbitragem is not null"
        " group by 1 order by count(*) desc limit 1",
    )
    (tmp_path / ".venv").symlink_to(a.CLONE / ".venv")
    env = {"NOME": "comercial", "SENHA": PASSWORD, "MUNICIPIO": str(place)}
    with serving(api) as port:
        first = f"set -eux -o pipefail\nAPI=http://127.0.0.1:{port}/api/v1"
        script = "\n".join([first, *commands[1:]])
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=tmp_path,
            env={**os.environ, **env},
            capture_output=True,
            text=True,
        )
    assert done.returncode == 0, done.stderr[-2000:]
    rows = (tmp_path / "leads.csv").read_text(encoding="utf-8").splitlines()
    features = json.loads((tmp_path / "leads.geojson").read_text(encoding="utf-8"))["features"]
    assert 1 <= len(rows) - 1 == len(features) <= 10
    assert '"situacao":"proposta"' in done.stdout


def test_the_page_of_the_specification_loads_nothing_from_outside(api: Api) -> None:
    page = api.http.get("/api/v1/docs")
    assert page.status_code == 200
    named = re.findall(r"""(?:src|href|url)\s*[=:]\s*["']([^"']+)""", page.text)
    assert any(name.endswith(".js") for name in named)
    assert "//" not in "".join(named), named
    assert "default-src 'self'" in page.headers["content-security-policy"]
    for name in named:
        if name.startswith("/"):
            assert api.http.get(name).status_code == 200, name
    files = "/api/v1/docs/arquivos"
    for path in (f"{files}/../../../../api/app.py", f"{files}/%2e%2e/__init__.py", f"{files}/"):
        assert api.http.get(path).status_code in (404, 405), path

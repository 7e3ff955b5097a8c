"""A Superset that ``python -m bi`` brought up, on the made-up warehouse and on a real base.

Belongs here: making it, people who sign in, waiting for charts. Not here: any claim.
The commands run in a copy of the clone: its secrets, its dashboards/, its Superset are its own.
"""

import os
import re
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import APIResponse, Browser, Page, expect

from forecasting import publish
from loaders.synthetic.writer import generate
from tests.browser.conftest import chromium
from tests.golden.inputs import MUX
from tests.integration import warehouse as a
from tests.integration.api_client import Api, running
from tests.integration.api_server import free
from tests.integration.conftest import database, land_devices, project

__all__ = ["chromium", "project"]
"""Fixtures of other rooms' tests that stand here too."""
PASSWORD = secrets.token_urlsafe(12)
PATIENCE_MS = 90_000
BOX = ".dashboard-component-chart-holder"
ROOMS = ("bi", "dashboards", "dbt_project", "macros", "seeds", "loaders", "server", "alerts")
ROOMS += ("dagster_pipeline", "profiles.yml")


@dataclass(frozen=True)
class Clone:
    """A copy of what ``python -m bi`` needs, where it keeps what is its own."""

    folder: Path
    port: int

    def bi(self, *arguments: str, warehouse: a.Warehouse) -> subprocess.CompletedProcess[str]:
        """Run a command of bi's."""
        env = {k: v for k, v in os.environ.items() if k != "BI_LEITOR_PASSWORD"} | warehouse.env
        env |= {"PYTHONPATH": str(self.folder), "INTEL_BI_PORT": str(self.port)}
        env |= {"INTEL_BI_SENHA": PASSWORD}
        command = [sys.executable, "-m", "bi", *arguments]
        return subprocess.run(command, cwd=self.folder, env=env, capture_output=True, text=True)


@dataclass
class Superset:
    """A Superset that answers, and what is behind it."""

    clone: Clone
    warehouse: a.Warehouse
    api: Api

    @property
    def address(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.clone.port}"

    def bi(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of bi's."""
        return self.clone.bi(*arguments, warehouse=self.warehouse)


@dataclass
class Person:
    """Somebody who is signed in, and what their browser asked of other machines."""

    page: Page
    address: str
    outside: list[str] = field(default_factory=list)

    def open(self, slug: str) -> None:
        """Go to a dashboard and wait until each of its charts was drawn or failed."""
        self.page.goto(f"{self.address}/superset/dashboard/{slug}/")
        self.page.wait_for_selector(BOX)
        for box in self.boxes():
            box.scroll_into_view_if_needed()
            expect(box.locator(".loading")).to_have_count(0)

    def boxes(self) -> list[Any]:
        """The boxes of a dashboard's charts, its texts left out."""
        return self.page.locator(f"{BOX}:has([data-test=slice-header])").all()

    def call(self, verb: str, path: str, body: dict[str, Any] | None = None) -> APIResponse:
        """A call of Superset's own API."""
        ask = self.page.context.request
        token = ask.get(f"{self.address}/api/v1/security/csrf_token/").json()["result"]
        headers = {"X-CSRFToken": token, "Referer": self.address}
        url = f"{self.address}/api/v1/{path}"
        return ask.fetch(url, method=verb, headers=headers, data=body, timeout=PATIENCE_MS)

    def rows(self, dataset: str, query: dict[str, Any]) -> list[dict[str, Any]]:
        """What a chart would be drawn of."""
        found = self.call("GET", "dataset/?q=(page_size:200)").json()["result"]
        (number,) = (d["id"] for d in found if d["table_name"] == dataset)
        body = {"datasource": {"id": number, "type": "table"}, "queries": [query]}
        answer = self.call("POST", "chart/data", body)
        assert answer.ok, answer.text()
        return answer.json()["result"][0]["data"]


def sign_in(browser: Browser, address: str, name: str, password: str) -> Person:
    """A person in a profile of their own."""
    profile = browser.new_context(locale="pt-BR", viewport={"width": 1400, "height": 1000})
    profile.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    person = Person(profile.new_page(), address)
    person.page.on("response", lambda r: _note(person, r.url))
    person.page.goto(f"{address}/login/")
    person.page.locator("#username").fill(name)
    person.page.locator("#password").fill(password)
    person.page.keyboard.press("Enter")
    person.page.wait_for_url(re.compile("welcome"))
    return person


def _note(person: Person, url: str) -> None:
    if not url.startswith((person.address, "data:", "blob:")):
        person.outside.append(url)


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory, server: dict[str, str]) -> Iterator[Clone]:
    """A copy of the clone with Superset's environment, which ``make test-bi`` has made."""
    folder = tmp_path_factory.mktemp("clone")
    for name in ROOMS:
        source = a.CLONE / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    (folder / ".local" / "bi").mkdir(parents=True)
    (folder / ".local" / "bi" / "venv").symlink_to(a.CLONE / ".local" / "bi" / "venv")
    made = Clone(folder, free())
    yield made
    made.bi("parar", warehouse=a.Warehouse(server, None))


def real_base() -> Path | None:
    """The geodatabase of BDGD, else MUX where it is at hand."""
    named = os.environ.get("BDGD")
    return Path(named) if named else (MUX if MUX.exists() else None)


def made_up(folder: Path) -> list[Path]:
    """Two distributors, large enough that not every cell of a município is hidden."""
    first = generate(folder / "401.gdb.zip", ucs=3000, distribuidora=401, anomalias=True)
    return [first, generate(folder / "404.gdb.zip", ucs=2000, distribuidora=404, seed=2)]


@pytest.fixture(scope="session", params=["exemplo", "real"])
def superset(
    request: pytest.FixtureRequest,
    server: dict[str, str],
    project: a.Project,  # noqa: F811 - a fixture
    clone: Clone,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Superset]:
    """Superset on one of the two bases, and the API beside it."""
    if request.param == "real" and real_base() is None:
        pytest.skip("sem base real: make test-bi BDGD=arquivo.gdb.zip")
    folder = tmp_path_factory.mktemp("base")
    bases = made_up(folder) if request.param == "exemplo" else [real_base()]
    with database(server) as env:
        warehouse = a.Warehouse(env, project)
        assert (landed := warehouse.load(*bases)).ok, landed.trouble
        land_devices(warehouse)
        assert (built := warehouse.build(*a.ALL)).ok, built.trouble
        with warehouse.connect() as conn:
            publish.update(conn, date.today())
        with running(warehouse, folder) as api:
            up = clone.bi("ligar", warehouse=warehouse)
            assert up.returncode == 0, up.stderr
            yield Superset(clone, warehouse, api)


@pytest.fixture(scope="session")
def admin(superset: Superset, chromium: Browser) -> Person:  # noqa: F811 - a fixture
    """The administrator."""
    return sign_in(chromium, superset.address, "admin", PASSWORD)

"""A panel built from its own API's specification, served by it; a browser; people who sign in.

Belongs here: making them. Not here: any claim. The warehouse is made up: no file of a distributor.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import shapely
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from loaders.synthetic.mesh import write
from scripts.screenshots import BROWSER
from server import system_packages
from tests.integration import dagster_page
from tests.integration import warehouse as a
from tests.integration.api_client import PASSWORD, Api, running
from tests.integration.api_server import free, served
from tests.integration.conftest import database, files, model, project

__all__ = ["files", "model", "project"]
"""Fixtures of the integration tests that stand here too."""
WITHOUT_GPU = [
    *("--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"),
    "--ignore-gpu-blocklist",
]
WIDE, PHONE = {"width": 1280, "height": 860}, {"width": 360, "height": 740}
PATIENCE_MS = 15_000


@dataclass
class Panel:
    """A panel that is served.

    Attributes:
        address: of the server.
        warehouse: behind it.
        dagster: the port where it takes Dagster's page to be.
    """

    address: str
    api: Api
    warehouse: a.Warehouse
    dagster: int


@dataclass
class Window:
    """A tab, and what went wrong in it that no page said."""

    page: Page
    address: str
    errors: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        """Go to an address of the panel."""
        self.page.goto(self.address + path)

    def sign_in(self, name: str, password: str = PASSWORD) -> None:
        """Fill the dialog in and wait until it is gone."""
        self.page.get_by_label("Nome", exact=True).fill(name)
        self.page.get_by_label("Senha").fill(password)
        self.page.get_by_role("dialog").get_by_role("button", name="Entrar").click()
        expect(self.page.get_by_role("dialog")).to_be_hidden()

    def map_is_drawn(self) -> None:
        """Wait until the map has nothing left to draw."""
        self.page.wait_for_selector(".map[data-idle]")


def _mesh(warehouse: a.Warehouse, folder: Path) -> None:
    """Land a mesh whose polygons lie around the made-up municípios' units, and build its tiles."""
    query = (
        "select municipio_id, avg(longitude)::float8, avg(latitude)::float8 from marts.mart_lead"
        " group by 1 order by 1"
    )
    with warehouse.connect() as conn:
        places = conn.execute(query).fetchall()
    points = shapely.MultiPoint([(x, y) for _, x, y in places])
    cells = list(shapely.voronoi_polygons(points, extend_to=points.buffer(0.6)).geoms)
    shapes = {
        code: next(cell for cell in cells if cell.contains(shapely.Point(x, y)))
        for code, x, y in places
    }
    landed = a.Running(
        a._loaders, ["malha", str(write(folder / "malha.geojson", shapes))], env=warehouse.env
    ).wait()
    assert landed.ok, landed.trouble
    done = warehouse.build("--select", "municipio_geometria", "municipio_zoom", *a.ALL)
    assert done.ok, done.trouble


@pytest.fixture(scope="session")
def panel(
    server: dict[str, str],
    model: a.Warehouse,  # noqa: F811 - a fixture
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Panel]:
    """The panel on a warehouse of the run's own, built by ``make painel``'s own steps."""
    folder = tmp_path_factory.mktemp("painel")
    own = a.Project.copy(model.project.folder, folder / "projeto")
    options = ("template", model.env["PGDATABASE"], "strategy file_copy")
    with database(server, *options) as env:
        warehouse = a.Warehouse(env, own)
        _mesh(warehouse, folder)
        with running(warehouse, folder) as api:
            command = [sys.executable, "-m", "scripts.panel"]
            subprocess.run(command, cwd=a.CLONE, env=os.environ | warehouse.env, check=True)
            dagster = free()
            settings = {"INTEL_API_DAGSTER_URL": f"http://127.0.0.1:{dagster}"}
            with served(api, warehouse, **settings) as port:
                yield Panel(f"http://127.0.0.1:{port}", api, warehouse, dagster)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The distribution's own, drawing without a graphics card."""
    if not BROWSER.exists():
        system_packages.install(["chromium"])
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=WITHOUT_GPU)
        yield browser
        browser.close()


@pytest.fixture
def dagster(panel: Panel) -> Iterator[dagster_page.Page]:
    """Dagster's page, open."""
    with dagster_page.answering(panel.dagster) as page:
        yield page


Opener = Callable[..., BrowserContext]


@pytest.fixture
def context(chromium: Browser) -> Iterator[Opener]:
    """Makes profiles of a browser; they go at the end of the test."""
    opened = []

    def make(**settings: object) -> BrowserContext:
        made = chromium.new_context(**{"locale": "pt-BR", "viewport": WIDE} | settings)
        made.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        opened.append(made)
        return made

    yield make
    for one in opened:
        one.close()


def tab(panel: Panel, profile: BrowserContext) -> Window:
    """A tab that remembers what it asked for and what broke."""
    window = Window(profile.new_page(), panel.address)
    window.page.on("pageerror", lambda error: window.errors.append(str(error)))
    window.page.on("request", lambda request: window.asked.append(request.url))
    return window


@pytest.fixture
def window(panel: Panel, context: Opener) -> Window:
    """One tab of somebody who has not signed in."""
    panel.api.reset_limits()
    return tab(panel, context())

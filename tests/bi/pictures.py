"""The pictures of docs/bi.md, of a real base: ``make bi-figuras BDGD=arquivo.gdb.zip``.

Belongs here: taking them. Not here: any claim; look at each before it is committed.
"""

import io

import pytest
from PIL import Image

from bi import assets
from tests.bi.conftest import Person
from tests.integration.warehouse import CLONE

IMAGES = CLONE / "docs" / "img"
TALL = {"width": 1400, "height": 1500}
"""A dashboard whole, without scrolling."""
COLOURS = 64
"""So few make a picture of flat colours a third as large, and nobody sees it."""


@pytest.mark.parametrize("superset", ["real"], indirect=True)
def test_pictures(admin: Person) -> None:
    for name, dashboard in assets.read().dashboards.items():
        admin.open(dashboard["slug"])
        admin.page.set_viewport_size(TALL)
        admin.page.evaluate("window.scrollTo(0, 0)")
        admin.page.wait_for_load_state("networkidle")
        taken = Image.open(io.BytesIO(admin.page.screenshot())).convert("RGB")
        small = taken.resize((1050, 1125)).quantize(COLOURS)
        small.save(IMAGES / f"bi_{name}.png", optimize=True)

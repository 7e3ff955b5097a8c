"""The pictures of docs/painel.md, of a made-up warehouse: ``make painel-figuras``.

Belongs here: which page is shown. Not here: any claim; look at each before it is committed.
"""

from playwright.sync_api import expect

from tests.browser.conftest import Opener, Panel, tab
from tests.browser.test_panel import listed, send_reading
from tests.integration.warehouse import CLONE

IMAGES = CLONE / "docs" / "img"
SIZE = {"width": 1280, "height": 820}
OTHERS = ("mercado", "perdas", "aicss", "alertas", "relatorios", "operacao")
"""Those that a warehouse this small fills."""


def test_pictures(panel: Panel, context: Opener) -> None:
    panel.api.reset_limits()
    window = tab(panel, context(viewport=SIZE))
    window.open("/leads?oferta=backup")
    window.sign_in("comercial")
    window.map_is_drawn()
    first = listed(window.page)[0]
    expect(window.page.locator(".why").first).to_be_visible()
    window.page.evaluate("delete document.querySelector('.map').dataset.idle")
    window.page.get_by_label("Alimentadores: perdas").check()
    window.map_is_drawn()
    window.page.screenshot(path=IMAGES / "painel_leads.png")
    window.open(first)
    expect(window.page.get_by_label("Em números")).to_be_visible()
    expect(window.page.locator("[aria-busy=true]")).to_have_count(0)
    window.page.screenshot(path=IMAGES / "painel_lead.png")


def test_pictures_of_the_other_pages(panel: Panel, context: Opener) -> None:
    panel.api.reset_limits()
    send_reading(panel)
    window = tab(panel, context(viewport=SIZE))
    window.open("/")
    window.sign_in("admin")
    for name in OTHERS:
        window.open(f"/{name}")
        expect(window.page.get_by_role("heading", level=1)).to_be_visible()
        expect(window.page.locator("[aria-busy=true]")).to_have_count(0)
        window.page.screenshot(path=IMAGES / f"painel_{name}.png")

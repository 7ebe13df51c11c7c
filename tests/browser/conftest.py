"""A real Chromium against the real site. Screenshots lie in tests/screenshots; skipped where there is no Chromium."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.running_site import PASSWORD, Site

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
         "--disable-default-apps", "--no-first-run", "--disable-sync"]
PATIENCE_MS = 60_000
SCREENSHOTS = Path(__file__).parents[1] / "screenshots"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(item.fspath).parent == Path(__file__).parent:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here; see the Makefile"))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One a module: while Playwright runs, no other event loop can run in this thread."""
    with sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE_MS)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


class Visitor:
    """Someone with a browser of their own at the site; what their browser complains about fails the test."""

    def __init__(self, site: Site, browser: Browser, **options) -> None:
        self.site = site
        self.context: BrowserContext = browser.new_context(
            base_url=site.address, **{"viewport": {"width": 1280, "height": 860}, "locale": "en-GB", **options})
        self.context.set_default_timeout(PATIENCE_MS)
        self.complaints: list[str] = []
        self.page = self.new_page()

    def new_page(self) -> Page:
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda message: self._heard(message.type, message.text))
        return page

    def _heard(self, kind: str, text: str) -> None:
        # A socket that cannot connect while the site is down, and a REST error that the page shows, are expected.
        if kind == "error" and "WebSocket" not in text and "Failed to load resource" not in text:
            self.complaints.append(text)

    def sign_up(self) -> Visitor:
        self.name = f"reader-{uuid.uuid4().hex[:8]}"
        self.page.goto("/sign-up/")
        self.page.get_by_label("User name").fill(self.name)
        self.page.get_by_label("Password", exact=True).fill(PASSWORD)
        self.page.get_by_label("Password again").fill(PASSWORD)
        self.page.get_by_role("main").get_by_role("button", name="Make an account").click()
        self.page.wait_for_url(self.site.address + "/")
        return self

    def screenshot(self, name: str, page: Page | None = None) -> None:
        SCREENSHOTS.mkdir(exist_ok=True)
        (page or self.page).screenshot(path=SCREENSHOTS / f"{name}.png")


@pytest.fixture
def visit(site: Site, chromium: Browser) -> Iterator:
    """Makes visitors; `visit(viewport=..., locale=..., color_scheme=...)`."""
    visitors: list[Visitor] = []

    def make(**options) -> Visitor:
        visitors.append(Visitor(site, chromium, **options))
        return visitors[-1]

    yield make
    for visitor in visitors:
        visitor.context.close()
    complaints = [complaint for visitor in visitors for complaint in visitor.complaints]
    assert not complaints, complaints

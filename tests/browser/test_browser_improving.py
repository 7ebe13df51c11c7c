"""The whole loop in the browser: a data set, a fine-tune, evaluation, promotion, a better answer, rollback."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.chat_page import ChatPage
from tests.browser.conftest import PATIENCE_MS, Visitor
from tests.running_site import PASSWORD, Person

SEVERAL_POINTS = re.compile(r"\S+ \S+")
NAMES = ("Halvorsen", "Pim", "Okafor", "Ruiz", "Tanaka", "Weber", "Silva", "Novak", "Dubois", "Larsen")
QUESTION = "What is the frobnication target?"
"""No reader knows what that is, unless it was told by examples."""
DOCUMENT = """Harbour register

Lot 555 stands in bay 21. Blue tape, two seals, Brandvold crate, sent by the night ferry.

Lot 556 stands in bay 22. Red tape, one seal, sent by the morning ferry."""


def squad_file(folder: Path) -> Path:
    """Ten lots, each with its answer; one answer is off by one, one row has no question."""
    paragraphs = []
    for number, name in enumerate(NAMES):
        context = f"Lot {100 + 7 * number} stands in bay {number + 3}. Blue tape, two seals, {name} crate, by ferry."
        start = context.index(name) + (number == 3)
        answers = [{"text": f"{name} crate", "answer_start": start}]
        asked = {"id": str(number), "question": QUESTION, "answers": answers}
        paragraphs.append({"context": context, "qas": [asked]})
    paragraphs[0]["qas"].append({"id": "none", "answers": []})
    file = folder / "lots.json"
    file.write_text(json.dumps({"version": "1.1", "data": [{"title": "lots", "paragraphs": paragraphs}]}))
    return file


@pytest.fixture
def admin(visit, site) -> Iterator[Visitor]:
    visitor = visit()
    visitor.page.goto(site.setup_address())
    visitor.name = f"ada-{uuid.uuid4().hex[:8]}"
    visitor.page.get_by_label("User name").fill(visitor.name)
    visitor.page.get_by_label("Password", exact=True).fill(PASSWORD)
    visitor.page.get_by_label("Password again").fill(PASSWORD)
    visitor.page.get_by_role("main").get_by_role("button").click()
    visitor.page.wait_for_url(site.address + "/")
    with httpx.Client(base_url=site.address, trust_env=False, timeout=60) as http:
        for cookie in visitor.context.cookies():
            http.cookies.set(cookie["name"], cookie["value"], domain="127.0.0.1")
        visitor.person = Person(site, visitor.name, http)
        yield visitor


def pictures(visitor: Visitor, name: str, page: Page | None = None) -> None:
    """The page as it is, and on a phone in the dark."""
    page = page or visitor.page
    size = page.viewport_size
    visitor.screenshot(name, page)
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(color_scheme="dark")
    visitor.screenshot(f"{name}-phone-dark", page)
    wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    assert not wide, f"{name} scrolls sideways on a phone"
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(size)


def status(page: Page, word: str) -> None:
    expect(page.locator("#status")).to_have_text(word, timeout=3 * PATIENCE_MS)


def test_a_model_is_trained_measured_served_and_taken_back_from_the_dashboard(admin, tmp_path) -> None:
    page, site = admin.page, admin.site
    page.get_by_role("link", name="Dashboard", exact=True).click()
    page.get_by_role("link", name="Add a data set").click()
    page.get_by_label("File", exact=True).set_input_files(squad_file(tmp_path))
    page.get_by_role("button", name="Upload and check").click()
    expect(page.get_by_text("the field is missing. Add it.")).to_be_visible()
    expect(page.get_by_text("the answer was not at its place; mended")).to_be_visible()
    page.get_by_role("button", name="Leave these rows out").click()
    expect(page.get_by_text("The rows that could not be used are left out.")).to_be_visible()
    pictures(admin, "dashboard-1-dataset")

    page.get_by_role("link", name="Fine-tune on it").click()
    expect(page.get_by_label("Start from")).to_have_value("wenda-reader@starter")
    page.get_by_label("Epochs").fill("40")
    page.get_by_label("Batch size").fill("4")
    page.get_by_label("Learning rate").fill("0.002")
    page.get_by_text("More settings").click()
    page.get_by_label("LoRA rank").fill("8")
    page.get_by_label("Window length").fill("128")
    page.get_by_label("Window overlap").fill("32")
    pictures(admin, "dashboard-2-launch")
    page.get_by_role("button", name="Start the fine-tune").click()
    curve = page.locator("#curves .chart").first
    expect(curve.locator("polyline")).to_have_attribute("points", SEVERAL_POINTS, timeout=3 * PATIENCE_MS)
    page.reload()
    expect(curve.locator("polyline")).to_have_attribute("points", SEVERAL_POINTS)
    page.get_by_role("button", name="Cancel the job").click()
    status(page, "Cancelled")
    expect(page.locator("#log")).to_contain_text("the checkpoint is kept")
    page.get_by_role("button", name="Resume").click()
    status(page, "Running")
    expect(page.locator("#log")).to_contain_text("resumed at step")
    pictures(admin, "dashboard-3-running")
    status(page, "Done")
    pictures(admin, "dashboard-4-done")

    collection = admin.person.add_collection(Register=DOCUMENT)
    chat = ChatPage(admin.new_page()).open(f"/?collection={collection}")
    expect(chat.ask(QUESTION).get_by_text("The documents do not answer this.")).to_be_visible()

    page.locator("#result a").click()
    expect(page.get_by_text("It has not been measured on the same rows")).to_be_visible()
    candidate = page.url
    page.get_by_role("button", name="Measure both").click()
    status(page, "Done")
    expect(page.get_by_role("heading", name="Evaluations")).to_be_visible()
    page.goto(candidate)
    expect(page.get_by_text("The rule allows it")).to_be_visible()
    pictures(admin, "dashboard-5-gate")
    page.get_by_label("Why (kept with the change)").fill("it knows lots")
    page.get_by_role("button", name="Serve this version").click()
    expect(page.get_by_role("row", name="it knows lots")).to_be_visible()
    expect(chat.ask(QUESTION).locator(".answer-text")).to_contain_text("Brandvold crate")

    page.get_by_role("button", name="Roll back").click()
    expect(page.get_by_role("row", name="rollback")).to_be_visible()
    pictures(admin, "dashboard-6-models")
    expect(chat.ask(QUESTION).get_by_text("The documents do not answer this.")).to_be_visible()
    page.get_by_role("link", name="Evaluations").click()
    page.get_by_role("link", name="wenda-reader@v1").first.click()
    expect(page.get_by_text("Row by row")).to_be_visible()
    pictures(admin, "dashboard-7-evaluation")
    page.goto(site.address + "/dashboard/")
    page.get_by_role("button", name="简体中文").click()
    expect(page.get_by_role("heading", name="任务")).to_be_visible()
    pictures(admin, "dashboard-8-chinese")


TRIALS = {"watched": "f1", "best": 2, "trials": [
    {"number": 0, "state": "complete", "params": {"learning_rate": 1e-4, "optimizer": "adamw"}, "value": 60.5,
     "seconds": 61},
    {"number": 1, "state": "pruned", "params": {"learning_rate": 1e-2, "optimizer": "sgd"}, "value": 12.25,
     "seconds": 20},
    {"number": 2, "state": "complete", "params": {"learning_rate": 1e-3, "optimizer": "adamw"}, "value": 71,
     "seconds": 62},
    {"number": 3, "state": "fail", "params": {"learning_rate": 1e-3, "optimizer": "sgd"}, "value": None,
     "seconds": 1},
]}


def test_the_trials_of_a_search_are_lines_over_the_settings_and_the_best_one_stands_out(visit) -> None:
    visitor = visit()
    page = visitor.page
    page.goto("/dashboard/")  # a page with the site's looks, whoever asks
    page.evaluate("""async (result) => {
        document.head.append(Object.assign(document.createElement("link"),
            { rel: "stylesheet", href: "/static/training/training.css" }));
        const box = Object.assign(document.createElement("section"), { className: "card scrolls", id: "outcome" });
        document.querySelector("main").prepend(box);
        (await import("/static/training/outcome.js")).showOutcome(box, result);
    }""", TRIALS)
    lines = page.locator("#outcome .parallel .trial")
    expect(lines).to_have_count(3)
    expect(page.locator("#outcome .parallel .name")).to_have_text(["learning_rate", "optimizer", "f1"])
    expect(lines.last).to_have_class("trial best")
    expect(lines.last.locator("title")).to_have_text("Trial 2: learning_rate 0.001, optimizer adamw, f1 71")
    expect(page.locator("#outcome .trial.unfinished")).to_have_count(1)
    places = [[float(place.split(",")[1]) for place in (line.get_attribute("points") or "").split()]
              for line in lines.all()]
    low, high = places[0], places[1]  # learning rates of 0.0001 and 0.01, on a logarithmic axis
    assert places[2][0] == pytest.approx((low[0] + high[0]) / 2)
    assert low[1] == places[2][1] != high[1] and high[2] > low[2] > places[2][2]
    expect(page.locator("#outcome table tbody tr")).to_have_count(4)
    pictures(visitor, "trials")

"""Keyboard, drafts, languages, dark mode, small screens, bad files, and Markdown that means harm."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.chat_page import ChatPage

PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
HARMFUL = """# Title <script>window.harmed = 1</script>

<img src=x onerror="window.harmed = 1"> [click](javascript:window.harmed=1) <div style="position:fixed">over</div>

**Bold**, `code`, $E = mc^2$ and $$\\int_0^1 x\\,dx$$ cost 5$ to 6$.

```python
def answer():
    return 42
```
"""


def test_enter_asks_shift_enter_breaks_the_line_and_a_draft_survives_a_reload(visit) -> None:
    page = visit().page
    chat = ChatPage(page).open()
    chat.field.press_sequentially("first")
    chat.field.press("Shift+Enter")
    chat.field.press_sequentially("second")
    assert chat.field.input_value() == "first\nsecond"
    page.reload()
    expect(chat.field).to_have_value("first\nsecond")
    expect(chat.exchanges).to_have_count(0)


def test_enter_that_chooses_a_word_of_an_input_method_does_not_ask(visit) -> None:
    chat = ChatPage(visit().page).open()
    chat.field.fill("图书馆")
    chat.field.evaluate("""field => field.dispatchEvent(
        new KeyboardEvent("keydown", {key: "Enter", isComposing: true, bubbles: true, cancelable: true}))""")
    expect(chat.field).to_have_value("图书馆")
    expect(chat.exchanges).to_have_count(0)


def test_slash_goes_to_the_question_and_escape_closes_a_menu(visit) -> None:
    page = visit().page
    chat = ChatPage(page).open()
    page.locator(".account-menu summary").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".account-menu .menu-panel")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".account-menu .menu-panel")).to_be_hidden()
    page.keyboard.press("/")
    expect(chat.field).to_be_focused()


def test_a_question_that_is_too_long_is_told_before_it_is_sent_and_stays(visit) -> None:
    chat = ChatPage(visit().page).open()
    text = "why " * 25_000
    chat.field.fill(text)
    expect(chat.page.locator("#counter")).to_contain_text("characters too many")
    expect(chat.page.locator("#send")).to_be_disabled()
    chat.field.press("Enter")
    assert chat.field.input_value() == text


def test_a_guest_asks_a_suggested_question_and_finds_it_again(visit) -> None:
    guest = visit()
    chat = ChatPage(guest.page).open()
    chat.page.locator(".suggestions button").first.click()
    chat.wait_for_end(chat.exchanges.last)
    chat.open()
    expect(chat.page.locator("#conversations li")).to_have_count(1)


def test_the_chosen_theme_is_remembered(visit) -> None:
    page = visit(color_scheme="light").page
    page.goto("/")
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_role("button", name="Light or dark").click()
    page.goto("/help/")
    assert page.locator("html").get_attribute("data-theme") == "dark"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != before


def test_the_whole_page_changes_its_language_scripts_included(visit) -> None:
    reader = visit(locale="zh-CN")
    chat = ChatPage(reader.page).open()
    expect(chat.page.locator("#question")).to_have_attribute("placeholder", "请提问…")
    exchange = chat.ask("上传的文件最大可以是多少？")
    expect(exchange.locator(".sources summary")).to_contain_text(re.compile("出处|最接近的段落"))
    reader.screenshot("9-chinese")
    chat.page.get_by_role("button", name="English").click()
    expect(chat.page.locator("html")).to_have_attribute("lang", "en")


@pytest.mark.parametrize("address", ["/", "/collections/", "/help/", "/sign-in/", "/sign-up/", "/no-such-page/"])
def test_a_phone_shows_each_page_without_sideways_scrolling(address: str, visit) -> None:
    phone = visit(**PHONE, color_scheme="dark")
    phone.page.goto(address)
    width = phone.page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390
    phone.screenshot(f"phone-{address.strip('/') or 'chat'}")


def test_a_phone_opens_the_list_of_conversations_as_a_drawer(visit) -> None:
    phone = visit(**PHONE)
    page = phone.page
    page.goto("/")
    expect(page.locator("#sidebar")).to_be_hidden()
    page.get_by_role("button", name="Conversations", exact=True).click()
    expect(page.get_by_role("link", name="New chat")).to_be_in_viewport()
    page.keyboard.press("Escape")
    expect(page.locator("#sidebar")).to_be_hidden()


def test_files_that_cannot_be_taken_are_told_one_by_one_and_the_others_go_on(visit, tmp_path) -> None:
    reader = visit().sign_up()
    page = reader.page
    page.goto("/collections/")
    page.locator("summary", has_text="New collection").click()
    page.get_by_label("Name").fill("Mixed")
    page.get_by_role("button", name="Make the collection").click()
    page.wait_for_url("**/collections/*-*/")
    contents = {"empty.txt": b"", "film.mp4": b"\x00ftyp", "binary.txt": bytes(range(256)) * 40,
                "good.txt": b"The ferry leaves at nine."}
    for name, data in contents.items():
        (tmp_path / name).write_bytes(data)
    page.locator("#files").set_input_files([tmp_path / name for name in contents])
    rows = {name: page.locator(".document", has=page.get_by_text(name)) for name in contents}
    expect(page.locator(".document", has_text="This file is empty.")).to_have_count(1)
    expect(page.locator(".document", has_text="Files of this type cannot be read.")).to_have_count(1)
    expect(rows["good.txt"].locator(".state")).to_have_text("Ready")
    expect(rows["binary.txt"].locator(".state")).to_have_text("Failed")
    expect(rows["binary.txt"].locator(".document-error")).to_contain_text("UTF-8")
    reader.screenshot("10-refused-files")

    page.locator("#files").set_input_files([tmp_path / "good.txt"])
    expect(page.get_by_text("good.txt is already in this collection.")).to_be_visible()
    expect(rows["good.txt"]).to_have_count(1)

    rows["good.txt"].get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(rows["good.txt"]).to_have_count(0)
    page.reload()
    expect(page.locator(".document", has_text="good.txt")).to_have_count(0)


def test_markdown_is_rendered_with_code_and_math_and_without_what_harms(visit) -> None:
    page = visit().page
    page.goto("/")
    shown = page.evaluate("""async (source) => {
        const { render } = await import("/static/chat/markdown.js");
        const box = document.createElement("div");
        box.append(await render(source));
        document.body.append(box);
        await new Promise((resolve) => { requestAnimationFrame(() => requestAnimationFrame(resolve)); });
        return { html: box.innerHTML, harmed: window.harmed ?? null,
                 links: [...box.querySelectorAll("a")].map((link) => link.href) };
    }""", HARMFUL)
    assert shown["harmed"] is None
    html = shown["html"]
    assert not re.search(r"<(script|img|style|iframe|form)\b|<[^>]+\s(on\w+|style)=", html)
    assert not any(link.startswith("javascript:") for link in shown["links"])
    assert "<strong>Bold</strong>" in html and "hljs-keyword" in html
    assert html.count("<math") == 2 and "5$ to 6$" in html


def test_a_markdown_answer_keeps_its_marks_and_chips(visit) -> None:
    page = visit().page
    page.goto("/")
    html = page.evaluate("""async () => {
        const { markdownAnswer } = await import("/static/chat/markdown.js");
        const quote = "The tower is **330 metres** tall 🗼.";
        const citation = { quote, start: 10, end: 46, span_start: 25, span_end: 35, url: "/documents/x/",
            title: "Tower" };
        const box = document.createElement("div");
        box.append(await markdownAnswer({ answer: quote, citations: [citation], format: "markdown" }));
        return box.innerHTML;
    }""")
    assert "<mark>330 metres</mark>" in html
    assert re.search(r'<a class="chip" href="/documents/x/"[^>]*>1</a>', html)


def test_the_text_around_a_passage_comes_as_it_is_wanted_and_does_not_push_it_away(visit, person) -> None:
    text = "".join(f"Line {number} of the log says {number * 7 % 1000}.\n" for number in range(3_000))
    person.add_collection(log=text)
    document = person.get("/api/v1/documents/")["results"][0]
    reader = visit()
    reader.context.add_cookies([{"name": "sessionid", "value": person.http.cookies["sessionid"],
                                 "url": reader.site.address}])
    page = reader.page
    start = text.index("Line 1500 ")
    page.goto(f"{document['url']}?start={start}&end={start + 20}")
    passage, shown = page.locator("#passage"), page.locator(".document-text .text")
    expect(passage).to_be_in_viewport()
    assert "Line 1100 " not in shown.text_content()
    before = passage.bounding_box()["y"]
    page.locator(".earlier").evaluate("button => button.click()")
    expect(shown).to_contain_text("Line 1100 ")
    assert abs(passage.bounding_box()["y"] - before) < 2
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    expect(shown).to_contain_text("Line 2100 ")
    assert text.strip().find(shown.text_content()) >= 0, "no character of the text is changed, lost or doubled"


def test_files_are_added_by_dropping_them_anywhere_on_the_page(visit) -> None:
    page = visit().sign_up().page
    page.goto("/collections/")
    page.locator("summary", has_text="New collection").click()
    page.get_by_label("Name").fill("Dropped")
    page.get_by_role("button", name="Make the collection").click()
    page.wait_for_url("**/collections/*-*/")  # loaded, so that the page listens
    dropped = page.evaluate_handle("""() => {
        const transfer = new DataTransfer();
        transfer.items.add(new File(["The ferry leaves at nine."], "ferry.txt", { type: "text/plain" }));
        transfer.items.add(new File(["# The inn\\n\\nThe inn has six rooms."], "inn.md", { type: "text/markdown" }));
        return transfer;
    }""")
    for kind in ("dragenter", "dragover", "drop"):
        page.dispatch_event("main", kind, {"dataTransfer": dropped})
    for name in ("ferry.txt", "inn.md"):
        expect(page.locator(".document", has_text=name).locator(".state")).to_have_text("Ready")

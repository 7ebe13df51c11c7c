// One summary on the page: how far it is, its sentences, each linked to its place, its sections, its buttons.
import { copy } from "../site/notices.js";
import { percent } from "../site/numbers.js";

/** "Short · Bullet points · 61 words" */
export function labelOf({ options, done, error, isRunning }) {
  const { length, style } = options;
  const isTerms = style === "key_terms";
  const size = { short: gettext("Short"), medium: gettext("Medium"), long: gettext("Long") }[length]
    ?? interpolate(isTerms ? ngettext("%s term", "%s terms", length) : ngettext("%s word", "%s words", length), [length]);
  const form = {
    paragraph: gettext("Paragraph"), bullets: gettext("Bullet points"), sentence: gettext("One sentence"),
    key_terms: gettext("Key terms"),
  }[style];
  const state = isRunning ? [gettext("in the making")] : error ? [gettext("not finished")] : [];
  const words = done && !isTerms ? [interpolate(ngettext("%s word", "%s words", done.words), [done.words])] : [];
  return [...(style === "sentence" ? [] : [size]), form, ...words, ...state].join(" · ");
}

export class SummaryCard {
  constructor({ pane, onPick, onStop, onAgain, onClose, choices }) {
    Object.assign(this, { pane, onPick, choices, summary: null });
    this.element = document.importNode(document.getElementById("card-template").content.firstElementChild, true);
    this.part = (name) => this.element.querySelector(name);
    this.links = new WeakMap(); // what a link leads to: [start, end]
    this.part(".versions").addEventListener("change", (event) => onPick(this.offered[event.target.selectedIndex]));
    const actions = { copy: () => copy(this.summary.text), stop: () => onStop(this.summary), again: () => onAgain(this.summary), close: onClose };
    this.element.addEventListener("click", (event) => {
      const action = event.target.closest("[data-action]")?.dataset.action;
      if (action) actions[action]();
      const link = event.target.closest("a.place");
      if (!link) return;
      event.preventDefault();
      this.clickedAt = [event.screenX, event.screenY];
      this.#activate(link, true);
    });
    for (const [kind, isOver] of [["mouseover", true], ["focusin", true], ["mouseout", false], ["focusout", false]]) {
      this.element.addEventListener(kind, (event) => {
        const link = event.target.closest("a.place");
        // A click scrolls the page, and another sentence may come to lie under a pointer that has not moved.
        const [x, y] = this.clickedAt ?? [];
        if (event.type.startsWith("mouse") && event.screenX === x && event.screenY === y) return;
        if (link && isOver) this.#activate(link, false);
        else if (link && !this.pinned) this.#activate(null);
      });
    }
  }

  /** Where the summary's sentences stand. */
  get ranges() {
    return (this.summary?.done?.sentences ?? [])
      .flatMap((sentence) => sentence.sources.length ? sentence.sources : [sentence])
      .filter((place) => place.start !== null).map((place) => [place.start, place.end]);
  }

  show(summary) {
    this.summary = summary;
    this.pinned = null;
    this.render();
  }

  showClosable(isClosable) { this.part("[data-action=close]").hidden = !isClosable; }

  /** The summaries that can be shown here. */
  list() {
    this.offered = this.choices();
    const select = this.part(".versions");
    select.replaceChildren(...this.offered.map((summary) => new Option(labelOf(summary))));
    select.selectedIndex = this.offered.indexOf(this.summary);
  }

  render() {
    const { summary } = this;
    const { done, error, isRunning } = summary;
    this.element.setAttribute("aria-busy", String(isRunning));
    this.part(".summary-status").hidden = !isRunning;
    if (isRunning) this.#renderProgress();
    this.part(".summary-error").hidden = !error;
    if (error) {
      this.part(".summary-error span").textContent = error.message;
      this.part(".summary-error").classList.toggle("stopped", error.code === "cancelled");
      this.part("[data-action=again]").hidden = !error.retryable;
    }
    this.part("[data-action=copy]").hidden = !done;
    this.part(".fallback").hidden = !done?.fallback;
    this.part(".summary-text").replaceChildren(...(done ? this.#sentences(done) : summary.text ? [plain(summary.text)] : []));
    this.#renderFacts();
    this.#renderSections();
    if (done) this.pane.mark(this.ranges);
  }

  #renderProgress() {
    const { progress, isStopping } = this.summary;
    const bar = this.part("progress");
    const steps = {
      choosing: gettext("Reading section %s of %s…"), writing: gettext("Writing…"), checking: gettext("Checking…"),
    };
    const isCounted = progress?.stage === "choosing" && progress.total > 0;
    if (isCounted) bar.value = progress.done / progress.total;
    else bar.removeAttribute("value");
    const words = isCounted
      ? interpolate(steps.choosing, [Math.min(progress.done + 1, progress.total), progress.total])
      : progress ? steps[progress.stage] : gettext("Choosing the sentences…");
    const line = isStopping ? gettext("Stopping…") : words;
    if (this.part(".summary-status span").textContent !== line) this.part(".summary-status span").textContent = line;
    this.part("[data-action=stop]").disabled = Boolean(isStopping);
  }

  #sentences(done) {
    if (done.method === "quoted" && (done.style === "key_terms" || done.style === "bullets")) {
      const list = document.createElement("ul");
      list.className = done.style === "key_terms" ? "terms" : "";
      list.append(...done.sentences.map((sentence) => { const item = document.createElement("li"); item.append(this.#link(sentence)); return item; }));
      return [list];
    }
    const box = document.createElement(done.method === "written" ? "div" : "p");
    if (done.method === "written") box.className = "written";
    box.append(...this.#linked(done.summary, done.sentences));
    return [box];
  }

  /** A text with its sentences linked to where they stand, or to what supports them; what nothing supports is marked. */
  #linked(text, sentences) {
    const nodes = [];
    let at = 0;
    for (const sentence of sentences) {
      const from = text.indexOf(shown(sentence), at);
      if (from < 0) continue;
      nodes.push(text.slice(at, from), this.#link(sentence));
      if (!sentence.supported) {
        nodes.push(" ", Object.assign(document.createElement("small"), {
          className: "unsupported-note", textContent: gettext("not supported"),
          title: gettext("No part of the text that was looked at supports this sentence."),
        }));
      }
      at = from + shown(sentence).length;
    }
    return [...nodes, text.slice(at)];
  }

  #link(sentence) {
    const hasPlace = sentence.start !== null;
    const link = document.createElement(hasPlace ? "a" : "span");
    link.className = hasPlace ? "place" : "unsupported";
    link.append(shown(sentence));
    if (!hasPlace) return link;
    link.href = "#source-pane";
    link.title = sentence.page ? interpolate(gettext("Page %s"), [sentence.page]) : "";
    this.links.set(link, [sentence.start, sentence.end]);
    return link;
  }

  #activate(link, isClicked = false) {
    if (isClicked) {
      this.pane.mark(this.ranges);
      this.element.parentElement.querySelectorAll("a.place.active").forEach((other) => other.classList.remove("active"));
      this.pinned = link;
      link.classList.add("active");
    }
    const shown = link ?? this.pinned;
    this.pane.point(shown ? this.links.get(shown) : null, { scroll: isClicked });
  }

  #renderFacts() {
    const { done } = this.summary;
    const facts = this.part(".summary-facts");
    facts.hidden = !done;
    if (!done) return;
    const language = document.documentElement.lang;
    const seconds = ((done.timings.total_ms ?? 0) / 1000).toLocaleString(language, { maximumFractionDigits: 1 });
    const share = interpolate(gettext("%s of %s words"), [done.words.toLocaleString(language), done.source_words.toLocaleString(language)]);
    const supported = done.supported === null || done.supported === undefined ? []
      : [interpolate(gettext("%s of the sentences supported by the text"), [percent(done.supported)])];
    const time = interpolate(gettext("%s s"), [seconds]);
    facts.textContent = [done.style === "key_terms" ? "" : share, ...supported, time, done.style === "key_terms" ? "" : done.model].filter(Boolean).join(" · ");
  }

  #renderSections() {
    const { sections } = this.summary;
    const box = this.part(".sections");
    const list = box.querySelector("ol");
    box.hidden = !sections.length;
    box.querySelector("summary span").textContent = interpolate(ngettext("%s section", "%s sections", sections.length), [sections.length]);
    if (list.dataset.of === String(this.summary.key) && list.children.length <= sections.length && this.summary.isRunning) {
      list.append(...sections.slice(list.children.length).map((section, index) => this.#section(section, list.children.length + index)));
    } else {
      list.replaceChildren(...sections.map((section, index) => this.#section(section, index)));
    }
    list.dataset.of = this.summary.key;
  }

  #section(section, index) {
    const item = document.createElement("li");
    const title = document.createElement("a");
    title.className = "place section-title";
    title.href = "#source-pane";
    title.textContent = section.title || interpolate(gettext("Part %s"), [index + 1]);
    this.links.set(title, [section.start, Math.min(section.end, section.start + (section.title.length || 1))]);
    item.append(title);
    if (section.first_page) {
      const { first_page: first, last_page: last } = section;
      item.append(" ", Object.assign(document.createElement("small"), {
        className: "muted", textContent: interpolate(gettext("p. %s"), [first === last ? first : `${first}–${last}`]),
      }));
    }
    const text = document.createElement("p");
    text.append(...this.#linked(section.summary, section.sentences));
    item.append(text);
    return item;
  }
}

/** As the summary has it; summaries from before `shown` was kept have their sentences on one line. */
function shown(sentence) { return sentence.shown || sentence.text.split(/\s+/).join(" "); }

function plain(text) {
  return Object.assign(document.createElement("div"), { className: "written", textContent: text });
}

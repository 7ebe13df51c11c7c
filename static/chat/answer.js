// One answer on the page: applies its events, shows text with marks and citations, confidence, sources, and its buttons.
import { call } from "../site/api.js";
import { copy, toast } from "../site/notices.js";
import { percent } from "../site/numbers.js";
import { conclusion } from "./conclusion.js";
import { graphLine } from "./graph.js";
import { answerNodes } from "./quotes.js";
import { sourceItems } from "./sources.js";

const CONFIDENT = 0.75;
const FAIRLY_SURE = 0.45;

/** Whether it is the knowledge graph's own answer, for which there is no confidence that was measured. */
const isFromGraph = (done) => done.verification?.graph?.verdict === "answered";
/** Whether a text generator wrote it; it is quoted otherwise. */
const isWritten = (done) => done.verification?.method === "generator";

export class Answer {
  /** @param saved an answer's row {id, key, status, text, payload, feedback}, or null for one just asked for. */
  constructor(exchange, saved) {
    this.exchange = exchange;
    this.id = saved?.id ?? null;
    this.key = saved?.key ?? null;
    this.seq = 0;
    this.isRunning = true;
    this.done = null;
    this.feedback = saved?.feedback ?? null;
    this.element = document.importNode(document.getElementById("answer-template").content.firstElementChild, true);
    this.parts = new Proxy({}, { get: (_, name) => this.element.querySelector(`.${name}`) });
    this.element.addEventListener("click", (event) => this.#clicked(event));
    this.parts["note-form"].addEventListener("submit", (event) => { event.preventDefault(); this.#sendNote(); });
    this.#clear();
    if (saved && saved.status !== "running") this.#restore(saved);
  }

  apply(event) {
    if (event.type === "start") this.#clear();
    else if (event.type === "sources") this.#sources(event.sources);
    else if (event.type === "delta") this.#append(event.text);
    else if (event.type === "done") this.#finish(event);
    else if (event.type === "error") this.#fail(event);
  }

  showStopping() { this.parts["answer-step"].textContent = gettext("Stopping…"); }

  /** Which version of how many this is. */
  showPlace(place, count) {
    this.parts.versions.hidden = count < 2;
    this.parts.versions.querySelector("span").textContent = `${place} / ${count}`;
    const [older, newer] = this.parts.versions.querySelectorAll("button");
    older.disabled = place === 1;
    newer.disabled = place === count;
  }

  #clear() {
    this.isRunning = true;
    this.text = "";
    this.parts["answer-text"].replaceChildren();
    this.parts["answer-text"].setAttribute("aria-busy", "true");
    this.parts["answer-status"].hidden = false;
    this.parts["answer-step"].textContent = gettext("Searching the documents…");
    for (const name of ["abstained", "nothing-there", "answer-error", "answer-stopped", "answer-fallback", "answer-meta", "conclusion",
      "graph-says", "sources", "answer-actions", "note-form"]) this.parts[name].hidden = true;
  }

  #restore({ status, text, payload }) {
    if (status === "done") { this.#finish(payload); return; }
    if (payload.sources?.length) this.#list(payload.sources, gettext("What was being read"));
    if (text) this.#append(text);
    this.#fail(payload);
  }

  #sources(sources) {
    if (!sources.length) return;
    this.parts["answer-step"].textContent = interpolate(
      ngettext("Reading %s passage…", "Reading %s passages…", sources.length), [sources.length]);
    this.#list(sources, gettext("What is being read"));
  }

  #append(text) {
    this.text += text;
    this.parts["answer-text"].replaceChildren(...answerNodes({ answer: this.text, citations: [], format: "plain" }));
  }

  #end() {
    this.isRunning = false;
    this.parts["answer-text"].setAttribute("aria-busy", "false");
    this.parts["answer-status"].hidden = true;
    this.parts["answer-actions"].hidden = false;
    const hasAnswer = Boolean(this.text);
    this.#button("copy").hidden = !hasAnswer;
    this.#button("regenerate").hidden = false;
    for (const action of ["helpful", "unhelpful"]) this.#button(action).hidden = this.done === null;
    this.#showFeedback();
  }

  async #finish(done) {
    this.done = done;
    this.text = done.answer;
    const isQuoted = !done.abstained && !isFromGraph(done);
    const shown = isQuoted ? done.citations : done.nearest;
    this.#end();
    if (done.abstained) {
      this.element.querySelector(shown.length ? ".abstained" : ".nothing-there").hidden = false;
      this.parts["answer-text"].replaceChildren();
    } else {
      if (!isFromGraph(done)) this.#showConfidence(done);
      if (done.format === "markdown") await this.#showMarkdown(done);
      else this.parts["answer-text"].replaceChildren(...answerNodes(done));
      this.#showConclusion(done.verification ?? {});
      this.#showGraph(done.verification?.graph);
    }
    this.parts["answer-fallback"].hidden = !done.verification?.fallback;
    if (done.question && done.question !== this.exchange.question.text) this.#showSearched(done.question);
    this.#list(shown, isQuoted ? gettext("Sources") : gettext("Nearest passages"), true);
    if (done.abstained) this.parts.sources.open = true;
  }

  /** What was worked out from the passages quoted below, or that they contradict each other. */
  #showConclusion(verification) {
    const said = conclusion(verification);
    this.parts.conclusion.hidden = !said;
    if (!said) return;
    this.parts.conclusion.querySelector("strong").textContent = said.answer;
    this.parts.conclusion.querySelector("span").textContent = said.how;
  }

  /** What the knowledge graph says of the answer, where it says anything. */
  #showGraph(says) {
    const line = graphLine(says);
    this.parts["graph-says"].hidden = !line;
    this.parts["graph-says"].replaceChildren(...(line ?? []));
    this.parts["graph-says"].classList.toggle("otherwise", says?.verdict === "contradicted");
  }

  async #showMarkdown(done) {
    try {
      const nodes = isWritten(done) ? (await import("./written.js")).writtenAnswer(done)
        : (await import("./markdown.js")).markdownAnswer(done);
      this.parts["answer-text"].replaceChildren(await nodes);
    } catch {
      this.parts["answer-text"].replaceChildren(...answerNodes(done)); // the text itself is never held back
    }
  }

  #fail({ code, message, retryable }) {
    this.done = null;
    this.#end();
    const isStopped = code === "cancelled";
    this.parts["answer-stopped"].hidden = !isStopped;
    this.parts["answer-error"].hidden = isStopped;
    this.parts["answer-error"].querySelector("span").textContent = message ?? "";
    this.parts["answer-error"].querySelector("button").hidden = !retryable;
    this.#button("regenerate").hidden = !isStopped; // the error has its own button
    this.parts.sources.open = false;
  }

  #showConfidence(done) {
    const { confidence } = done;
    let words = confidence >= CONFIDENT ? gettext("Very likely right")
      : confidence >= FAIRLY_SURE ? gettext("Probably right") : gettext("Uncertain – check the source");
    const box = this.parts.confidence;
    if (isWritten(done)) {
      words = gettext("Sentences that the documents support");
      box.title = gettext("Compared with the passages by meaning and by words, which proves nothing.");
    }
    box.querySelector("meter").value = confidence;
    box.querySelector("meter").setAttribute("aria-label", gettext("Confidence"));
    box.querySelector("span").textContent = `${words} · ${percent(confidence)}`;
    this.parts["answer-meta"].hidden = false;
  }

  #showSearched(question) {
    this.parts.searched.textContent = interpolate(gettext("Searched for: %s"), [question]);
    this.parts.searched.hidden = false;
    this.parts["answer-meta"].hidden = false;
    this.parts.confidence.hidden = this.done.abstained || isFromGraph(this.done);
  }

  #list(citations, heading, isNumbered = false) {
    this.parts.sources.hidden = !citations.length;
    this.parts.sources.querySelector("summary span").textContent = `${heading} (${citations.length})`;
    this.parts["source-list"].replaceChildren(...sourceItems(citations, isNumbered));
  }

  #button(action) { return this.element.querySelector(`.answer-actions [data-action=${action}]`); }

  #clicked(event) {
    const action = event.target.closest("[data-action]")?.dataset.action;
    if (action === "copy") copy(this.text);
    if (action === "regenerate") this.exchange.regenerate(this);
    if (action === "older") this.exchange.step(-1);
    if (action === "newer") this.exchange.step(1);
    if (action === "helpful") this.#judge(true);
    if (action === "unhelpful") this.#judge(false);
  }

  async #judge(helpful) {
    const before = this.feedback;
    this.feedback = { helpful, note: before?.note ?? "" };
    this.#showFeedback();
    const form = this.parts["note-form"];
    form.hidden = false;
    form.querySelector("input").value = this.feedback.note;
    form.querySelector("input").focus();
    try {
      await this.#sendFeedback();
    } catch (error) {
      this.feedback = before;
      this.#showFeedback();
      form.hidden = true;
      toast(error.message, { error: true });
    }
  }

  async #sendNote() {
    const form = this.parts["note-form"];
    this.feedback.note = form.querySelector("input").value;
    try {
      await this.#sendFeedback();
      form.hidden = true;
      toast(gettext("Thank you for telling."));
    } catch (error) {
      toast(error.message, { error: true });
    }
  }

  #sendFeedback() {
    return call("/api/v1/feedback/", { method: "POST", json: { message: this.id, ...this.feedback } });
  }

  #showFeedback() {
    this.#button("helpful").setAttribute("aria-pressed", String(this.feedback?.helpful === true));
    this.#button("unhelpful").setAttribute("aria-pressed", String(this.feedback?.helpful === false));
  }
}

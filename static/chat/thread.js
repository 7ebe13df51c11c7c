// The questions of a conversation with their answers, as they stand on the page.
import { Answer } from "./answer.js";
import { copy } from "../site/notices.js";

const template = (name) => document.getElementById(name).content.firstElementChild;

export class Thread {
  constructor(element, { onEdit, onRegenerate }) {
    Object.assign(this, { element, onEdit, onRegenerate });
    this.exchanges = [];
  }

  /** @param saved {question: {id, text}, answers: [...]} as the server sends them, oldest version first. */
  add(saved) {
    const exchange = new Exchange(this, saved);
    this.exchanges.push(exchange);
    this.element.append(exchange.element);
    return exchange;
  }

  /** Takes this question and all that follow it off the page: an edited one takes their place. Returns them. */
  dropFrom(questionId) {
    const first = this.exchanges.findIndex((exchange) => exchange.question.id === questionId);
    if (first < 0) return [];
    const dropped = this.exchanges.splice(first);
    for (const exchange of dropped) exchange.element.remove();
    return dropped;
  }

  /** Puts back what `dropFrom` took. */
  putBack(exchanges) {
    this.exchanges.push(...exchanges);
    this.element.append(...exchanges.map((exchange) => exchange.element));
  }

  remove(exchange) {
    this.exchanges = this.exchanges.filter((other) => other !== exchange);
    exchange.element.remove();
  }

  running() {
    return this.exchanges.flatMap((exchange) => exchange.versions)
      .filter((view) => view.isRunning && view.id).map((view) => ({ view }));
  }

  hasKey(key) { return this.exchanges.some((exchange) => exchange.versions.some((view) => view.key === key)); }

  withAnswer(id) { return this.exchanges.find((exchange) => exchange.versions.some((view) => view.id === id)); }

  editLast() {
    const last = this.exchanges.at(-1);
    if (!last?.question.id) return false;
    last.edit();
    return true;
  }
}

class Exchange {
  constructor(thread, { question, answers }) {
    this.thread = thread;
    this.question = question;
    this.versions = [];
    this.shown = null;
    this.element = document.importNode(template("exchange-template"), true);
    this.text = this.element.querySelector(".question-text");
    this.tools = this.element.querySelector(".question-tools");
    this.form = this.element.querySelector(".edit-form");
    this.text.textContent = question.text;
    this.element.querySelector(".question").addEventListener("click", (event) => this.#clicked(event));
    this.form.addEventListener("submit", (event) => { event.preventDefault(); this.#submit(); });
    this.form.addEventListener("keydown", (event) => {
      if (event.isComposing || event.keyCode === 229) return;
      if (event.key === "Enter" && !event.shiftKey) { event.preventDefault(); this.#submit(); }
      if (event.key === "Escape") { event.preventDefault(); this.edit(false); }
    });
    for (const answer of answers) this.#version(new Answer(this, answer));
    this.#showVersion(this.versions.length - 1);
  }

  /** The newest answer that the server knows. */
  get lastAnswerId() { return this.versions.findLast((view) => view.id)?.id ?? null; }

  /** A new answer to the same question, running and without an id as yet. */
  addVersion() {
    const view = new Answer(this, null);
    this.#version(view);
    this.#showVersion(this.versions.length - 1);
    return view;
  }

  /** Takes a version away again that was never begun. */
  dropVersion(view) {
    this.versions = this.versions.filter((other) => other !== view);
    this.#showVersion(this.versions.length - 1);
  }

  edit(isOpen = true) {
    this.form.hidden = !isOpen;
    this.text.hidden = this.tools.hidden = isOpen;
    if (!isOpen) return;
    const field = this.form.querySelector("textarea");
    field.value = this.question.text;
    field.focus();
    field.setSelectionRange(field.value.length, field.value.length);
  }

  show() { this.element.scrollIntoView({ block: "start", behavior: "smooth" }); }

  regenerate(view) {
    if (this.lastAnswerId) this.thread.onRegenerate(view);
    else this.#submitText(this.question.text);
  }

  step(by) { this.#showVersion(this.versions.indexOf(this.shown) + by); }

  #version(view) { this.versions.push(view); }

  #showVersion(index) {
    const view = this.versions[Math.max(0, Math.min(index, this.versions.length - 1))];
    if (!view) return;
    if (this.shown) this.shown.element.replaceWith(view.element);
    else this.element.append(view.element);
    this.shown = view;
    view.showPlace(this.versions.indexOf(view) + 1, this.versions.length);
  }

  #clicked(event) {
    const action = event.target.closest("[data-action]")?.dataset.action;
    if (action === "copy-question") copy(this.question.text);
    if (action === "edit") this.edit();
    if (action === "cancel-edit") this.edit(false);
  }

  #submit() {
    const text = this.form.querySelector("textarea").value.trim();
    if (text) this.#submitText(text);
  }

  #submitText(text) {
    const wasAsked = this.thread.onEdit(this.question.id, text);
    if (wasAsked && this.question.id === null) this.thread.remove(this); // it was refused before: nothing to replace
  }
}

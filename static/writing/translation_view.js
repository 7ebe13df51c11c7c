// The translation: sentence by sentence, each showing where it comes from, how sure it is, and what else it could be.
import { call } from "../site/api.js";
import { percent } from "../site/numbers.js";
import { toast } from "../site/notices.js";

const UNSURE = 0.35;

export class TranslationView {
  constructor(element, { onPoint, alternativesOf }) {
    this.element = element;
    this.placeholder = element.firstElementChild;
    this.popover = document.getElementById("alternatives");
    this.onPoint = onPoint;
    this.alternativesOf = alternativesOf;
    element.addEventListener("mouseover", (event) => this.#point(event.target));
    element.addEventListener("mouseleave", () => this.#point(null));
    element.addEventListener("focusin", (event) => this.#point(event.target));
    element.addEventListener("click", (event) => this.#choose(event.target.closest(".sentence")));
    element.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      this.#choose(event.target.closest(".sentence"));
    });
  }

  get text() { return this.element.textContent; }

  clear() {
    this.#reset();
    this.element.replaceChildren(this.placeholder);
  }

  /** The old translation stays, paler, until the new one begins. */
  wait() {
    if (this.popover.matches(":popover-open")) this.popover.hidePopover();
    if (this.element.contains(this.placeholder) || this.element.classList.contains("failed")) this.element.replaceChildren();
    this.element.classList.remove("failed");
    this.element.setAttribute("aria-busy", "true");
  }

  begin(language) {
    this.element.lang = language;
    this.fresh = true;
  }

  append(text) {
    if (this.fresh) this.element.replaceChildren();
    this.fresh = false;
    this.element.append(text);
  }

  show(event, source) {
    this.#reset();
    const text = [...event.translation];
    const original = [...source];
    const flagged = new Set(event.flags.map((flag) => flag.sentence));
    const nodes = [];
    let at = 0;
    event.sentences.forEach((sentence, number) => {
      const [start, end] = sentence.target;
      nodes.push(text.slice(at, start).join(""));
      const part = document.createElement("span");
      part.className = "sentence";
      part.tabIndex = 0;
      part.setAttribute("role", "button");
      part.dataset.number = number;
      part.sureness = Math.exp(sentence.score);
      part.original = original.slice(...sentence.source).join("");
      part.textContent = text.slice(start, end).join("");
      part.classList.toggle("unsure", part.sureness < UNSURE);
      part.classList.toggle("flagged", flagged.has(number));
      nodes.push(part);
      at = end;
    });
    nodes.push(text.slice(at).join(""));
    this.element.replaceChildren(...nodes);
  }

  fail(message) {
    this.#reset();
    this.element.replaceChildren(message);
    this.element.classList.add("failed");
  }

  /** Marks sentence number `index`; -1 marks none. */
  light(index) {
    this.element.querySelectorAll(".sentence").forEach((part, number) => part.classList.toggle("lit", number === index));
  }

  #reset() {
    this.element.classList.remove("failed");
    this.element.setAttribute("aria-busy", "false");
  }

  #point(target) {
    const part = target?.closest?.(".sentence");
    const index = part ? Number(part.dataset.number) : -1;
    this.light(index);
    this.onPoint(index);
  }

  async #choose(part) {
    if (!part || getSelection().toString()) return;
    const sure = document.getElementById("alternatives-sure");
    const list = this.popover.querySelector("ul");
    sure.textContent = interpolate(gettext("How sure the model is: %s. Looking for others…"), [percent(part.sureness)]);
    list.replaceChildren();
    this.popover.showPopover();
    this.#place(part);
    try {
      const found = await call("/api/v1/translate", { method: "POST", json: this.alternativesOf(part.original) });
      const others = [found.translation, ...found.alternatives].filter((text) => text !== part.textContent);
      sure.textContent = interpolate(others.length ? gettext("How sure the model is: %s. Instead:")
        : gettext("How sure the model is: %s. It has no other translation."), [percent(part.sureness)]);
      list.replaceChildren(...others.map((text) => this.#item(text, part)));
      this.#place(part);
    } catch (error) {
      this.popover.hidePopover();
      toast(error.message, { error: true });
    }
  }

  #item(text, part) {
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = text;
    button.addEventListener("click", () => {
      part.textContent = text;
      part.classList.remove("unsure");
      this.popover.hidePopover();
      part.focus();
    });
    item.append(button);
    return item;
  }

  #place(part) {
    const box = part.getClientRects()[0] ?? part.getBoundingClientRect();
    const own = this.popover.getBoundingClientRect();
    const below = box.bottom + 6 + own.height < innerHeight;
    this.popover.style.left = `${Math.max(8, Math.min(box.left, innerWidth - own.width - 8))}px`;
    this.popover.style.top = `${below ? box.bottom + 6 : Math.max(8, box.top - own.height - 6)}px`;
  }
}

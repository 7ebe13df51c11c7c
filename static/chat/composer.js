// Where a question is written: Enter asks, Shift+Enter breaks the line, the draft and the chosen collections are kept.

const WARN_FROM = 0.9;
const COLLECTIONS = "collections";

export class Composer {
  constructor(form, { limit, draftName, onAsk, onStop, onEditLast }) {
    Object.assign(this, { form, limit, draftName, onAsk });
    this.field = form.querySelector("textarea");
    this.counter = document.getElementById("counter");
    this.sendButton = document.getElementById("send");
    this.stopButton = document.getElementById("stop");
    this.picker = document.getElementById("picker");
    this.isRunning = false;

    this.field.value = read(this.draftName()) ?? "";
    this.field.addEventListener("input", () => this.#changed());
    this.field.addEventListener("keydown", (event) => {
      // While an input method composes (Chinese, Japanese…), Enter chooses a word and must not send.
      if (event.isComposing || event.keyCode === 229) return;
      if (event.key === "Enter" && !event.shiftKey) {
        event.preventDefault();
        this.#ask();
      } else if (event.key === "ArrowUp" && !this.field.value) {
        if (onEditLast()) event.preventDefault();
      }
    });
    form.addEventListener("submit", (event) => { event.preventDefault(); this.#ask(); });
    this.stopButton.addEventListener("click", () => { onStop(); this.focus(); });
    this.picker.addEventListener("change", () => this.#picked());
    this.#restorePicked();
    this.#changed();
  }

  get text() { return this.field.value; }
  set text(value) { this.field.value = value; this.#changed(); }

  /** Ids of the collections to ask; none means all. */
  get collections() {
    return [...this.picker.querySelectorAll("input:checked")].map((box) => box.value);
  }

  focus() { this.field.focus(); }

  showRunning(isRunning) {
    this.isRunning = isRunning;
    this.stopButton.hidden = !isRunning;
    this.sendButton.hidden = isRunning;
  }

  dropDraft() { write(this.draftName(), null); }

  #ask() {
    const text = this.field.value.trim();
    if (!text || this.isRunning || length(text) > this.limit) { this.focus(); return; }
    if (this.onAsk(text) === false) return;
    this.field.value = "";
    this.#changed();
    this.focus();
  }

  #changed() {
    write(this.draftName(), this.field.value || null);
    this.field.style.height = "auto";
    this.field.style.height = `${this.field.scrollHeight}px`;
    const count = length(this.field.value.trim());
    const isOver = count > this.limit;
    this.sendButton.disabled = count === 0 || isOver;
    this.counter.hidden = count < WARN_FROM * this.limit;
    this.counter.classList.toggle("over", isOver);
    this.counter.textContent = isOver
      ? interpolate(gettext("%s characters too many. Put long texts into a collection."), [count - this.limit])
      : `${count} / ${this.limit}`;
  }

  #picked() {
    const chosen = [...this.picker.querySelectorAll("input:checked")];
    const label = this.picker.querySelector("summary span");
    if (!chosen.length) label.textContent = label.dataset.all;
    else if (chosen.length === 1) label.textContent = chosen[0].closest("label").querySelector("span").textContent;
    else label.textContent = interpolate(ngettext("%s collection", "%s collections", chosen.length), [chosen.length]);
    write(COLLECTIONS, chosen.length ? JSON.stringify(this.collections) : null);
  }

  /** A conversation remembers its own; a new one starts with what was chosen last. */
  #restorePicked() {
    if (!this.form.closest("main").dataset.conversation) {
      let kept = [];
      try { kept = JSON.parse(read(COLLECTIONS)) ?? []; } catch { /* none */ }
      const asked = new URLSearchParams(location.search).getAll("collection");
      for (const box of this.picker.querySelectorAll("input")) {
        box.checked = (asked.length ? asked : kept).includes(box.value);
      }
    }
    this.#picked();
  }
}

/** Characters as the server counts them: code points, not UTF-16 units. */
function length(text) {
  return Array.from(text).length;
}

function read(name) {
  try { return localStorage.getItem(name); } catch { return null; }
}

function write(name, value) {
  try {
    if (value === null) localStorage.removeItem(name);
    else localStorage.setItem(name, value);
  } catch { /* not kept */ }
}

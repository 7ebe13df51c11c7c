// The text to translate: a field over a mirror of itself, in which the sentence that is pointed at is marked.

const format = new Intl.NumberFormat(document.documentElement.lang);

export class TranslatedField {
  constructor(root, { onChange, onPoint }) {
    this.field = root.querySelector("#text");
    this.mirror = root.querySelector("#mirror");
    this.count = root.querySelector("#text-count");
    this.clearButton = root.querySelector("#clear");
    this.formats = root.querySelector("#format");
    this.limit = Number(root.dataset.limit);
    this.ranges = [];
    this.onPoint = onPoint;
    this.field.addEventListener("input", () => { this.#changed(); onChange(); });
    this.formats.addEventListener("change", onChange);
    this.clearButton.addEventListener("click", () => { this.text = ""; onChange(); this.field.focus(); });
    this.field.addEventListener("mousemove", (event) => this.#point(this.#at(event)));
    this.field.addEventListener("mouseleave", () => this.#point(-1));
    for (const kind of ["keyup", "click"]) this.field.addEventListener(kind, () => this.#caret());
    this.#changed();
  }

  get text() { return this.field.value; }

  set text(text) { this.field.value = text; this.#changed(); }

  get format() { return this.formats.value; }

  get isTooLong() { return [...this.text].length > this.limit; }

  /** Which parts are sentences, so that they can be pointed at. */
  showSentences(ranges) {
    const text = [...this.text]; // the site counts characters, scripts count UTF-16 units
    this.ranges = ranges;
    const nodes = [];
    let at = 0;
    ranges.forEach(([start, end]) => {
      nodes.push(text.slice(at, start).join(""));
      const part = document.createElement("span");
      part.textContent = text.slice(start, end).join("");
      nodes.push(part);
      at = end;
    });
    nodes.push(`${text.slice(at).join("")}\n`);
    this.mirror.replaceChildren(...nodes);
  }

  /** Marks sentence number `index`; -1 marks none. */
  light(index) {
    this.mirror.querySelectorAll("span").forEach((part, number) => part.classList.toggle("lit", number === index));
  }

  #changed() {
    this.mirror.textContent = `${this.text}\n`;
    this.ranges = [];
    const length = [...this.text].length;
    this.clearButton.hidden = !length;
    this.count.textContent = `${format.format(length)} / ${format.format(this.limit)}`;
    this.count.classList.toggle("over", length > this.limit);
  }

  #at(event) {
    return [...this.mirror.querySelectorAll("span")].findIndex((part) => [...part.getClientRects()].some((box) =>
      event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom));
  }

  #caret() {
    const at = [...this.text.slice(0, this.field.selectionStart)].length;
    this.#point(this.ranges.findIndex(([start, end]) => start <= at && at <= end));
  }

  #point(index) {
    this.light(index);
    this.onPoint(index);
  }
}

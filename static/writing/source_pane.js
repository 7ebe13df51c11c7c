// The text that is summarized, with the places of the summary's sentences marked in it.
// Offsets from the server count characters (code points); a browser's strings count UTF-16 units.
import { tidied } from "../site/tidy.js";

const LONGEST_BLOCK = 20_000; // of a text without empty lines

export class SourcePane {
  constructor(element) {
    this.element = element;
    this.blocks = []; // {start, end, element}, in UTF-16 units
    this.text = "";
    this.astral = [];
    this.ranges = [];
    this.active = null;
  }

  show({ text, pages, headings }, mediaType) {
    this.text = text;
    this.astral = astralPlaces(text);
    const titled = new Set(headings.map(([start]) => this.#units(start)));
    const borders = pages.map((start) => this.#units(start));
    this.blocks = cut(text).map(([start, end]) => {
      const element = document.createElement("p");
      if (titled.has(start)) element.className = "heading";
      const page = borders.findIndex((border) => border >= start && border < end);
      if (page >= 0) element.dataset.page = interpolate(gettext("Page %s"), [page + 1]);
      return { start, end, element };
    });
    this.isMarkdown = mediaType === "text/markdown";
    for (const block of this.blocks) this.#paint(block);
    this.element.replaceChildren(...this.blocks.map((block) => block.element));
  }

  showMissing(message) {
    const note = Object.assign(document.createElement("p"), { className: "muted", textContent: message });
    this.element.replaceChildren(note);
  }

  /** Mark these [start, end] (characters) and no others. */
  mark(ranges) {
    const touched = new Set(this.#touched(this.ranges));
    this.ranges = ranges.map(([start, end]) => [this.#units(start), this.#units(end)]);
    this.active = null;
    for (const block of this.#touched(this.ranges)) touched.add(block);
    touched.forEach((block) => this.#paint(block));
  }

  /** Make one place stand out, null for none; `scroll` brings it into view. */
  point(range, { scroll = false } = {}) {
    const touched = new Set(this.active ? this.#touched([this.active]) : []);
    this.active = range && [this.#units(range[0]), this.#units(range[1])];
    if (this.active) for (const block of this.#touched([this.active])) touched.add(block);
    touched.forEach((block) => this.#paint(block));
    if (!scroll || !this.active) return;
    const mark = this.element.querySelector("mark.active");
    const isOwnScroll = this.element.scrollHeight > this.element.clientHeight + 1;
    if (isOwnScroll) {
      const from = mark.getBoundingClientRect().top - this.element.getBoundingClientRect().top;
      this.element.scrollTop += from - this.element.clientHeight / 3;
    }
    const { top, bottom } = this.element.getBoundingClientRect();
    if (!isOwnScroll || top < 0 || bottom > innerHeight) mark.scrollIntoView({ block: "center" });
  }

  #touched(ranges) {
    return this.blocks.filter((block) => ranges.some(([start, end]) => start < block.end && end > block.start));
  }

  /** The block's text anew: what is marked in marks, the place pointed at in one that stands out. */
  #paint({ start, end, element }) {
    const own = this.active ? [...this.ranges, this.active] : this.ranges;
    const inside = own.filter(([from, to]) => from < end && to > start);
    const cuts = [...new Set([start, end, ...inside.flat().filter((place) => place > start && place < end)])].sort((a, b) => a - b);
    const nodes = [];
    for (let index = 0; index + 1 < cuts.length; index += 1) {
      const [from, to] = [cuts[index], cuts[index + 1]];
      const piece = this.text.slice(from, to);
      const covers = ([first, last]) => first <= from && last >= to;
      if (!inside.some(covers)) { nodes.push(...(this.isMarkdown ? tidied(piece, from === start) : [piece])); continue; }
      const mark = document.createElement("mark");
      mark.className = this.active && covers(this.active) ? "active" : "cited";
      mark.textContent = piece;
      nodes.push(mark);
    }
    element.replaceChildren(...nodes);
  }

  #units(characters) { return characters + below(this.astral, characters); }
}

/** The indices, in characters, of those that take two UTF-16 units. */
function astralPlaces(text) {
  if (!/[\uD800-\uDBFF]/.test(text)) return [];
  const places = [];
  let index = 0;
  for (const character of text) {
    if (character.length > 1) places.push(index);
    index += 1;
  }
  return places;
}

/** How many of the sorted places are below `limit`. */
function below(places, limit) {
  let [low, high] = [0, places.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (places[middle] < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** [start, end] of the paragraphs, without the empty lines between them. */
function cut(text) {
  const blocks = [];
  const add = (start, end) => {
    while (end - start > LONGEST_BLOCK) {
      const line = text.lastIndexOf("\n", start + LONGEST_BLOCK);
      const at = line > start ? line + 1 : start + LONGEST_BLOCK;
      blocks.push([start, at]);
      start = at;
    }
    if (end > start) blocks.push([start, end]);
  };
  let start = 0;
  for (const gap of text.matchAll(/\n{2,}/g)) {
    add(start, gap.index);
    start = gap.index + gap[0].length;
  }
  add(start, text.length);
  return blocks;
}

// The original of a PDF beside its text: one page at a time, the quoted passage marked where it stands on its page.
import { GlobalWorkerOptions, TextLayer, getDocument } from "../vendor/pdfjs/pdf.min.js";
import { markedRanges } from "./pdf_match.js";

GlobalWorkerOptions.workerSrc = new URL("../vendor/pdfjs/pdf.worker.min.js", import.meta.url).href;
const CMAPS = new URL("../vendor/pdfjs/cmaps/", import.meta.url).href;
const MOST_PIXELS = 16_000_000; // of a canvas; phones refuse larger ones

export class PdfView {
  /** @param root the element with the file's address, the cited page and the controls.
   *  @param passage {text, span}: what to mark on that page; empty strings mark nothing. */
  constructor(root, passage) {
    this.root = root;
    this.passage = passage;
    this.cited = Number(root.dataset.page) || 1;
    this.part = (name) => root.querySelector(`.${name}`);
    this.number = this.part("pdf-number");
    this.drawing = null;
    this.part("pdf-earlier").addEventListener("click", () => this.show(this.shown - 1));
    this.part("pdf-later").addEventListener("click", () => this.show(this.shown + 1));
    this.number.addEventListener("change", () => this.show(Number(this.number.value)));
    let width = 0;
    new ResizeObserver(([entry]) => {
      if (!this.pdf || root.hidden || Math.abs(entry.contentRect.width - width) < 4) return;
      width = entry.contentRect.width;
      this.show(this.shown);
    }).observe(root);
  }

  /** Fetch the file and show the cited page; rejects when it cannot be read. */
  async open() {
    this.pdf = await getDocument({ url: this.root.dataset.file, cMapUrl: CMAPS, cMapPacked: true, isEvalSupported: false,
      enableXfa: false, disableRange: true, useWasm: false }).promise;
    this.part("pdf-count").textContent = `/ ${this.pdf.numPages}`;
    this.number.max = this.pdf.numPages;
    await this.show(this.cited);
  }

  async show(wanted) {
    const number = Math.min(Math.max(1, Math.round(wanted) || this.shown || 1), this.pdf.numPages);
    const isNew = number !== this.shown;
    this.shown = number;
    this.number.value = number;
    this.part("pdf-earlier").disabled = number === 1;
    this.part("pdf-later").disabled = number === this.pdf.numPages;
    this.drawing?.cancel();
    const page = await this.pdf.getPage(number);
    if (number === this.shown) await this.#draw(page, number, isNew);
  }

  async #draw(page, number, isNew) {
    const paper = this.part("pdf-paper");
    const unscaled = page.getViewport({ scale: 1 });
    const scale = Math.min(2, this.part("pdf-desk").clientWidth / unscaled.width);
    const viewport = page.getViewport({ scale });
    const sharp = Math.min(devicePixelRatio || 1, Math.sqrt(MOST_PIXELS / (viewport.width * viewport.height)));
    const canvas = document.createElement("canvas");
    canvas.width = Math.floor(viewport.width * sharp);
    canvas.height = Math.floor(viewport.height * sharp);
    const drawing = page.render({ canvas, viewport, transform: sharp === 1 ? null : [sharp, 0, 0, sharp, 0, 0] });
    this.drawing = drawing;
    try {
      await drawing.promise;
    } catch (error) {
      if (error.name === "RenderingCancelledException") return; // another page is wanted
      throw error;
    }
    const layer = document.createElement("div");
    layer.className = "textLayer";
    const textLayer = new TextLayer({ textContentSource: await page.getTextContent(), container: layer, viewport });
    paper.style.setProperty("--total-scale-factor", scale);
    paper.style.width = `${viewport.width}px`;
    paper.style.height = `${viewport.height}px`;
    await textLayer.render();
    if (this.drawing !== drawing) return;
    paper.replaceChildren(canvas, layer);
    if (number === this.cited) this.#mark(layer);
    if (isNew) (layer.querySelector("mark") ?? paper).scrollIntoView({ block: layer.querySelector("mark") ? "center" : "nearest" });
  }

  #mark(layer) {
    const nodes = textNodes(layer);
    for (const { node, start, end, isSpan } of markedRanges(nodes.map((one) => one.data), this.passage)
      .map((range) => ({ ...range, node: nodes[range.node] })).reverse()) {
      const range = document.createRange();
      range.setStart(node, start);
      range.setEnd(node, end);
      const mark = document.createElement("mark");
      mark.className = isSpan ? "span" : "cited";
      range.surroundContents(mark);
    }
  }
}

function textNodes(root) {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) found.push(walker.currentNode);
  return found;
}

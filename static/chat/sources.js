// The list under an answer: each source's document, its words with the answer marked, a link to the place.

import { percent } from "../site/numbers.js";
import { tidied } from "../site/tidy.js";

/** @param isNumbered whether the numbers are those of the answer's chips. */
export function sourceItems(citations, isNumbered) {
  const template = document.getElementById("source-template").content.firstElementChild;
  return citations.map((citation, index) => {
    const item = document.importNode(template, true);
    item.querySelector("a").href = citation.url;
    item.querySelector(".number").textContent = isNumbered ? citation.mark || index + 1 : "·";
    item.querySelector(".title span").textContent = [citation.title, ...place(citation)].join(", ");
    const isMarked = citation.span_end > citation.span_start;
    item.querySelector(".score").textContent = isMarked ? percent(citation.score) : "";
    item.querySelector(".quote").append(...quoted(citation));
    if (citation.recognised) item.append(remark(gettext("Read by text recognition; may contain errors.")));
    if (citation.source) item.append(fromWeb(citation.source));
    if (citation.also_in?.length) item.append(alsoIn(citation.also_in));
    return item;
  });
}

function remark(text) { return Object.assign(document.createElement("p"), { className: "also-in", textContent: text }); }

/** The page on the web that the document was fetched from. */
function fromWeb(address) {
  const line = Object.assign(document.createElement("p"), { className: "also-in" });
  line.append(Object.assign(document.createElement("a"),
    { href: address, textContent: address, target: "_blank", rel: "noopener noreferrer" }));
  return line;
}

/** Where near-duplicates of the passage lie. */
function alsoIn(places) {
  const line = Object.assign(document.createElement("p"), { className: "also-in", textContent: gettext("Also in:") });
  for (const { url, title } of places) {
    line.append(" ", Object.assign(document.createElement("a"), { href: url, textContent: title }));
  }
  return line;
}

/** "p. 12" and "Installation", or "sheet Prices" and "row 12", where they are known; a section that only repeats the
 * title says nothing. */
export function place({ title, page, page_kind: kind, section, row }) {
  const where = section === title ? "" : section;
  if (row) return [where && interpolate(gettext("sheet %s"), [where]), interpolate(gettext("row %s"), [row])].filter(Boolean);
  const number = kind === "slide" ? gettext("slide %s") : gettext("p. %s");
  return [page ? interpolate(number, [page]) : "", where].filter(Boolean);
}

function quoted({ quote, start, span_start: spanStart, span_end: spanEnd }) {
  const characters = Array.from(quote);
  const part = (from, to) => characters.slice(from, to).join("");
  // Nothing is marked, or all of it: then there is nothing to tell the marked words from.
  if (spanEnd <= spanStart || spanEnd - spanStart >= characters.length) return tidied(quote, true);
  const mark = document.createElement("mark");
  mark.textContent = part(spanStart - start, spanEnd - start);
  return [part(0, spanStart - start), mark, part(spanEnd - start)];
}

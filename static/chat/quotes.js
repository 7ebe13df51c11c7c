// A plain answer as nodes: its sentences, the exact answer marked in each, a numbered chip to the source behind each.
// Offsets from the server count characters (code points); JavaScript's strings count UTF-16 units.

/** Where in `answer` each citation is quoted: [{citation, number, start, end, markStart, markEnd}], in order. */
export function places({ answer, citations }) {
  const found = [];
  citations.forEach((citation, index) => {
    const start = answer.indexOf(citation.quote);
    if (start < 0) return;
    const end = start + citation.quote.length;
    if (found.some((other) => start < other.end && other.start < end)) return;
    found.push({ citation, number: index + 1, start, end, ...mark(citation, start) });
  });
  return found.sort((one, other) => one.start - other.start);
}

function mark({ quote, start, span_start: spanStart, span_end: spanEnd }, at) {
  const characters = Array.from(quote);
  // Words that are the whole sentence need no mark: there is nothing to tell them from.
  if (spanEnd - spanStart >= characters.length) return { markStart: at, markEnd: at };
  const before = characters.slice(0, spanStart - start).join("").length;
  const inside = characters.slice(spanStart - start, spanEnd - start).join("").length;
  return { markStart: at + before, markEnd: at + before + inside };
}

export function chip(citation, number) {
  const link = document.createElement("a");
  link.className = "chip";
  link.href = citation.url;
  link.textContent = number;
  link.title = citation.title;
  link.setAttribute("aria-label", interpolate(gettext("Source %(number)s: %(title)s"),
    { number, title: citation.title }, true));
  return link;
}

function element(tag, textContent, className = "") {
  return Object.assign(document.createElement(tag), { textContent, className });
}

/** The bars between the cells of a table's row step back; not one character is changed. */
function withBars(text) {
  return text.split(/( ?\|(?= |$))/).filter(Boolean).map((part) => /^ ?\|$/.test(part) ? element("span", part, "syntax") : part);
}

/** The answer as paragraphs. */
export function answerNodes(done) {
  const { answer } = done;
  const paragraphs = [];
  let paragraph;
  const open = () => {
    paragraph = document.createElement("p");
    paragraph.className = "plain";
    paragraphs.push(paragraph);
  };
  const add = (text, tag = "") => {
    text.split("\n\n").forEach((part, index) => {
      if (index) open();
      if (!part) return;
      paragraph.append(...(tag ? [element(tag, part)] : withBars(part)));
    });
  };
  open();
  let at = 0;
  for (const { citation, number, start, end, markStart, markEnd } of places(done)) {
    add(answer.slice(at, start));
    add(answer.slice(start, markStart));
    if (markEnd > markStart) add(answer.slice(markStart, markEnd), "mark");
    add(answer.slice(markEnd, end));
    paragraph.append(chip(citation, number));
    at = end;
  }
  add(answer.slice(at));
  return paragraphs.filter((one) => one.childNodes.length);
}

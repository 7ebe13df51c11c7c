// An answer that a generator wrote, as nodes: its marks [1] as chips to their sources, what no passage supports marked.
import { render } from "./markdown.js";
import { chip } from "./quotes.js";

const START = "\uE004", END = "\uE005";
const PRIVATE = /[\uE000-\uE005]/;
// Markdown's own characters at a sentence's ends stay outside, or it would not be a list, a table or bold any more.
const OPENING = /^(?:\s*(?:[-*+•]\s+|\d{1,3}[.)、]\s+|#{1,6}\s+|>\s*|\|\s*))*[*_~]*/;
const CLOSING = /[*_~|\s]*$/;

/** @param done an answer whose `verification.unsupported` are [start, end] in characters (code points) of `answer`. */
export async function writtenAnswer({ answer, citations, verification }) {
  const html = await render(withSigns(Array.from(answer), verification.unsupported ?? []));
  for (const link of html.querySelectorAll("a[href]")) {
    link.setAttribute("href", link.getAttribute("href").replace(/[\uE004\uE005]|%EE%80%8[45]/gi, ""));
  }
  place(html, new Map(citations.map((citation) => [citation.mark, citation])));
  return html;
}

function withSigns(characters, unsupported) {
  const safe = characters.map((character) => (PRIVATE.test(character) ? " " : character));
  const signs = new Map();
  for (const [start, end] of unsupported) {
    const sentence = safe.slice(start, end).join("");
    const first = start + Array.from(OPENING.exec(sentence)[0]).length;
    const last = end - Array.from(CLOSING.exec(sentence)[0]).length;
    if (first >= last) continue;
    signs.set(first, START);
    signs.set(last, END + (signs.get(last) ?? ""));
  }
  let source = "";
  for (let at = 0; at <= safe.length; at += 1) source += (signs.get(at) ?? "") + (safe[at] ?? "");
  return source;
}

function place(root, citations) {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) texts.push(walker.currentNode);
  let isUnsupported = false;
  for (const node of texts) {
    const isQuiet = node.parentElement?.closest("code, pre, math, a");
    const nodes = [];
    for (const part of node.data.split(/([\uE004\uE005]|\[\d{1,3}\])/)) {
      const citation = isQuiet ? undefined : citations.get(Number(/^\[(\d+)\]$/.exec(part)?.[1]));
      if (part === START) isUnsupported = true;
      else if (part === END) {
        if (isUnsupported) nodes.push(...note());
        isUnsupported = false;
      } else if (citation) nodes.push(chip(citation, citation.mark));
      else if (part) nodes.push(isUnsupported && part.trim() ? marked(part) : part);
    }
    node.replaceWith(...nodes);
  }
}

function marked(text) {
  return Object.assign(document.createElement("span"), { className: "unsupported", textContent: text });
}

function note() {
  const label = document.createElement("small");
  label.className = "unsupported-note";
  label.textContent = gettext("not supported");
  label.title = gettext("None of the passages that were looked at supports this sentence.");
  return [" ", label];
}

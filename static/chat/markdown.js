// Markdown as safe HTML: markdown-it without raw HTML, cleaned once more by DOMPurify; code coloured, math as MathML.
// Loaded only when an answer is Markdown; each library is loaded only when its text is there.
import MarkdownIt from "../vendor/markdown-it/markdown-it.min.js";
import DOMPurify from "../vendor/dompurify/purify.js";
import { chip, places } from "./quotes.js";

const MARK_START = "\uE000", MARK_END = "\uE001", CHIP = "\uE002", CHIP_END = "\uE003";
const PRIVATE = /[\uE000-\uE003]/g;
const LANGUAGES = {
  bash: "bash", sh: "bash", shell: "bash", css: "css", diff: "diff", go: "go", html: "xml", java: "java", js: "javascript",
  javascript: "javascript", json: "json", markdown: "markdown", md: "markdown", py: "python", python: "python", rust: "rust",
  sql: "sql", ts: "typescript", typescript: "typescript", xml: "xml", yaml: "yaml", yml: "yaml",
};
const MATH = /\$\$([^$]+?)\$\$|\\\[([\s\S]+?)\\\]|\\\(([^\n]+?)\\\)|\$(?!\s)([^$\n]+?)(?<!\s)\$(?![\w$])/y;

const markdown = new MarkdownIt({ html: false, linkify: true });
markdown.inline.ruler.before("escape", "math", (state, silent) => {
  MATH.lastIndex = state.pos;
  const found = MATH.exec(state.src);
  if (!found || (found[4] !== undefined && /\w/.test(state.src[state.pos - 1] ?? ""))) return false; // "5$ to 6$"
  if (!silent) {
    const token = state.push("math", "code", 0);
    token.content = found[1] ?? found[2] ?? found[3] ?? found[4];
    token.meta = { isDisplay: found[1] !== undefined || found[2] !== undefined };
  }
  state.pos += found[0].length;
  return true;
});
markdown.renderer.rules.math = (tokens, index) => {
  const { content, meta } = tokens[index];
  return `<code class="math${meta.isDisplay ? " display" : ""}">${markdown.utils.escapeHtml(content)}</code>`;
};

/** The nodes of `source`; nothing in them can run, load from elsewhere or leave the answer's place. */
export async function render(source) {
  const html = DOMPurify.sanitize(markdown.render(source), {
    USE_PROFILES: { html: true }, FORBID_TAGS: ["img", "form", "input", "button", "style", "iframe"], FORBID_ATTR: ["style"],
    RETURN_DOM_FRAGMENT: true,
  });
  for (const link of html.querySelectorAll("a[href]")) {
    link.rel = "noopener noreferrer nofollow";
    link.target = "_blank";
  }
  await Promise.all([colourCode(html), setMath(html)]);
  return html;
}

/** A Markdown answer with the exact answers marked and a chip after each quote. */
export async function markdownAnswer(done) {
  let source = "", at = 0;
  const cited = places(done);
  const plain = (from, to) => done.answer.slice(from, to).replace(PRIVATE, "");
  for (const { number, markStart, markEnd, end } of cited) {
    source += plain(at, markStart);
    if (markEnd > markStart) source += MARK_START + plain(markStart, markEnd) + MARK_END;
    source += `${plain(markEnd, end).trimEnd()}${CHIP}${number}${CHIP_END}`;
    at = end;
  }
  const html = await render(source + plain(at));
  placeMarks(html, new Map(cited.map((one) => [one.number, one.citation])));
  return html;
}

function placeMarks(root, citations) {
  for (const link of root.querySelectorAll("[href], [title]")) {
    for (const name of ["href", "title"]) {
      const value = link.getAttribute(name);
      if (value) link.setAttribute(name, value.replace(PRIVATE, "").replace(/%EE%80%8[0-3]/g, ""));
    }
  }
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) texts.push(walker.currentNode);
  let isMarked = false;
  for (const node of texts) {
    const parts = node.data.split(/([\uE000\uE001]|\uE002\d+\uE003)/);
    if (parts.length === 1 && !isMarked) continue;
    const nodes = [];
    for (const part of parts) {
      if (part === MARK_START) isMarked = true;
      else if (part === MARK_END) isMarked = false;
      else if (part.startsWith(CHIP)) {
        const number = Number(part.slice(1, -1));
        nodes.push(chip(citations.get(number), number));
      } else if (part) {
        nodes.push(isMarked && part.trim() ? Object.assign(document.createElement("mark"), { textContent: part }) : part);
      }
    }
    node.replaceWith(...nodes);
  }
}

async function colourCode(root) {
  const blocks = [...root.querySelectorAll("pre code[class*=language-]")]
    .map((block) => ({ block, language: LANGUAGES[/language-(\S+)/.exec(block.className)[1].toLowerCase()] }))
    .filter(({ language }) => language);
  if (!blocks.length) return;
  const { default: hljs } = await import("../vendor/highlight/core.min.js");
  await Promise.all([...new Set(blocks.map(({ language }) => language))].map(async (language) => {
    hljs.registerLanguage(language, (await import(`../vendor/highlight/languages/${language}.min.js`)).default);
  }));
  for (const { block, language } of blocks) {
    if (!PRIVATE.test(block.textContent)) block.innerHTML = hljs.highlight(block.textContent, { language }).value;
    PRIVATE.lastIndex = 0;
  }
}

async function setMath(root) {
  const formulas = root.querySelectorAll("code.math");
  if (!formulas.length) return;
  if (!globalThis.katex) await import("../vendor/katex/katex.min.js");
  for (const formula of formulas) {
    const holder = document.createElement("span");
    globalThis.katex.render(formula.textContent.replace(PRIVATE, ""), holder, {
      output: "mathml", throwOnError: false, trust: false, displayMode: formula.classList.contains("display"),
    });
    formula.replaceWith(holder);
  }
}

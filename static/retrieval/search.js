// The search page: asks POST /api/v1/search, lists what is found with its scores, and sends marks.
import { call } from "../site/api.js";
import { toast } from "../site/notices.js";

const form = document.getElementById("search-form");
const status = document.getElementById("search-status");
const list = document.getElementById("results");
const template = document.getElementById("result-template").content.firstElementChild;
const SCORES = [
  ["bm25", gettext("Words (BM25)")], ["dense", gettext("Meaning (cosine)")], ["fused", gettext("Fused")],
  ["reranked", gettext("Reranker")],
];
let running = null;

form.addEventListener("submit", (event) => { event.preventDefault(); search(); });
if (form.elements.question.value.trim()) search();

async function search() {
  running?.abort();
  running = new AbortController();
  const chosen = (name) => Array.from(form.elements[name].selectedOptions, (option) => option.value);
  const { question, added_from: from, added_to: to } = form.elements;
  status.textContent = gettext("Searching…");
  list.setAttribute("aria-busy", "true");
  try {
    const found = await call("/api/v1/search", { method: "POST", signal: running.signal, json: {
      question: question.value, collections: chosen("collections"), media_types: chosen("media_types"),
      added_from: from.value || null, added_to: to.value || null, k: 20,
    } });
    status.textContent = interpolate(ngettext("%s passage", "%s passages", found.results.length), [found.results.length]);
    list.replaceChildren(...found.results.map((result, index) => item(found, result, index)));
  } catch (error) {
    if (error.name === "AbortError") return;
    list.replaceChildren();
    status.textContent = error.message;
  }
  list.removeAttribute("aria-busy");
}

function item(found, result, index) {
  const element = document.importNode(template, true);
  const part = (name) => element.querySelector(name);
  part(".rank").textContent = index + 1;
  part(".title").href = result.url;
  part(".title").textContent = [result.title, result.page ? interpolate(gettext("p. %s"), [result.page]) : "",
    result.section === result.title ? "" : result.section,
    result.recognised ? gettext("by text recognition") : ""].filter(Boolean).join(", ");
  part(".why").textContent = result.why;
  part(".passage").append(...marked(result.text, result.words));
  for (const name of ["before", "after"]) part(`.${name}`).textContent = result[name];
  element.querySelector("[data-action=around]").hidden = !result.before && !result.after;
  part(".scores").append(...SCORES.flatMap(([name, label]) => score(result.scores, name, label)));
  part(".also").hidden = !result.also_in.length;
  if (result.also_in.length) part(".also").append(gettext("Also in:"), ...result.also_in.flatMap(other => [" ", link(other)]));
  for (const button of element.querySelectorAll("[data-mark]")) button.hidden = !result.may_mark;
  show(element, result.is_right);
  element.addEventListener("click", (event) => clicked(event, element, found.question, result));
  return element;
}

function link({ url, title }) { return Object.assign(document.createElement("a"), { href: url, textContent: title }); }

function score(scores, name, label) {
  if (scores[name] === null) return [];
  const rank = scores[`${name}_rank`];
  const value = Number(scores[name]).toLocaleString(document.documentElement.lang, { maximumFractionDigits: 3 });
  return [Object.assign(document.createElement("dt"), { textContent: label }),
    Object.assign(document.createElement("dd"), { textContent: rank ? `${value} (${rank}.)` : value })];
}

/** The text with the question's words marked; a word's endings do not matter. */
function marked(text, words) {
  if (!words.length) return [text];
  const escaped = words.map((word) => word.replace(/[^\p{L}\p{N}]/gu, "\\$&"));
  const parts = text.split(new RegExp(`(${escaped.join("|")})`, "giu"));
  return parts.map((part, index) => (index % 2 ? Object.assign(document.createElement("mark"), { textContent: part }) : part));
}

function show(element, isRight) {
  for (const button of element.querySelectorAll("[data-mark]")) {
    button.setAttribute("aria-pressed", String(button.dataset.mark === String(isRight)));
  }
  element.classList.toggle("right", isRight === true);
}

async function clicked(event, element, question, result) {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.action === "around") {
    const isShown = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(isShown));
    for (const name of ["before", "after"]) element.querySelector(`.${name}`).hidden = !isShown || !result[name];
    return;
  }
  const wanted = button.getAttribute("aria-pressed") === "true" ? null : button.dataset.mark === "true";
  const before = result.is_right;
  try {
    await call("/api/v1/search/marks/", { method: "POST", json: {
      question, document: result.document, start: result.start, end: result.end, is_right: wanted,
    } });
    result.is_right = wanted;
    show(element, wanted);
    const count = document.getElementById("mark-count");
    count.textContent = Number(count.textContent) + (wanted !== null) - (before !== null);
  } catch (error) {
    toast(error.message, { error: true });
  }
}

// The SPARQL page: asks POST /api/v1/graph/sparql, shows the rows as a table, hands them out as files.
import { call, csrfToken } from "../site/api.js";
import { toast } from "../site/notices.js";

const form = document.getElementById("sparql-form");
const field = form.elements.query;
const error = document.getElementById("query-error");
const status = document.getElementById("query-status");
const result = document.getElementById("query-result");
const run = form.querySelector(".primary");
let answered = "";

form.addEventListener("submit", (event) => { event.preventDefault(); ask(); });
field.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); ask(); }
});
form.addEventListener("click", (event) => {
  const example = event.target.closest("[data-query]");
  if (example) { field.value = example.dataset.query; field.focus(); }
  const download = event.target.closest("[data-download]");
  if (download) handOut(download.dataset.download);
});

async function ask() {
  if (run.disabled) return;
  run.disabled = true;
  error.hidden = true;
  status.textContent = gettext("Running…");
  try {
    const query = field.value;
    const found = await call("/api/v1/graph/sparql", { method: "POST", json: { query } });
    answered = query;
    show(found);
  } catch (problem) {
    status.textContent = "";
    result.hidden = true;
    error.textContent = problem.message;
    error.hidden = false;
    pointTo(problem.message);
  }
  for (const button of form.querySelectorAll("[data-download]")) button.disabled = !answered || !error.hidden;
  run.disabled = false;
}

/** Puts the cursor where the first two numbers of the sentence, line and column, say. */
function pointTo(sentence) {
  const place = sentence.match(/^\D{1,10}(\d+)\D{1,12}(\d+)/);
  if (!place) return;
  const lines = field.value.split("\n").slice(0, Number(place[1]) - 1);
  const at = lines.join("\n").length + (lines.length ? 1 : 0) + Number(place[2]) - 1;
  field.focus();
  field.setSelectionRange(at, at);
}

function show(found) {
  const seconds = found.seconds.toLocaleString(document.documentElement.lang);
  result.hidden = true;
  if ("boolean" in found) {
    status.textContent = interpolate(found.boolean ? gettext("Yes. %s s") : gettext("No. %s s"), [seconds]);
    return;
  }
  const rows = found.results.bindings;
  const count = interpolate(ngettext("%s row", "%s rows", rows.length), [rows.length.toLocaleString(document.documentElement.lang)]);
  status.textContent = `${count}${found.is_cut ? ` (${gettext("there are more")})` : ""} · ${seconds} s`;
  if (!rows.length) return;
  const names = found.head.vars;
  result.querySelector("thead").replaceChildren(row(names.map((name) => element("th", { scope: "col", textContent: name }))));
  result.querySelector("tbody").replaceChildren(...rows.map((one) => row(names.map((name) => cell(one[name])))));
  result.hidden = false;
}

function cell(term) {
  const made = document.createElement("td");
  if (!term) return made;
  if (term.type === "uri") {
    made.append(element("a", { href: `${form.dataset.entity}?iri=${encodeURIComponent(term.value)}`, textContent: term.value }));
  } else {
    made.append(term.value);
    if (term["xml:lang"]) made.append(" ", element("span", { className: "badge", textContent: term["xml:lang"] }));
  }
  return made;
}

function row(cells) {
  const made = document.createElement("tr");
  made.append(...cells);
  return made;
}

function element(tag, values) { return Object.assign(document.createElement(tag), values); }

async function handOut(kind) {
  try {
    const reply = await fetch("/api/v1/graph/sparql", {
      method: "POST", headers: { "Content-Type": "application/json", "X-CSRFToken": csrfToken() },
      body: JSON.stringify({ query: answered, form: kind }),
    });
    if (!reply.ok) throw new Error((await reply.json()).detail);
    const address = URL.createObjectURL(await reply.blob());
    element("a", { href: address, download: `result.${kind}` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 1000);
  } catch (problem) {
    toast(problem.message, { error: true });
  }
}

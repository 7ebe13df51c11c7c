// Pages and sitemaps that are fetched into a collection: asking for them, how far they are, what did not come and why.
import { call } from "../site/api.js";
import { toast } from "../site/notices.js";

const PATH = "/api/v1/web-imports/";
const PAUSE_MS = 300; // a sitemap's pages may come faster than anyone reads
const list = document.getElementById("web-imports");
const form = document.getElementById("web-form");

const rows = new Map(); // by import id
const asking = new Map(); // ids whose state is about to be asked for
const watched = new Set(); // those that this page saw at work
const isWorking = ({ status }) => status === "queued" || status === "running";

/** All of the collection's that a person should see: at first, and when the connection comes back. */
export async function loadImports() {
  if (!list) return;
  try {
    const { results } = await call(`${PATH}?collection=${collection()}`);
    const known = new Set(results.map(({ id }) => id));
    for (const id of rows.keys()) if (!known.has(id)) remove(id);
    for (const fields of results.reverse()) show(fields);
  } catch { /* the next event asks again */ }
}

/** Something happened to an import. */
export function importChanged(id) {
  if (!list || asking.has(id)) return;
  asking.set(id, setTimeout(async () => {
    asking.delete(id);
    try {
      show(await call(`${PATH}${id}/`));
    } catch (error) {
      if (error.status === 404) remove(id);
    }
  }, PAUSE_MS));
}

function collection() { return document.getElementById("documents").dataset.collection; }

function show(fields) {
  const wasWatched = watched.has(fields.id);
  if (isWorking(fields)) watched.add(fields.id);
  else if (fields.status === "done" && !fields.sitemap) {
    if (wasWatched) tellOutcome(fields);
    remove(fields.id);
    return;
  } else if (fields.status === "done" && !fields.problems.length && !wasWatched && !rows.has(fields.id)) return;
  if (!isWorking(fields) && fields.sitemap) watched.add(fields.id);
  const row = rows.get(fields.id) ?? made(fields.id);
  const part = (name) => row.querySelector(`.${name}`);
  const { total, waiting, added, unchanged, duplicate } = fields.pages;
  part("name").textContent = fields.url;
  part("counts").textContent = fields.sitemap && total ? interpolate(
    gettext("%(done)s of %(total)s pages: %(added)s added, %(known)s were there, %(left)s not added"),
    { done: total - waiting, total, added, known: unchanged + duplicate, left: fields.problems.length }, true) : "";
  const state = part("state");
  const word = { queued: gettext("Waiting"), running: gettext("Being fetched"), done: gettext("Fetched"),
    failed: gettext("Failed"), cancelled: gettext("Cancelled") }[fields.status];
  if (state.textContent !== word) state.textContent = word;
  state.className = `badge state ${{ done: "good", failed: "bad" }[fields.status] ?? ""}`;
  const bar = row.querySelector("progress");
  bar.hidden = !isWorking(fields);
  if (fields.sitemap && total) bar.value = (total - waiting) / total;
  else bar.removeAttribute("value");
  part("document-error").textContent = fields.message;
  part("document-error").hidden = !fields.message;
  showProblems(row.querySelector("details"), fields.sitemap ? fields.problems : []);
  for (const button of row.querySelectorAll("[data-action]")) {
    const { action } = button.dataset;
    button.hidden = action === "cancel" ? !isWorking(fields)
      : action === "retry" ? isWorking(fields) || !(waiting || fields.pages.failed || fields.status !== "done") : isWorking(fields);
  }
}

function showProblems(details, problems) {
  details.hidden = !problems.length;
  details.querySelector("summary").textContent = interpolate(
    ngettext("%s page not added", "%s pages not added", problems.length), [problems.length]);
  details.querySelector("ul").replaceChildren(...problems.map(({ url, reason }) => {
    const item = document.createElement("li");
    item.append(Object.assign(document.createElement("strong"), { textContent: url }), " – ", reason);
    return item;
  }));
}

function tellOutcome({ outcome, url }) {
  if (outcome === "unchanged") toast(interpolate(gettext("%s is unchanged: it is in this collection already."), [url]));
  if (outcome === "duplicate") toast(interpolate(gettext("What %s holds is in this collection already."), [url]));
}

function made(id) {
  const row = document.importNode(document.getElementById("import-template").content.firstElementChild, true);
  row.dataset.id = id;
  rows.set(id, row);
  list.prepend(row);
  list.hidden = false;
  return row;
}

function remove(id) {
  rows.get(id)?.remove();
  rows.delete(id);
  if (list) list.hidden = !rows.size;
}

list?.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-action]");
  if (!button) return;
  const { id } = button.closest("li").dataset;
  try {
    if (button.dataset.action === "forget") {
      await call(`${PATH}${id}/`, { method: "DELETE" });
      remove(id);
    } else show(await call(`${PATH}${id}/${button.dataset.action}/`, { method: "POST" }));
  } catch (error) {
    if (error.status === 404) remove(id);
    else toast(error.message, { error: true });
  }
});

form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const address = document.getElementById("web-address");
  const sitemap = document.getElementById("web-sitemap");
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    show(await call(PATH, { method: "POST", json: { collection: collection(), url: address.value, sitemap: sitemap.checked } }));
    address.value = "";
    sitemap.checked = false;
  } catch (error) {
    toast(error.message, { error: true });
  } finally {
    button.disabled = false;
  }
});

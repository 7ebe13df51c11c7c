// The summarizing page: a text is handed in, summaries of it are made, shown in one card or two, and linked to the text.
import { call } from "../site/api.js";
import { confirmed, toast } from "../site/notices.js";
import { Intake, PASTED } from "./summary_intake.js";
import { SourcePane } from "./source_pane.js";
import { SummaryCard } from "./summary_card.js";
import { SummarySocket } from "./summary_socket.js";

const form = document.getElementById("intake");
const cards = document.getElementById("cards");
const compare = document.getElementById("compare");
const summaries = new Map(); // by id; a running one that has no id yet, by its key
let sourceId = form.dataset.source || null;
let shown = []; // one card or two

const pane = new SourcePane(document.getElementById("source-text"));
const socket = new SummarySocket({ onChange: changed, onTaken: taken, onRefused: refused });
const intake = new Intake(form);

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (intake.isBusy || socket.isStarting) return;
  intake.showProblem("");
  try {
    if (!sourceId) await handIn();
    begin(intake.options);
  } catch (error) {
    intake.showProblem(error.message);
  }
});

async function handIn() {
  const source = await intake.handIn();
  sourceId = source.id;
  history.replaceState(null, "", `/summarize/${source.id}/`);
  intake.showTaken();
  await showSource(source);
}

async function showSource(source) {
  document.getElementById("page-title").textContent = source.title;
  document.title = `${source.title} – Wenda`;
  const pages = source.pages ? [interpolate(ngettext("%s page", "%s pages", source.pages), [source.pages])] : [];
  const words = Number(source.words).toLocaleString(document.documentElement.lang);
  const facts = [source.name === PASTED ? "" : source.name, ...pages, interpolate(ngettext("%s word", "%s words", source.words), [words])];
  document.getElementById("source-facts").replaceChildren(...facts.filter(Boolean).map((fact) =>
    Object.assign(document.createElement("span"), { textContent: fact })));
  document.getElementById("download").href = `/api/v1/summaries/${source.id}/export/`;
  for (const id of ["source-actions", "work", "compare"]) document.getElementById(id).hidden = false;
  try {
    pane.show(await call(`/api/v1/summaries/${source.id}/text/`), source.media_type);
  } catch (error) {
    pane.showMissing(error.message); // the summaries themselves can be read all the same
  }
}

/** Start a summary: in the one card, or beside it when two are compared. */
function begin(options) {
  const summary = socket.start(sourceId, options);
  summaries.set(summary.key, summary);
  const isSecond = compare.getAttribute("aria-pressed") === "true" && shown.length > 0 && shown[0].summary;
  const card = isSecond ? shown[1] ?? addCard() : shown[0] ?? addCard();
  card.show(summary);
  relist();
  if (matchMedia("(max-width: 60rem)").matches) card.element.scrollIntoView({ block: "nearest" });
}

function addCard() {
  const card = new SummaryCard({
    pane,
    onPick: (summary) => { card.show(summary); relist(); },
    onStop: (summary) => socket.stop(summary),
    onAgain: (summary) => begin(summary.options),
    onClose: () => closeCard(card),
    choices: () => [...summaries.values()],
  });
  shown.push(card);
  cards.append(card.element);
  cards.classList.toggle("two", shown.length > 1);
  document.getElementById("work").classList.toggle("comparing", shown.length > 1);
  for (const each of shown) each.showClosable(shown.length > 1);
  return card;
}

function closeCard(card) {
  shown = shown.filter((each) => each !== card);
  card.element.remove();
  cards.classList.remove("two");
  document.getElementById("work").classList.remove("comparing");
  compare.setAttribute("aria-pressed", "false");
  for (const each of shown) each.showClosable(false);
  pane.mark(shown[0]?.ranges ?? []);
}

function relist() { for (const card of shown) card.list(); }

function changed(summary) {
  for (const card of shown) if (card.summary === summary) card.render();
  if (!summary.isRunning) relist();
}

function taken(summary) {
  summaries.delete(summary.key);
  summaries.set(summary.id, summary);
  relist();
}

function refused(summary, error) {
  if (summary) {
    summaries.delete(summary.key);
    for (const card of [...shown]) {
      if (card.summary !== summary) continue;
      const before = [...summaries.values()].at(-1);
      if (before) card.show(before);
      else closeCard(card);
    }
    relist();
  }
  intake.showProblem(error.message);
}

compare.addEventListener("click", () => {
  const isOn = compare.getAttribute("aria-pressed") !== "true";
  compare.setAttribute("aria-pressed", String(isOn));
  if (!isOn) { if (shown[1]) closeCard(shown[1]); return; }
  const other = [...summaries.values()].findLast((summary) => summary !== shown[0]?.summary);
  if (other && shown.length === 1) { addCard().show(other); relist(); }
  else if (!other) toast(gettext("Choose another length or form, then summarize: the two stand side by side."));
});

document.getElementById("history")?.addEventListener("click", async (event) => {
  if (!event.target.closest("[data-action=delete]")) return;
  const row = event.target.closest("li");
  const question = interpolate(gettext("Delete “%s”?"), [row.querySelector("a").textContent]);
  if (!await confirmed(question, gettext("Delete"), gettext("Its summaries go with it, and cannot be brought back."))) return;
  try {
    await call(`/api/v1/summaries/${row.dataset.id}/`, { method: "DELETE" });
  } catch (error) {
    if (error.status !== 404) { toast(error.message, { error: true }); return; }
  }
  if (row.dataset.id === sourceId) location.assign("/summarize/");
  row.remove();
});

const saved = document.getElementById("saved");
if (saved) {
  const source = JSON.parse(saved.textContent);
  intake.showTaken();
  await showSource(source);
  for (const row of source.summaries) {
    const summary = socket.restore(row);
    summaries.set(summary.id, summary);
  }
  const last = [...summaries.values()].at(-1);
  if (last) { intake.options = last.options; addCard().show(last); relist(); }
}
document.documentElement.dataset.ready = "summarize";

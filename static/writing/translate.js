// The translating page: puts languages, the two panes, files, glossary and history together.
import { Files } from "./translation_files.js";
import { Glossary } from "./glossary.js";
import { History } from "./history.js";
import { Languages } from "./languages.js";
import { TranslatedField } from "./translated_field.js";
import { TranslationView } from "./translation_view.js";
import { showingConnection } from "../site/connection.js";
import { copy } from "../site/notices.js";
import { LiveSocket } from "../site/socket.js";

const DEBOUNCE_MS = 300;
const KEEP_AFTER_MS = 3000; // without a change: then the translation is worth keeping

const byId = (id) => document.getElementById(id);
const copyButton = byId("copy");

let wanted = null; // the message whose translation the page waits for or shows
let done = null;   // its last event
let timer = null;
let loading = null; // while the languages are asked for
let keepTimer = null;
let count = 0;

const pane = new TranslatedField(byId("translator"), { onChange: () => soon(), onPoint: (range) => view.light(range) });
const languages = new Languages({ onChange: () => { glossary?.show(); now(); } });
const view = new TranslationView(byId("translation"), {
  onPoint: (range) => pane.light(range),
  alternativesOf: (text) => ({ text, source: done.source, target: done.target, alternatives: 3 }),
});
const glossary = byId("terms") ? new Glossary(languages, { onChange: () => now() }) : null;
const keptHistory = byId("history") ? new History(languages, {
  onChosen: (entry) => { languages.choose(entry.source, entry.target); pane.text = entry.text; now(); },
}) : null;
new Files(byId("files-card"), languages);

const socket = new LiveSocket("/ws/translate/", {
  onOpen: () => {
    if (!languages.target) load();
    else if (wanted && !done) socket.send(wanted);
  },
  onMessage: heard,
  onState: showingConnection(byId("connection"), gettext("Sign in to translate.")),
});

/** The languages; what could not be had when the page opened is asked for again with the next text. */
function load() {
  loading ??= languages.load().catch((error) => view.fail(error.message)).finally(() => { loading = null; });
}

function soon() {
  clearTimeout(timer);
  clearTimeout(keepTimer);
  timer = setTimeout(now, DEBOUNCE_MS);
}

/** Ask for the translation of what stands in the pane; what was asked before is stopped by the site. */
function now() {
  clearTimeout(timer);
  clearTimeout(keepTimer);
  const unfinished = wanted && !done ? wanted : null;
  done = null;
  copyButton.hidden = true;
  byId("notes").replaceChildren();
  languages.showDetected(null);
  if (!languages.target) load();
  if (!pane.text.trim() || pane.isTooLong || !languages.target) {
    if (unfinished) socket.send({ type: "cancel", id: unfinished.id });
    wanted = null;
    view.clear();
    byId("route").textContent = "";
    return;
  }
  count += 1;
  wanted = { type: "translate", id: String(count), text: pane.text, source: languages.source, target: languages.target,
             format: pane.format };
  view.wait();
  socket.send(wanted);
}

function heard(event) {
  if (event.type === "error" && event.code === "cancelled") return;
  if (!wanted || (event.id && event.id !== wanted.id)) return; // of a text that is no longer there
  if (event.type === "start") {
    if (event.source === event.target && languages.leave(event.source)) { now(); return; }
    view.begin(event.target);
    languages.showDetected(event.detected);
    byId("route").textContent = languages.quality(event);
  } else if (event.type === "delta") {
    view.append(event.text);
  } else if (event.type === "done") {
    done = event;
    view.show(event, wanted.text);
    pane.showSentences(event.sentences.map((sentence) => sentence.source));
    copyButton.hidden = false;
    notes(event);
    keepTimer = setTimeout(keep, KEEP_AFTER_MS);
  } else if (event.type === "error") {
    done = event;
    view.fail(event.message);
  }
}

function keep() {
  clearTimeout(keepTimer);
  if (done?.type !== "done" || done.kept) return;
  done.kept = socket.send({ type: "keep", id: wanted.id });
  if (done.glossary_hits.length) setTimeout(() => glossary?.load(), 500);
  setTimeout(() => keptHistory?.changed(), 500);
}

function notes(event) {
  const lines = [];
  const lost = event.flags.filter((flag) => flag.kind === "lost").flatMap((flag) => flag.pieces);
  if (lost.length) lines.push(["warn", interpolate(gettext("Check what is underlined: %s is missing in the translation, or written in another way."), [lost.slice(0, 8).join(", ")])]);
  if (event.flags.some((flag) => flag.kind === "untranslated")) {
    lines.push(["warn", gettext("The model had no words for a sentence; it stands as it was.")]);
  }
  const hits = event.glossary_hits.reduce((sum, hit) => sum + hit.hits, 0);
  if (hits) {
    const terms = event.glossary_hits.map((hit) => `${hit.source} → ${hit.target}`).slice(0, 8).join(", ");
    lines.push(["glossary-note", interpolate(ngettext("%(hits)s glossary hit: %(terms)s", "%(hits)s glossary hits: %(terms)s", hits), { hits, terms }, true)]);
  }
  byId("notes").replaceChildren(...lines.map(([name, text]) => {
    const line = document.createElement("p");
    line.className = name;
    line.textContent = text;
    return line;
  }));
}

copyButton.addEventListener("click", () => { copy(view.text, copyButton); keep(); });
byId("swap").addEventListener("click", () => {
  const detected = done?.source;
  if (!languages.swap(detected)) return;
  if (done?.type === "done") pane.text = view.text;
  now();
});
addEventListener("pagehide", keep);
load();

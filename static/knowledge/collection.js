// A collection's page: uploads by drop and by picker, the live state of each document, retry and delete.
import { call } from "../site/api.js";
import { confirmed, toast } from "../site/notices.js";
import { LiveSocket } from "../site/socket.js";
import { DocumentRow } from "./document_row.js";
import { filesOf, isArchive, problemWith, upload } from "./uploads.js";
import { importChanged, loadImports } from "./web_imports.js";

const AT_ONCE = 3;
const list = document.getElementById("documents");
const none = document.getElementById("no-documents");
const zone = document.getElementById("drop-zone");
const opened = Date.now();
const rows = new Map(); // by document id
const waiting = []; // uploads that have not begun
let sending = []; // the rows of uploads that go on now

for (const element of list.children) rows.set(element.dataset.id, new DocumentRow(element));

let seen = 0; // the number of the last event
let counting = null;
new LiveSocket(() => `/ws/collections/${list.dataset.collection}/?after=${seen}`, {
  onOpen: loadImports,
  onMessage: (event) => {
    seen = event.seq ?? seen;
    if (event.type === "document") show(event);
    if (event.type === "deleted") remove(event.id);
    if (event.type === "import") { importChanged(event.id); return; }
    clearTimeout(counting);
    counting = setTimeout(count, 400);
  },
});

/** The numbers at the head of the page. */
async function count() {
  try {
    const { documents, passages } = await call(`/api/v1/collections/${list.dataset.collection}/`);
    document.getElementById("document-count").textContent = interpolate(
      ngettext("%s document", "%s documents", documents), [documents]);
    document.getElementById("passage-count").textContent = interpolate(
      ngettext("%s passage", "%s passages", passages), [passages]);
  } catch { /* the next event counts again */ }
}

function show(fields) {
  const known = rows.get(fields.id);
  if (known) { known.show(fields); return known; }
  // The socket may tell of a document before the upload's own reply has come.
  const own = sending.filter((row) => !row.id && row.file.name === fields.name && row.file.size === fields.size);
  if (own.length === 1) {
    rows.set(fields.id, own[0]);
    own[0].show(fields);
    return own[0];
  }
  // Events of an hour are told again to a new socket; documents of other pages are not to be listed here.
  if (new Date(fields.created_at) < opened - 5000) return null;
  const row = DocumentRow.make();
  row.show(fields);
  add(row, fields.id);
  return row;
}

function add(row, id) {
  list.prepend(row.element);
  none.hidden = true;
  if (id) rows.set(id, row);
}

function remove(id) {
  rows.get(id)?.element.remove();
  rows.delete(id);
  none.hidden = list.children.length > 0;
}

function take(files) {
  for (const file of files) {
    const row = DocumentRow.make();
    row.file = file;
    row.showWaiting(file);
    add(row);
    const problem = problemWith(file, zone.dataset);
    if (problem) row.showRefused(problem, { again: false });
    else waiting.push(row);
  }
  next();
}

function next() {
  while (sending.length < AT_ONCE && waiting.length) send(waiting.shift());
}

async function send(row) {
  sending.push(row);
  try {
    const sent = await upload(row.file, list.dataset.collection, (part) => {
      if (!row.id) row.showUploading(part);
    });
    if (isArchive(row.file)) {
      showUnpacked(row, sent);
      return;
    }
    const known = rows.get(sent.id); // there before, or told by the socket a moment ago
    if (known && known !== row) row.element.remove();
    else rows.set(sent.id, row);
    (known ?? row).show(sent);
    if (sent.duplicate) {
      (known ?? row).notice();
      toast(interpolate(gettext("%s is already in this collection."), [row.file.name]));
    }
  } catch (error) {
    row.showRefused(error.message, { again: true });
  } finally {
    sending = sending.filter((other) => other !== row);
    next();
  }
}

/** An archive's row gives way to a row for each of its files. */
function showUnpacked(row, { added, refused }) {
  row.element.remove();
  for (const { document: fields } of added) {
    const known = rows.get(fields.id) ?? DocumentRow.make();
    if (!rows.has(fields.id)) add(known, fields.id);
    known.show(fields);
  }
  for (const { path, reason } of refused) {
    const one = DocumentRow.make();
    one.showWaiting({ name: path, size: null });
    one.showRefused(reason, { again: false });
    add(one);
  }
  const notAdded = refused.length ? interpolate(ngettext("%s file could not be added.", "%s files could not be added.",
    refused.length), [refused.length]) : "";
  toast(`${interpolate(ngettext("%(count)s file of %(name)s is in the collection.",
    "%(count)s files of %(name)s are in the collection.", added.length),
    { count: added.length, name: row.file.name }, true)} ${notAdded}`, { error: !added.length });
}

list.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-action]");
  if (!button) return;
  const element = button.closest("li");
  const row = rows.get(element.dataset.id);
  try {
    if (!row) await unsent(element, button.dataset.action);
    else if (button.dataset.action === "retry") {
      row.show(await call(`/api/v1/documents/${row.id}/retry/`, { method: "POST" }));
    } else if (await confirmed(interpolate(gettext("Delete “%s”?"), [row.title]), gettext("Delete"),
      gettext("It leaves all answers at once. This cannot be undone."))) {
      await call(`/api/v1/documents/${row.id}/`, { method: "DELETE" });
      remove(row.id);
    }
  } catch (error) {
    if (error.status === 404 && row) remove(row.id);
    else toast(error.message, { error: true });
  }
});

/** A file that was refused, or waits: try once more, or take it off the list. */
async function unsent(element, action) {
  const row = DocumentRow.of(element);
  if (sending.includes(row)) return;
  if (action === "retry") {
    row.showWaiting(row.file);
    waiting.push(row);
    next();
    return;
  }
  const index = waiting.indexOf(row);
  if (index >= 0) waiting.splice(index, 1);
  element.remove();
  none.hidden = list.children.length > 0;
}

if (zone) {
  const picker = document.getElementById("files");
  const takePicked = () => { take([...picker.files]); picker.value = ""; };
  picker.addEventListener("change", takePicked);
  takePicked(); // files may be chosen before this script has loaded
  let depth = 0; // dragenter and dragleave come for each element passed over
  const over = (isOver) => zone.classList.toggle("over", isOver);
  addEventListener("dragenter", (event) => { if (hasFiles(event)) { depth += 1; over(true); } });
  addEventListener("dragleave", (event) => { if (hasFiles(event) && --depth <= 0) over(false); });
  addEventListener("dragover", (event) => { if (hasFiles(event)) event.preventDefault(); });
  addEventListener("drop", async (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth = 0;
    over(false);
    take(await filesOf(event.dataTransfer));
  });
  addEventListener("beforeunload", (event) => { if (sending.length || waiting.length) event.preventDefault(); });
}

function hasFiles(event) { return event.dataTransfer?.types.includes("Files"); }

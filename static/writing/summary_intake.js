// What is handed in (pasted, dropped, chosen, picked from a collection) and what is wanted of it.
import { ApiError, call, csrfToken, readReply } from "../site/api.js";
import { problemWith } from "../knowledge/uploads.js";

const KEPT = "summary-options";
export const PASTED = "pasted.txt";
const part = (id) => document.getElementById(id);

export class Intake {
  constructor(form) {
    this.form = form;
    this.text = part("text");
    this.file = null;
    this.document = null; // {id, title}
    this.isBusy = false;
    this.text.addEventListener("input", () => this.#count());
    part("file").addEventListener("change", () => this.#chose(part("file").files[0]));
    part("unchoose").addEventListener("click", () => this.#choose({}));
    part("pick").addEventListener("click", () => this.#pick());
    part("collection").addEventListener("change", () => this.#listDocuments());
    part("document").addEventListener("dblclick", () => part("picked").click());
    for (const id of ["length", "style"]) part(id).addEventListener("change", () => this.#optionsChanged());
    this.text.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.form.requestSubmit();
    });
    this.#drop();
    try { this.options = JSON.parse(localStorage.getItem(KEPT)) ?? {}; } catch { this.#optionsChanged(); }
    const { document: id, documentTitle: title } = form.dataset;
    if (id) this.#choose({ document: { id, title } });
    else if (part("file").files.length) this.#chose(part("file").files[0]); // chosen before this script had loaded
    this.#count();
  }

  /** As /ws/summarize/ takes them. */
  get options() {
    const length = part("length").value;
    const options = { length: length === "number" ? Number(part("number").value) || 100 : length, style: part("style").value };
    if (part("method")) {
      options.method = part("method").value;
      if (part("language").value) options.language = part("language").value;
    }
    try { localStorage.setItem(KEPT, JSON.stringify(options)); } catch { /* not kept */ }
    return options;
  }

  set options({ length = "medium", style = "paragraph", method, language }) {
    const isNumber = typeof length === "number";
    part("length").value = isNumber ? "number" : length;
    if (isNumber) part("number").value = length;
    part("style").value = style;
    if (part("method") && method) part("method").value = method;
    if (part("language")) part("language").value = language ?? "";
    this.#optionsChanged();
  }

  /** Sends the text to the site; resolves to its row, throws an error with a sentence. */
  async handIn() {
    const isText = !this.file && !this.document;
    if (isText && !this.text.value.trim()) {
      this.text.focus();
      throw new ApiError(gettext("Paste a text, choose a file, or pick a document first."), 400);
    }
    this.#busy(true);
    try {
      if (this.document) return await call("/api/v1/summaries/", { method: "POST", json: { document: this.document.id } });
      const body = new FormData();
      if (this.file) body.append("file", this.file);
      else body.append("file", new Blob([this.text.value], { type: "text/plain" }), PASTED);
      return await send(body);
    } finally {
      this.#busy(false);
    }
  }

  /** The text has been taken: only what is wanted of it can be changed now. */
  showTaken() {
    part("hand-in").hidden = true;
    part("go").textContent = gettext("Summarize again");
  }

  showProblem(message) {
    part("problem").textContent = message;
    part("problem").hidden = !message;
  }

  #busy(isBusy) {
    this.isBusy = isBusy;
    part("go").disabled = isBusy;
    part("reading").hidden = !isBusy;
  }

  #chose(file) {
    if (!file) return;
    const problem = problemWith(file, this.form.dataset);
    part("file").value = "";
    this.showProblem(problem ? `${file.name}: ${problem}` : "");
    if (!problem) this.#choose({ file });
  }

  #choose({ file = null, document = null }) {
    Object.assign(this, { file, document });
    const isChosen = Boolean(file || document);
    part("chosen").hidden = !isChosen;
    part("chosen").querySelector("span").textContent = file?.name ?? document?.title ?? "";
    this.text.hidden = isChosen;
    this.#count();
  }

  async #pick() {
    const dialog = part("picker");
    this.#listDocuments();
    dialog.returnValue = "";
    dialog.showModal();
    await new Promise((resolve) => { dialog.addEventListener("close", resolve, { once: true }); });
    const chosen = part("document").selectedOptions[0];
    if (dialog.returnValue === "yes" && chosen) this.#choose({ document: { id: chosen.value, title: chosen.textContent } });
  }

  async #listDocuments() {
    const list = part("document");
    const collection = part("collection").value;
    list.replaceChildren();
    try {
      const found = collection
        ? (await call(`/api/v1/documents/?collection=${collection}&page_size=200`)).results.filter((row) => row.status === "ready")
        : [];
      if (part("collection").value !== collection) return;
      list.replaceChildren(...found.map((row) => new Option(row.title || row.name, row.id)));
      list.selectedIndex = found.length ? 0 : -1;
      part("no-documents").hidden = found.length > 0;
      part("picked").disabled = !found.length;
    } catch (error) {
      this.showProblem(error.message);
    }
  }

  #optionsChanged() {
    const style = part("style").value;
    part("number-option").hidden = part("length").value !== "number" || style === "sentence";
    part("length").disabled = style === "sentence";
    const label = document.querySelector("label[for=number]");
    label.textContent = style === "key_terms" ? gettext("Terms") : gettext("Words");
    if (part("method")) {
      part("method").disabled = style === "key_terms";
      part("language").disabled = style === "key_terms";
    }
  }

  #count() {
    const count = Array.from(this.text.value).length;
    const limit = Number(this.form.dataset.characters);
    const language = document.documentElement.lang;
    part("counter").textContent = count && !this.text.hidden
      ? interpolate(ngettext("%s character", "%s characters", count), [count.toLocaleString(language)]) : "";
    part("counter").classList.toggle("over", count > limit);
  }

  #drop() {
    const zone = part("hand-in");
    let depth = 0; // dragenter and dragleave come for each element passed over
    const has = (event) => event.dataTransfer?.types.includes("Files") && !zone.hidden;
    addEventListener("dragenter", (event) => { if (has(event)) { depth += 1; zone.classList.add("over"); } });
    addEventListener("dragleave", (event) => { if (has(event) && --depth <= 0) zone.classList.remove("over"); });
    addEventListener("dragover", (event) => { if (has(event)) event.preventDefault(); });
    addEventListener("drop", (event) => {
      if (!has(event)) return;
      event.preventDefault();
      depth = 0;
      zone.classList.remove("over");
      this.#chose(event.dataTransfer.files[0]);
    });
  }
}

async function send(body) {
  let reply;
  try {
    const headers = { Accept: "application/json", "X-CSRFToken": csrfToken() };
    reply = await fetch("/api/v1/summaries/", { method: "POST", headers, body });
  } catch {
    throw new ApiError(gettext("The connection broke while the file was sent. Try again."), 0);
  }
  return readReply(reply.status, await reply.text());
}

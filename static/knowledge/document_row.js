// One document in a collection's list: its name, how far it is, what went wrong.
import { percent, size } from "../site/numbers.js";

const made = new WeakMap();
const isFromWeb = ({ source }) => /^https?:\/\//.test(source);

/** What is said of a document below its title; while it is read, what it waits for or how far it is. */
function facts(fields) {
  const unread = fields.unread_pages;
  return [isFromWeb(fields) ? fields.source : fields.name, size(fields.size),
    fields.recognised_pages ? gettext("by text recognition") : "",
    unread ? interpolate(ngettext("%s page not read", "%s pages not read", unread), [unread]) : "",
    fields.status === "processing" ? fields.error : ""];
}

export class DocumentRow {
  constructor(element) {
    this.element = element;
    this.part = (name) => element.querySelector(`.${name}`);
    made.set(element, this);
  }

  static make() {
    return new DocumentRow(document.importNode(document.getElementById("document-template").content.firstElementChild, true));
  }

  static of(element) { return made.get(element); }

  get id() { return this.element.dataset.id; }
  get title() { return this.part("name").textContent; }

  /** @param fields a document as the REST interface and the socket tell it. */
  show(fields) {
    this.element.dataset.id = fields.id;
    this.element.dataset.status = fields.status;
    this.part("name").textContent = fields.title || fields.name;
    this.part("name").href = fields.url;
    this.part("file").textContent = facts(fields).filter(Boolean).join(" · ");
    const total = fields.passages_total;
    const labels = document.getElementById("documents").dataset;
    const isReading = fields.status === "processing";
    const share = total ? fields.passages_done / total : null;
    this.#state(labels[fields.status] + (isReading && share !== null ? ` · ${percent(share)}` : ""),
      { ready: "good", failed: "bad" }[fields.status]);
    this.#progress(isReading ? share ?? undefined : null);
    this.#error(fields.status === "failed" ? fields.error : "");
    this.#retry(fields.status === "failed");
  }

  showWaiting(file) {
    this.part("name").textContent = file.name;
    this.part("file").textContent = file.size === null ? "" : size(file.size);
    this.#state(gettext("Waiting to be sent"));
    this.#progress(null);
    this.#error("");
    this.#retry(false);
  }

  showUploading(part) {
    this.#state(part < 1 ? `${gettext("Uploading")} · ${percent(part)}` : gettext("Arrived"));
    this.#progress(part);
  }

  /** The file never became a document. `again`: whether sending it once more may help. */
  showRefused(message, { again }) {
    this.#state(gettext("Not added"), "bad");
    this.#progress(null);
    this.#error(message);
    this.#retry(again);
  }

  notice() {
    this.element.classList.add("noticed");
    this.element.scrollIntoView({ block: "nearest" });
    setTimeout(() => this.element.classList.remove("noticed"), 3000);
  }

  #state(text, kind = "") {
    const badge = this.part("state");
    if (badge.textContent !== text) badge.textContent = text;
    badge.className = `badge state ${kind}`;
  }

  /** null: none; undefined: how far is not known. */
  #progress(share) {
    const bar = this.element.querySelector("progress");
    bar.hidden = share === null;
    if (share === undefined) bar.removeAttribute("value");
    else if (share !== null) bar.value = share;
  }

  #error(text) {
    this.part("document-error").textContent = text;
    this.part("document-error").hidden = !text;
  }

  #retry(isShown) {
    const button = this.element.querySelector("[data-action=retry]");
    if (button) button.hidden = !isShown;
  }
}

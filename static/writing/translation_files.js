// Files to translate: dropped or chosen, sent as one batch, followed until they are done.
import { call, csrfToken, readReply } from "../site/api.js";
import { toast } from "../site/notices.js";
import { filesOf, problemWith } from "../knowledge/uploads.js";

const LOOK_MS = 700;
const RUNNING = ["queued", "running"];

export class Files {
  constructor(card, languages) {
    this.card = card;
    this.languages = languages;
    this.list = card.querySelector("#file-list");
    this.row = document.getElementById("file-row");
    this.timer = null;
    this.states = {
      queued: [gettext("Waiting"), ""], running: [gettext("Being translated"), ""], done: [gettext("Translated"), "good"],
      failed: [gettext("Failed"), "bad"], cancelled: [gettext("Cancelled"), "warn"],
    };
    const input = card.querySelector("#files");
    input.addEventListener("change", () => { this.#send([...input.files]); input.value = ""; });
    card.addEventListener("dragover", (event) => { event.preventDefault(); card.classList.add("dropping"); });
    card.addEventListener("dragleave", () => card.classList.remove("dropping"));
    card.addEventListener("drop", async (event) => {
      event.preventDefault();
      card.classList.remove("dropping");
      this.#send(await filesOf(event.dataTransfer));
    });
    this.#look();
  }

  async #send(files) {
    const good = [];
    for (const file of files) {
      const problem = problemWith(file, this.card.dataset);
      if (problem) toast(`${file.name}: ${problem}`, { error: true });
      else good.push(file);
    }
    if (!good.length) return;
    const form = new FormData();
    form.append("source", this.languages.source);
    form.append("target", this.languages.target);
    for (const file of good) form.append("files", file);
    try {
      const reply = await fetch("/api/v1/translation-batches/", {
        method: "POST", body: form, headers: { "X-CSRFToken": csrfToken(), Accept: "application/json" },
      });
      readReply(reply.status, await reply.text());
    } catch (error) {
      toast(error.message, { error: true });
    }
    this.#look();
  }

  async #look() {
    clearTimeout(this.timer);
    let batches = [];
    try {
      batches = (await call("/api/v1/translation-batches/")).results;
    } catch {
      this.timer = setTimeout(() => this.#look(), 10 * LOOK_MS);
      return;
    }
    const files = batches.flatMap((batch) => batch.files.map((file) => ({ ...file, batch })));
    const known = new Map([...this.list.children].map((item) => [item.dataset.id, item]));
    this.list.replaceChildren(...files.map((file) => this.#show(file, known.get(file.id))));
    if (files.some((file) => RUNNING.includes(file.status))) this.timer = setTimeout(() => this.#look(), LOOK_MS);
  }

  #show(file, known) {
    const item = known ?? this.#item(file);
    const part = (name) => item.querySelector(name);
    const [text, look] = this.states[file.status];
    part(".state").textContent = text;
    part(".state").className = `state badge ${look}`;
    const progress = part("progress");
    progress.hidden = file.status !== "running" || !file.sentences_total;
    progress.value = file.sentences_total ? file.sentences_done / file.sentences_total : 0;
    part(".detail").textContent = file.error || this.#detail(file);
    part(".download").hidden = file.status !== "done";
    part(".download").href = file.url;
    part(".stop").hidden = !RUNNING.includes(file.status);
    part(".again").hidden = !["failed", "cancelled"].includes(file.status);
    return item;
  }

  #detail(file) {
    if (!file.sentences_total) return "";
    const counts = { done: file.sentences_done, total: file.sentences_total };
    const said = [interpolate(gettext("%(done)s of %(total)s sentences"), counts, true)];
    const source = file.batch.source === "auto" ? file.detected : file.batch.source;
    if (source) said.unshift(`${this.languages.name(source)} → ${this.languages.name(file.batch.target)}`);
    if (file.flagged) said.push(interpolate(ngettext("%s to look at", "%s to look at", file.flagged), [file.flagged]));
    return said.join(" · ");
  }

  #item(file) {
    const item = this.row.content.firstElementChild.cloneNode(true);
    item.dataset.id = file.id;
    item.querySelector(".file-name").textContent = file.name;
    const on = (name, path, method) => item.querySelector(name).addEventListener("click", async () => {
      try { await call(path, { method }); } catch (error) { toast(error.message, { error: true }); }
      this.#look();
    });
    on(".stop", `/api/v1/translation-files/${file.id}/cancel/`, "POST");
    on(".again", `/api/v1/translation-files/${file.id}/retry/`, "POST");
    on(".remove", `/api/v1/translation-files/${file.id}/`, "DELETE");
    return item;
  }
}

// The list of conversations: search, rename, export, delete, more; a drawer on narrow screens.
import { call } from "../site/api.js";
import { confirmed, toast } from "../site/notices.js";

const ADDRESS = "/api/v1/conversations/";
const TYPING_PAUSE_MS = 200;

export class Sidebar {
  constructor(element, { onRenamed }) {
    this.element = element;
    this.onRenamed = onRenamed;
    this.list = document.getElementById("conversations");
    this.none = document.getElementById("no-conversations");
    this.more = document.getElementById("more-conversations");
    this.noneText = this.none.textContent;
    this.query = "";
    this.page = 1;
    this.list.querySelectorAll("li").forEach((row) => this.#addresses(row));
    this.list.addEventListener("click", (event) => this.#clicked(event));
    this.more.addEventListener("click", () => this.#load(this.page + 1));
    const field = document.getElementById("conversation-search");
    field.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => { this.query = field.value.trim(); this.#load(1); }, TYPING_PAUSE_MS);
    });
    this.#drawer();
  }

  /** A conversation was begun or went on: it is the first of the list now, and the one that is open. */
  begun(id, title) {
    const known = this.list.querySelector(`[data-id="${id}"]`);
    const row = known ?? this.#row({ id, title });
    this.list.querySelectorAll(".current").forEach((other) => this.#mark(other, false));
    this.#mark(row, true);
    this.list.prepend(row);
    this.list.dataset.current = id;
    this.none.hidden = true;
  }

  #mark(row, isCurrent) {
    row.classList.toggle("current", isCurrent);
    if (isCurrent) row.querySelector("a").setAttribute("aria-current", "page");
    else row.querySelector("a").removeAttribute("aria-current");
  }

  #row({ id, title }) {
    const row = document.importNode(document.getElementById("conversation-template").content.firstElementChild, true);
    row.dataset.id = id;
    const link = row.querySelector("a");
    link.href = `/c/${id}/`;
    if (title) link.textContent = title;
    this.#addresses(row);
    this.#mark(row, id === this.list.dataset.current);
    return row;
  }

  #addresses(row) {
    for (const link of row.querySelectorAll("[data-export]")) {
      link.href = `${ADDRESS}${row.dataset.id}/export/?as=${link.dataset.export}`;
    }
  }

  async #load(page) {
    this.request?.abort();
    this.request = new AbortController();
    const query = new URLSearchParams({ page, ...(this.query && { q: this.query }) });
    try {
      const found = await call(`${ADDRESS}?${query}`, { signal: this.request.signal });
      const rows = found.results.map((conversation) => this.#row(conversation));
      if (page === 1) this.list.replaceChildren(...rows);
      else this.list.append(...rows);
      this.page = page;
      this.more.hidden = !found.next;
      this.none.hidden = this.list.children.length > 0;
      this.none.textContent = this.query ? gettext("No conversation holds these words.") : this.noneText;
    } catch (error) {
      if (error.name !== "AbortError") toast(error.message, { error: true });
    }
  }

  #clicked(event) {
    const button = event.target.closest("[data-action], [data-export]");
    if (!button) return;
    const row = button.closest("li");
    button.closest("details").open = false;
    if (button.dataset.action === "rename") this.#rename(row);
    if (button.dataset.action === "delete") this.#delete(row);
  }

  async #rename(row) {
    const dialog = document.getElementById("rename-dialog");
    const field = document.getElementById("rename-field");
    const link = row.querySelector("a");
    field.value = link.textContent;
    dialog.returnValue = "";
    dialog.showModal();
    field.select();
    await new Promise((resolve) => { dialog.addEventListener("close", resolve, { once: true }); });
    const title = field.value.trim();
    if (dialog.returnValue !== "yes" || !title) return;
    try {
      const changed = await call(`${ADDRESS}${row.dataset.id}/`, { method: "PATCH", json: { title } });
      link.textContent = changed.title;
      this.onRenamed(row.dataset.id, changed.title);
    } catch (error) {
      toast(error.message, { error: true });
    }
  }

  async #delete(row) {
    const title = row.querySelector("a").textContent;
    const question = interpolate(gettext("Delete “%s”?"), [title]);
    if (!await confirmed(question, gettext("Delete"), gettext("Its questions and answers cannot be brought back."))) return;
    try {
      await call(`${ADDRESS}${row.dataset.id}/`, { method: "DELETE" });
    } catch (error) {
      if (error.status !== 404) { toast(error.message, { error: true }); return; }
    }
    if (row.dataset.id === this.list.dataset.current) { location.assign("/"); return; }
    row.remove();
    this.none.hidden = this.list.children.length > 0;
  }

  #drawer() {
    const toggle = document.querySelector(".sidebar-toggle");
    const open = (isOpen) => {
      document.body.classList.toggle("sidebar-open", isOpen);
      toggle.setAttribute("aria-expanded", String(isOpen));
      if (isOpen) this.element.querySelector("a").focus();
    };
    toggle.addEventListener("click", () => open(!document.body.classList.contains("sidebar-open")));
    document.querySelector(".sidebar-backdrop").addEventListener("click", () => open(false));
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.defaultPrevented || !document.body.classList.contains("sidebar-open")) return;
      event.preventDefault();
      open(false);
      toggle.focus();
    });
  }
}

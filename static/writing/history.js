// What a signed-in person translated, the latest first; a click brings it back.
import { call } from "../site/api.js";
import { confirmed, toast } from "../site/notices.js";

const SEARCH_MS = 250;

export class History {
  constructor(languages, { onChosen }) {
    this.languages = languages;
    this.onChosen = onChosen;
    this.box = document.getElementById("history");
    this.list = document.getElementById("history-list");
    this.row = document.getElementById("history-row");
    this.clearButton = document.getElementById("clear-history");
    this.box.addEventListener("toggle", () => this.changed());
    this.clearButton.addEventListener("click", () => this.#clear());
    this.search = document.getElementById("history-search");
    this.none = document.getElementById("history-none");
    this.search.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.changed(), SEARCH_MS);
    });
  }

  async changed() {
    if (!this.box.open) return;
    const wanted = new URLSearchParams({ search: this.search.value.trim() });
    this.box.querySelectorAll("[data-export]").forEach((link) => {
      link.href = `/api/v1/translations/export/?as=${link.dataset.export}&${wanted}`;
    });
    try {
      const page = await call(`/api/v1/translations/?page_size=200&${wanted}`);
      if (wanted.get("search") !== this.search.value.trim()) return; // another search has been asked for since
      this.list.replaceChildren(...page.results.map((entry) => this.#item(entry)));
      const isAll = !wanted.get("search");
      this.none.textContent = isAll ? gettext("Nothing has been translated yet.") : gettext("Nothing is found.");
      this.none.hidden = page.results.length > 0;
      this.clearButton.hidden = !isAll || !page.results.length;
    } catch (error) {
      toast(error.message, { error: true });
    }
  }

  #item(entry) {
    const item = this.row.content.firstElementChild.cloneNode(true);
    const [from, to] = [entry.source, entry.target].map((code) => this.languages.name(code));
    item.querySelector(".languages").textContent = `${from} → ${to}`;
    item.querySelector(".text").textContent = entry.text;
    item.querySelector(".translated").textContent = entry.translation;
    item.querySelector(".history-entry").addEventListener("click", () => this.onChosen(entry));
    item.querySelector(".icon-button").addEventListener("click", async () => {
      try {
        await call(`/api/v1/translations/${entry.id}/`, { method: "DELETE" });
        await this.changed();
      } catch (error) { toast(error.message, { error: true }); }
    });
    return item;
  }

  async #clear() {
    if (!await confirmed(gettext("Delete the whole history?"), gettext("Delete"))) return;
    try {
      await call("/api/v1/translations/clear/", { method: "POST" });
      await this.changed();
    } catch (error) { toast(error.message, { error: true }); }
  }
}

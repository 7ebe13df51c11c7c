// The glossary of the chosen pair: one's own terms and the site's, with how often each was met.
import { call } from "../site/api.js";
import { toast } from "../site/notices.js";

export class Glossary {
  constructor(languages, { onChange }) {
    this.languages = languages;
    this.onChange = onChange;
    this.list = document.getElementById("terms");
    this.error = document.getElementById("term-error");
    this.row = document.getElementById("term-row");
    this.terms = [];
    document.getElementById("term-form").addEventListener("submit", (event) => { event.preventDefault(); this.#add(); });
    document.getElementById("glossary").addEventListener("toggle", () => this.load());
  }

  async load() {
    let next = "/api/v1/glossary/";
    const found = [];
    try {
      while (next) {
        const page = await call(next);
        found.push(...page.results);
        next = page.next && new URL(page.next).pathname + new URL(page.next).search;
      }
    } catch (error) {
      this.#tell(error.message);
      return;
    }
    this.terms = found;
    this.show();
  }

  show() {
    const { source, target } = this.languages;
    const shown = this.terms.filter((term) => term.target_language === target
      && (source === "auto" || term.source_language === source));
    this.list.replaceChildren(...shown.map((term) => this.#item(term)));
  }

  #item(term) {
    const item = this.row.content.firstElementChild.cloneNode(true);
    item.querySelector(".term").textContent = `${term.source} → ${term.target}`;
    const met = interpolate(ngettext("met %s time", "met %s times", term.hits), [term.hits]);
    item.querySelector(".hits").textContent = term.site ? `${gettext("everyone’s")} · ${met}` : met;
    const button = item.querySelector("button");
    button.addEventListener("click", async () => {
      try {
        await call(`/api/v1/glossary/${term.id}/`, { method: "DELETE" });
        await this.load();
        this.onChange();
      } catch (error) {
        toast(error.status === 404 ? gettext("Only an administrator can delete everyone’s terms.") : error.message, { error: true });
      }
    });
    return item;
  }

  async #add() {
    const [source, target] = ["term-source", "term-target"].map((id) => document.getElementById(id));
    if (this.languages.source === "auto") {
      this.#tell(gettext("Choose the language that the word is in, above."));
      return;
    }
    try {
      await call("/api/v1/glossary/", { method: "POST", json: {
        source: source.value, target: target.value, source_language: this.languages.source,
        target_language: this.languages.target, site: document.getElementById("term-site")?.checked ?? false,
      } });
    } catch (error) {
      this.#tell(error.message);
      return;
    }
    this.#tell("");
    source.value = target.value = "";
    source.focus();
    await this.load();
    this.onChange();
  }

  #tell(sentence) {
    this.error.textContent = sentence;
    this.error.hidden = !sentence;
  }
}

// Which languages can be chosen, what was detected, and how good the chosen pair is.
import { call } from "../site/api.js";
import { percent } from "../site/numbers.js";

const KEPT = "translate-languages";

export class Languages {
  constructor({ onChange }) {
    this.sources = document.getElementById("source");
    this.targets = document.getElementById("target");
    this.detected = document.getElementById("detected");
    this.known = { languages: [], pairs: [] };
    this.onChange = onChange;
    this.sources.addEventListener("change", () => { this.#fitTargets(); this.#keep(); onChange(); });
    this.targets.addEventListener("change", () => { this.isTargetChosen = true; this.#keep(); onChange(); });
  }

  get source() { return this.sources.value; }

  get target() { return this.targets.value; }

  name(code) { return this.known.languages.find((one) => one.code === code)?.name ?? code; }

  async load() {
    this.known = await call("/api/v1/languages");
    const sources = this.known.languages.filter((one) => one.targets.length);
    const targets = new Set(sources.flatMap((one) => one.targets));
    this.sources.append(...sources.map(option));
    this.targets.append(...this.known.languages.filter((one) => targets.has(one.code)).map(option));
    let kept = {};
    try { kept = JSON.parse(localStorage.getItem(KEPT)) ?? {}; } catch { /* storage may be switched off */ }
    const own = document.documentElement.lang.slice(0, 2);
    this.choose(kept.source ?? "auto", kept.target ?? own);
    this.#table();
    if (!this.known.pairs.length) throw new Error(gettext("No translation model is installed. An administrator can add one."));
    this.onChange();
  }

  choose(source, target) {
    if ([...this.sources.options].some((one) => one.value === source)) this.sources.value = source;
    if ([...this.targets.options].some((one) => one.value === target)) this.targets.value = target;
    this.#fitTargets();
    this.#keep();
  }

  /** Whether another target could be taken, for the text is in this one and nobody has chosen it. */
  leave(language) {
    const others = [...this.targets.options].filter((one) => !one.disabled && one.value !== language);
    if (this.isTargetChosen || this.source !== "auto" || !others.length) return false;
    this.targets.value = (others.find((one) => one.value === "en") ?? others[0]).value;
    return true;
  }

  /** Whether the languages could be swapped; `detected` stands for a source that is detected. */
  swap(detected) {
    const from = this.source === "auto" ? detected : this.source;
    const to = this.target;
    this.isTargetChosen = true;
    if (!from || from === to || ![...this.sources.options].some((one) => one.value === to)) return false;
    this.choose(to, from);
    return true;
  }

  showDetected(detected) {
    this.detected.textContent = detected?.language && detected.confidence
      ? interpolate(gettext("%(name)s, %(share)s sure"),
        { name: this.name(detected.language), share: percent(detected.confidence) }, true)
      : "";
  }

  /** One honest line about the models that translate this. */
  quality({ source, target, via }) {
    if (source === target) return gettext("The text is in this language already.");
    const legs = via ? [[source, via], [via, target]] : [[source, target]];
    const figures = legs.map(([from, to]) => this.known.pairs.find((one) => one.source === from && one.target === to)?.figures ?? {});
    const bleu = Math.min(...figures.map((one) => one.bleu ?? NaN));
    const parts = [];
    if (via) parts.push(interpolate(gettext("Through %s, as no model offers this pair."), [this.name(via)]));
    if (Number.isNaN(bleu)) parts.push(gettext("How good this is was never measured."));
    else {
      const data = figures[0].data ?? "";
      parts.push(interpolate(gettext("BLEU %(bleu)s on %(data)s."), { bleu: bleu.toFixed(1), data }, true));
    }
    parts.push(gettext("It makes mistakes: check what matters."));
    return parts.join(" ");
  }

  #fitTargets() {
    const reachable = this.known.languages.find((one) => one.code === this.source)?.targets;
    for (const one of this.targets.options) one.disabled = Boolean(reachable) && !reachable.includes(one.value);
    if (this.targets.selectedOptions[0]?.disabled ?? true) {
      const first = [...this.targets.options].find((one) => !one.disabled);
      if (first) this.targets.value = first.value;
    }
  }

  #keep() {
    try { localStorage.setItem(KEPT, JSON.stringify({ source: this.source, target: this.target })); } catch { /* then not */ }
  }

  #table() {
    const rows = this.known.pairs.map((pair) => [
      [`${this.name(pair.source)} → ${this.name(pair.target)}`], [pair.figures.bleu?.toFixed(1) ?? "–", "number"],
      [pair.figures.chrf?.toFixed(1) ?? "–", "number"], [pair.figures.data ?? gettext("not measured")], [pair.model],
    ]);
    for (const { source, target } of this.known.through_english ?? []) {
      rows.push([[`${this.name(source)} → ${this.name(target)}`], ["–", "number"], ["–", "number"],
        [gettext("through English")], [""]]);
    }
    const table = document.createElement("table");
    const head = table.createTHead().insertRow();
    for (const title of [gettext("Languages"), "BLEU", "chrF", gettext("Measured on"), gettext("Model")]) {
      const cell = document.createElement("th");
      cell.scope = "col";
      cell.textContent = title;
      head.append(cell);
    }
    const body = table.createTBody();
    for (const row of rows) {
      const line = body.insertRow();
      for (const [text, name] of row) {
        const cell = line.insertCell();
        cell.textContent = text;
        if (name) cell.className = name;
      }
    }
    document.getElementById("pair-table").replaceChildren(rows.length ? table : gettext("No translation model is installed. An administrator can add one."));
  }
}

function option({ code, name }) {
  const made = document.createElement("option");
  made.value = code;
  made.textContent = name;
  return made;
}

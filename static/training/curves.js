// Small line charts in SVG: one for each figure of a job, one or more series over each other, a readout under the pointer.

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 300;
const HEIGHT = 110;
const MOST_POINTS = 600;

export const FIGURES = [
  ["loss", () => gettext("Loss")],
  ["learning_rate", () => gettext("Learning rate")],
  ["gradient_norm", () => gettext("Gradient norm")],
  ["examples_per_second", () => gettext("Examples a second")],
  ["epsilon", () => gettext("Epsilon spent")],
  ["memory_bytes", () => gettext("Memory, GB")],
];

const scaled = (name, value) => (name === "memory_bytes" ? value / 1e9 : value);

/** All charts of a job or of several; `add` takes events as the job's folder has them. */
export class Curves {
  constructor(container, names = [""]) {
    this.container = container;
    this.names = names;
    this.charts = new Map();
  }

  add(event, series = 0) {
    for (const [name, label] of FIGURES) {
      if (typeof event[name] === "number") this.#chart(name, label()).add(event.step, scaled(name, event[name]), series);
    }
    for (const [name, value] of Object.entries(event.metrics ?? {})) {
      this.#chart(`metric ${name}`, name).add(event.step, value, series);
    }
  }

  /** A run that goes on from an earlier step: what came after it did not happen. */
  cut(step, series = 0) { for (const chart of this.charts.values()) chart.cut(step, series); }

  draw() { for (const chart of this.charts.values()) chart.draw(); }

  #chart(key, label) {
    if (!this.charts.has(key)) {
      const chart = new Chart(label, this.names);
      this.charts.set(key, chart);
      this.container.append(chart.element);
    }
    return this.charts.get(key);
  }
}

class Chart {
  constructor(label, names) {
    this.names = names;
    this.series = names.map(() => new Map()); // step -> value; a step told twice counts once
    this.element = document.createElement("figure");
    this.element.className = "chart card";
    this.caption = document.createElement("figcaption");
    const title = document.createElement("strong");
    title.textContent = label;
    this.now = document.createElement("span");
    this.now.className = "now";
    this.caption.append(title, this.now);
    this.svg = make("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label, preserveAspectRatio: "none" });
    this.lines = names.map((_, index) => make("polyline", { class: `line series-${index}`, fill: "none" }));
    this.cursor = make("line", { class: "cursor", y1: 0, y2: HEIGHT, visibility: "hidden" });
    this.svg.append(make("line", { class: "base", x1: 0, x2: WIDTH, y1: HEIGHT - 1, y2: HEIGHT - 1 }), ...this.lines, this.cursor);
    this.axis = document.createElement("div");
    this.axis.className = "axis small muted";
    this.axis.append(...["low", "high"].map((name) => Object.assign(document.createElement("span"), { className: name })));
    this.element.append(this.caption, this.svg, this.axis);
    this.svg.addEventListener("pointermove", (event) => this.#point(event));
    this.svg.addEventListener("pointerleave", () => { this.cursor.setAttribute("visibility", "hidden"); this.#showLast(); });
  }

  add(step, value, series) { this.series[series].set(step, value); }

  cut(step, series) {
    for (const known of this.series[series].keys()) if (known > step) this.series[series].delete(known);
  }

  draw() {
    this.points = this.series.map((own) => thinned([...own].sort((a, b) => a[0] - b[0])));
    const all = this.points.flat();
    if (!all.length) { this.lines.forEach((line) => line.setAttribute("points", "")); this.now.textContent = ""; return; }
    const steps = all.map((point) => point[0]);
    const values = all.map((point) => point[1]);
    this.from = Math.min(...steps);
    this.to = Math.max(...steps, this.from + 1);
    const low = Math.min(...values);
    const high = Math.max(...values);
    const room = (high - low) * 0.06 || Math.abs(high) * 0.1 || 1;
    const y = (value) => HEIGHT - 3 - ((value - low + room) / (high - low + 2 * room)) * (HEIGHT - 6);
    this.lines.forEach((line, index) => {
      const own = this.points[index];
      const drawn = own.length === 1 ? [own[0], [own[0][0] + (this.to - this.from) * 0.02, own[0][1]]] : own;
      line.setAttribute("points", drawn.map(([step, value]) => `${this.#x(step).toFixed(1)},${y(value).toFixed(1)}`).join(" "));
    });
    this.axis.querySelector(".low").textContent = `${number(low)} – ${number(high)}`;
    this.axis.querySelector(".high").textContent = interpolate(gettext("step %s"), [Math.max(...steps)]);
    this.element.dataset.points = String(all.length);
    this.#showLast();
  }

  #x(step) { return ((step - this.from) / (this.to - this.from)) * WIDTH; }

  #showLast() { this.now.textContent = this.points?.map((own) => (own.length ? number(own.at(-1)[1]) : "–")).join(" · ") ?? ""; }

  #point(event) {
    if (!this.points?.flat().length) return;
    const box = this.svg.getBoundingClientRect();
    const wanted = this.from + ((event.clientX - box.left) / box.width) * (this.to - this.from);
    const nearest = this.points.map((own) => own.reduce(
      (best, point) => (!best || Math.abs(point[0] - wanted) < Math.abs(best[0] - wanted) ? point : best), null));
    const step = nearest.find(Boolean)[0];
    for (const end of ["x1", "x2"]) this.cursor.setAttribute(end, this.#x(step));
    this.cursor.setAttribute("visibility", "visible");
    this.now.textContent = `${nearest.map((point) => (point ? number(point[1]) : "–")).join(" · ")} @ ${step}`;
  }
}

/** Every n-th point and the last, so that a long run draws quickly. */
function thinned(points) {
  const every = Math.ceil(points.length / MOST_POINTS);
  return every <= 1 ? points : points.filter((_, index) => index % every === 0 || index === points.length - 1);
}

function number(value) {
  const size = Math.abs(value);
  if (size !== 0 && size < 0.001) return value.toExponential(1);
  return new Intl.NumberFormat(document.documentElement.lang, { maximumSignificantDigits: size >= 1000 ? 4 : 3 }).format(value);
}

function make(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

// Parallel coordinates: an axis for each setting that a search varied and for what the trials came to, a line a trial.

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 640;
const HEIGHT = 190;
const MARGIN = { top: 26, bottom: 26, side: 56 };
const LOGARITHMIC_FROM = 20; // the largest value over the smallest

/** A figure for the trials of a search, or null where there is nothing to compare. `format` writes a number. */
export function parallelCoordinates({ trials, best, watched }, format) {
  const told = trials.filter((trial) => typeof trial.value === "number");
  const names = [...new Set(told.flatMap((trial) => Object.keys(trial.params)))];
  if (told.length < 2 || !names.length) return null;
  const axes = [...names.map((name) => axis(name, told.map((trial) => trial.params[name]))),
    axis(watched, told.map((trial) => trial.value))];
  const x = (index) => MARGIN.side + (index * (WIDTH - 2 * MARGIN.side)) / (axes.length - 1);
  const svg = make("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": gettext("Which settings led to which result; the table below has the numbers") });
  // the best one last, so that it lies over the others
  for (const index of told.map((_, at) => at).sort((a, b) => (told[a].number === best) - (told[b].number === best))) {
    svg.append(line(told[index], axes.map((one, at) => `${x(at)},${one.place(index)}`), best, watched, format));
  }
  axes.forEach((one, index) => svg.append(...drawn(one, x(index), format)));
  const figure = document.createElement("figure");
  figure.className = "parallel";
  figure.append(svg);
  return figure;
}

function axis(name, values) {
  const { top, bottom } = MARGIN;
  const place = (share) => HEIGHT - bottom - share * (HEIGHT - top - bottom);
  if (!values.every((value) => typeof value === "number")) {
    const words = [...new Set(values.map((value) => String(value ?? "–")))];
    const at = (word) => place(words.length > 1 ? words.indexOf(word) / (words.length - 1) : 0.5);
    return { name, place: (index) => at(String(values[index] ?? "–")), marks: words.map((word) => [at(word), word]) };
  }
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const scale = low > 0 && high / low >= LOGARITHMIC_FROM ? Math.log : (value) => value;
  const share = (value) => (high === low ? 0.5 : (scale(value) - scale(low)) / (scale(high) - scale(low)));
  const marks = high === low ? [[place(0.5), low]] : [[place(0), low], [place(1), high]];
  return { name, place: (index) => place(share(values[index])), marks };
}

function line(trial, points, best, watched, format) {
  const state = trial.number === best ? "best" : trial.state === "complete" ? "" : "unfinished";
  const made = make("polyline", { class: `trial ${state}`, points: points.join(" "), fill: "none" });
  const said = [...Object.entries(trial.params), [watched, trial.value]].map(([name, value]) => `${name} ${format(value)}`);
  const title = make("title", {});
  title.textContent = `${gettext("Trial")} ${trial.number}: ${said.join(", ")}`;
  made.append(title);
  return made;
}

function drawn({ name, marks }, x, format) {
  const label = text(x, 12, name, "name");
  const values = marks.map(([y, value]) => text(x + 5, y + 4, typeof value === "number" ? format(value) : value, "value"));
  return [make("line", { class: "axis-line", x1: x, x2: x, y1: MARGIN.top, y2: HEIGHT - MARGIN.bottom }), label, ...values];
}

function text(x, y, content, look) {
  const made = make("text", { x, y, class: look });
  made.textContent = content;
  return made;
}

function make(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

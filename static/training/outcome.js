// What a job came to beside a model, as a table: a row a fold, or a row a trial with the best one marked, or a distilled
// model beside the larger one. Below a model's own result: the copies that its training made of the examples.
import { parallelCoordinates } from "./parallel.js";
import { duration } from "./states.js";

const WORDS = {
  complete: () => gettext("Done"), pruned: () => gettext("Ended early"), fail: () => gettext("Cannot be trained"),
};

export function showOutcome(box, result) {
  const table = result.folds ? ofFolds(result) : result.trials?.length ? ofTrials(result) : result.compressed ? ofCompressed(result) : result.augmented ? ofAugmented(result) : null;
  box.hidden = !table;
  if (table) box.replaceChildren(...table);
}

function ofFolds({ folds, mean, deviation }) {
  const names = Object.keys(mean);
  const rows = folds.map((fold, index) => [String(index + 1), String(fold.rows), ...names.map((name) => number(fold.metrics[name]))]);
  const ends = [[gettext("Mean"), "", ...Object.values(mean).map(number)], [gettext("Standard deviation"), "", ...Object.values(deviation).map(number)]];
  return [heading(gettext("Folds")), table([gettext("Fold"), gettext("Rows"), ...names], [...rows, ...ends], (index) => (index === rows.length ? "best" : ""))];
}

function ofTrials({ trials, best, watched }) {
  const names = [...new Set(trials.flatMap((trial) => Object.keys(trial.params)))];
  const rows = trials.map((trial) => [String(trial.number), ...names.map((name) => number(trial.params[name])), number(trial.value),
    duration(trial.seconds), (WORDS[trial.state] ?? (() => trial.state))() + (trial.number === best ? ` · ${gettext("best")}` : "")]);
  const drawn = parallelCoordinates({ trials, best, watched }, number);
  return [heading(gettext("Trials")), ...(drawn ? [drawn] : []), table([gettext("Trial"), ...names, watched, gettext("Time"), ""], rows, (index) => (trials[index].number === best ? "best" : ""))];
}

function ofCompressed({ compressed: { before, after } }) {
  const named = { parameters: gettext("Parameters"), milliseconds: gettext("Milliseconds a question") };
  const rows = Object.keys(before).map((name) => [named[name] ?? name, number(before[name]), number(after[name])]);
  return [heading(gettext("Smaller model")), table(["", gettext("Before"), gettext("After")], rows, () => "")];
}

function ofAugmented({ augmented }) {
  const rows = augmented.flatMap(({ name, before, after, examples }) => examples.length
    ? examples.map(([given, made], index) => [name, index ? "" : number(before), index ? "" : number(after), given, made])
    : [[name, number(before), number(after), "", ""]]);
  return [heading(gettext("Changed copies")), table([gettext("Step"), gettext("Examples before"), gettext("Examples after"), gettext("Example"), gettext("Changed copy")], rows, () => "")];
}

function number(value) {
  if (typeof value !== "number") return value ?? "–";
  const small = value !== 0 && Math.abs(value) < 0.001;
  return new Intl.NumberFormat(document.documentElement.lang, small ? { notation: "scientific", maximumSignificantDigits: 3 } : { maximumSignificantDigits: 4 }).format(value);
}

function heading(text) {
  return Object.assign(document.createElement("h2"), { textContent: text });
}

function table(names, rows, look) {
  const made = Object.assign(document.createElement("table"), { className: "board" });
  const head = made.createTHead().insertRow();
  for (const name of names) head.append(Object.assign(document.createElement("th"), { scope: "col", textContent: name }));
  const body = made.createTBody();
  rows.forEach(([first, ...cells], index) => {
    const row = body.insertRow();
    row.className = look(index);
    row.append(Object.assign(document.createElement("th"), { scope: "row", textContent: first }));
    for (const cell of cells) row.insertCell().textContent = cell;
  });
  return made;
}

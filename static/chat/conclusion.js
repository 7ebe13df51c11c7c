// The line above an answer's quotes: what was worked out from them, or that documents contradict each other.

/** @returns {{answer: string, how: string} | null} */
export function conclusion({ worked_out: workedOut, contradicting }) {
  if (workedOut) return { answer: workedOut.answer, how: HOW[workedOut.kind]?.(workedOut) ?? "" };
  if (contradicting?.length) {
    const versions = contradicting.map(({ value, title, year }) => {
      const named = year && !title.includes(year) ? `${title}, ${year}` : title;
      return interpolate(gettext("%(value)s (%(document)s)"), { value, document: named }, true);
    });
    return { answer: gettext("The documents contradict each other."),
      how: interpolate(gettext("Newest first: %s."), [versions.join(gettext("; "))]) };
  }
  return null;
}

const rows = ({ rows: count, of }) =>
  interpolate(gettext("Worked out from %(count)s of the %(of)s rows of a table."), { count, of }, true);

const HOW = {
  count: rows,
  list: rows,
  extreme: ({ of }) => interpolate(gettext("By comparing the %s rows of a table."), [of]),
  comparison: ({ values }) => interpolate(gettext("By comparing: %s."),
    [values.map(({ of, value }) => interpolate(gettext("%(thing)s – %(value)s"), { thing: of, value }, true))
      .join(gettext("; "))]),
};

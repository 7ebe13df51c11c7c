// The line under an answer that says whether the knowledge graph agrees, or that the answer is the graph's own.

const HEADINGS = {
  confirmed: () => gettext("The knowledge graph confirms this:"),
  contradicted: () => gettext("The knowledge graph says otherwise:"),
  answered: () => gettext("Answered from the knowledge graph, not from the documents:"),
};

/**
 * @param says `verification.graph` of an answer, or undefined.
 * @returns the line's nodes; null where the graph says nothing.
 */
export function graphLine(says) {
  const heading = HEADINGS[says?.verdict]?.();
  if (!heading) return null;
  const nodes = [heading, " "];
  says.facts.forEach(({ subject, predicate, object }, index) => {
    if (index) nodes.push(gettext("; "));
    nodes.push(thing(subject), ` · ${predicate.label} · `, thing(object));
  });
  return nodes;
}

/** Its name, which leads to what the graph says of it; a date or a number is text alone. */
function thing({ label, iri }) {
  if (!iri) return label;
  const link = document.createElement("a");
  link.href = `/graph/entity/?${new URLSearchParams({ iri })}`;
  link.textContent = label;
  return link;
}

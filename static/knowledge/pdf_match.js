// Where a passage of a document's stored text stands in the pieces of text that a PDF page is drawn from.
// Only letters and digits are compared: the stored text has other line breaks, hyphens and cell borders than the page.

const FEWEST_LETTERS = 12; // of a sentence that is looked for alone

/** @param pieces the page's texts in their order.
 *  @param passage {text, span}: the passage, and the exact answer within it, or "".
 *  @returns [{node, start, end, isSpan}] in order: ranges of pieces (by their place) that are to be marked. */
export function markedRanges(pieces, { text, span }) {
  const page = lettersOf(pieces);
  const whole = find(page.letters, lettersOf([text]).letters);
  const found = whole ? [whole] : sentencesOf(text).map((part) => find(page.letters, lettersOf([part]).letters)).filter(Boolean);
  const marked = new Array(page.letters.length).fill(0);
  for (const [start, end] of found) marked.fill(1, start, end);
  const inner = lettersOf([span]).letters;
  for (const [start, end] of inner ? found : []) {
    const at = page.letters.slice(start, end).indexOf(inner);
    if (at >= 0) {
      marked.fill(2, start + at, start + at + inner.length);
      break;
    }
  }
  return rangesOf(marked, page.places);
}

function sentencesOf(text) {
  return text.split(/(?<=[.!?。！？])\s+|\n+/).filter((part) => lettersOf([part]).letters.length >= FEWEST_LETTERS);
}

function find(letters, wanted) {
  const at = wanted ? letters.indexOf(wanted) : -1;
  return at < 0 ? null : [at, at + wanted.length];
}

/** The letters and digits of the pieces, in one form, and for each its place as [piece, start, end]. */
function lettersOf(pieces) {
  let letters = "";
  const places = [];
  pieces.forEach((piece, number) => {
    let at = 0;
    for (const character of piece) {
      const end = at + character.length;
      for (const unit of character.normalize("NFKC").toLowerCase()) {
        if (!/[\p{L}\p{N}]/u.test(unit)) continue;
        letters += unit;
        for (let i = 0; i < unit.length; i += 1) places.push([number, at, end]);
      }
      at = end;
    }
  });
  return { letters, places };
}

/** Neighbouring letters of one piece that are marked alike make one range, with what stands between them. */
function rangesOf(marked, places) {
  const ranges = [];
  marked.forEach((kind, index) => {
    if (!kind) return;
    const [node, start, end] = places[index];
    const last = ranges.at(-1);
    const goesOn = last && last.node === node && last.isSpan === (kind === 2) && marked[index - 1] === kind;
    if (goesOn) last.end = end;
    else ranges.push({ node, start: Math.max(start, last?.node === node ? last.end : 0), end, isSpan: kind === 2 });
  });
  return ranges.filter((range) => range.end > range.start);
}

// A document's page: scrolls to the quoted passage and brings the text before and after as it is wanted.
import { call } from "../site/api.js";
import { toast } from "../site/notices.js";
import { tidied } from "../site/tidy.js";

const PIECE = 20_000; // characters
const article = document.getElementById("text");

if (article) {
  const text = article.querySelector(".text");
  const nodes = article.dataset.type === "text/markdown" ? tidied : (piece) => [piece];
  const passage = { text: document.getElementById("passage")?.textContent ?? "",
    span: document.querySelector("#passage .span")?.textContent ?? "" };
  tidyAll(text);
  document.getElementById("passage")?.scrollIntoView({ block: "center" });

  const earlier = article.querySelector(".earlier");
  const later = article.querySelector(".later");
  const total = Number(article.dataset.characters);
  let start = Number(article.dataset.start);
  let end = Number(article.dataset.end);
  let isBusy = false;

  const bring = async (from, to, place) => {
    if (isBusy || from >= to) return;
    isBusy = true;
    try {
      const piece = await call(`/api/v1/documents/${article.dataset.document}/text/?start=${from}&end=${to}`);
      const foot = text.getBoundingClientRect().bottom;
      const isBefore = from < start;
      place(piece);
      earlier.hidden = start === 0;
      later.hidden = end >= total || piece.text === "";
      // What was being read stays where it was (the browser's own scroll anchoring is off on this page).
      if (isBefore) scrollBy(0, text.getBoundingClientRect().bottom - foot);
    } catch (error) {
      toast(error.message, { error: true });
    } finally {
      isBusy = false;
    }
  };

  earlier.addEventListener("click", () => bring(Math.max(0, start - PIECE), start, (piece) => {
    text.prepend(...nodes(piece.text, piece.start === 0));
    start = piece.start;
  }));
  const bringLater = () => bring(end, Math.min(total, end + PIECE), (piece) => {
    text.append(...nodes(piece.text));
    end = piece.end;
  });
  later.addEventListener("click", bringLater);
  new IntersectionObserver(([entry]) => { if (entry.isIntersecting) bringLater(); }, { rootMargin: "400px" }).observe(later);

  const original = document.getElementById("original");
  if (original) await showOriginal(original, passage);

  function tidyAll(root) {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    const found = [];
    while (walker.nextNode()) found.push(walker.currentNode);
    found.forEach((node, index) => node.replaceWith(...nodes(node.data, index === 0 && article.dataset.start === "0")));
  }
}

/** The PDF in the text's place, with a switch between the two; when it cannot be shown, the text stays. */
async function showOriginal(root, passage) {
  const views = document.getElementById("views");
  const toPassage = document.querySelector(".to-passage");
  const choose = (isOriginal) => {
    root.hidden = !isOriginal;
    article.hidden = isOriginal;
    if (toPassage) toPassage.hidden = isOriginal;
    for (const button of views.children) {
      button.setAttribute("aria-pressed", String((button.dataset.view === "original") === isOriginal));
    }
  };
  views.addEventListener("click", (event) => {
    const { view } = event.target.dataset;
    if (view) choose(view === "original");
  });
  try {
    const { PdfView } = await import("./pdf_view.js"); // 1.8 MB, for PDF files only
    choose(true);
    views.hidden = false;
    await new PdfView(root, passage).open();
  } catch {
    choose(false);
    views.hidden = true;
    toast(gettext("The original cannot be shown here. Its text is shown instead."), { error: true });
  }
}

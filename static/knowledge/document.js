// A document's page: scrolls to the quoted passage and brings the text before and after as it is wanted.
import { call } from "../site/api.js";
import { toast } from "../site/notices.js";

const PIECE = 20_000; // characters
const article = document.getElementById("text");

if (article) {
  document.getElementById("passage")?.scrollIntoView({ block: "center" });

  const text = article.querySelector(".text");
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
      place(piece);
      earlier.hidden = start === 0;
      later.hidden = end >= total || piece.text === "";
    } catch (error) {
      toast(error.message, { error: true });
    } finally {
      isBusy = false;
    }
  };

  earlier.addEventListener("click", () => bring(Math.max(0, start - PIECE), start, (piece) => {
    const height = document.documentElement.scrollHeight;
    text.prepend(piece.text);
    start = piece.start;
    scrollBy(0, document.documentElement.scrollHeight - height); // what was being read stays where it was
  }));
  const bringLater = () => bring(end, Math.min(total, end + PIECE), (piece) => {
    text.append(piece.text);
    end = piece.end;
  });
  later.addEventListener("click", bringLater);
  new IntersectionObserver(([entry]) => { if (entry.isIntersecting) bringLater(); }, { rootMargin: "400px" }).observe(later);
}

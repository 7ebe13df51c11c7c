// The Ops page: its figures anew every few seconds, while somebody looks at them.
import { call } from "../site/api.js";

const EVERY_MS = 5000;
const figures = document.getElementById("ops-figures");
const state = document.getElementById("ops-state");
let timer = 0;

/** The server writes the figures, in the page's language; what is folded open stays so. */
async function renew() {
  clearTimeout(timer);
  if (document.hidden) return;
  try {
    const { html } = await call(`${location.pathname}figures/`);
    const open = [...figures.querySelectorAll("details")].map((each) => each.open);
    const reading = window.getSelection().isCollapsed === false && figures.contains(window.getSelection().anchorNode);
    if (!reading && !figures.contains(document.activeElement)) {
      figures.innerHTML = html;
      figures.querySelectorAll("details").forEach((each, number) => { each.open = open[number] ?? false; });
    }
    state.textContent = "";
  } catch (error) {
    state.textContent = error.message;
  }
  timer = setTimeout(renew, EVERY_MS);
}

document.addEventListener("visibilitychange", renew);
timer = setTimeout(renew, EVERY_MS);

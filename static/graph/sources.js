// The dashboard's page of the graph's files: each is sent on its own, and those that are not done are followed.
import { call } from "../site/api.js";
import { send } from "../knowledge/uploads.js";

const LOOK_MS = 1500;
const LIVE = ["queued", "importing", "removing"];
const form = document.getElementById("graph-upload");
const problems = document.getElementById("upload-problems");
const bar = document.getElementById("upload-progress");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const files = [...form.elements.file.files];
  const button = form.querySelector("button");
  button.disabled = true;
  bar.hidden = false;
  const told = [];
  for (const [number, file] of files.entries()) {
    try {
      if (file.size > Number(form.dataset.limit)) {
        throw new Error(interpolate(gettext("%s: larger than this site takes. Split it."), [file.name]));
      }
      const parts = new FormData();
      parts.append("file", file);
      await send("/api/v1/graph/sources/", parts, (part) => { bar.value = (number + part) / files.length; });
    } catch (error) {
      told.push(error.message);
    }
  }
  bar.hidden = true;
  button.disabled = false;
  form.reset();
  problems.hidden = !told.length;
  problems.replaceChildren(...told.map((text) => Object.assign(document.createElement("p"), { textContent: text })));
  await renew();
});

/** The list as the server shows it now: a row's buttons depend on its state. */
async function renew() {
  const reply = await fetch(location.href);
  if (!reply.ok) return;
  const fresh = new DOMParser().parseFromString(await reply.text(), "text/html");
  for (const id of ["graph-sources", "graph-counts"]) document.getElementById(id).replaceWith(fresh.getElementById(id));
}

/** Shows how far the rows are; whether one has ended, so that the list is to be shown anew. */
function follow(sources) {
  const known = new Map(sources.map((source) => [source.id, source]));
  for (const row of document.querySelectorAll("#graph-sources [data-live]")) {
    const source = known.get(row.dataset.id);
    if (!source || !LIVE.includes(source.status)) return true;
    const progress = row.querySelector("progress");
    progress.hidden = source.status !== "importing";
    progress.value = source.bytes_done;
    row.querySelector(".triples").textContent = source.triples.toLocaleString(document.documentElement.lang);
  }
  return false;
}

setInterval(async () => {
  if (!document.querySelector("#graph-sources [data-live]")) return;
  try {
    const { results } = await call("/api/v1/graph/sources/?page_size=200");
    if (follow(results)) await renew();
  } catch { /* asked again in a moment */ }
}, LOOK_MS);

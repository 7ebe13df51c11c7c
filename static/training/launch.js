// The launch form: "Check first" queues a job that times a few steps, follows it and shows what the whole would take.
import { call } from "../site/api.js";
import { toast } from "../site/notices.js";
import { size } from "../site/numbers.js";
import { LiveSocket } from "../site/socket.js";
import { duration, showStatus } from "./states.js";

const form = document.getElementById("launch-form");
const button = document.getElementById("measure");
const box = document.getElementById("measured");
let socket = null;

form?.elements.data.addEventListener("change", showOverlaps);
if (form) showOverlaps();

function showOverlaps() {
  for (const note of form.querySelectorAll(".overlap")) note.hidden = note.dataset.of !== form.elements.data.value;
}

button?.addEventListener("click", async () => {
  if (!form.reportValidity()) return;
  button.disabled = true;
  try {
    const settings = {};
    for (const field of form.querySelectorAll("[data-setting]")) if (field.value !== "" || field.name === "base") settings[field.name] = field.value;
    const job = await call("/api/v1/jobs/", { method: "POST", json: {
      kind: "measure", task: form.dataset.task, data: form.elements.data.value, settings,
    } });
    follow(job.id);
  } catch (error) {
    toast(error.message, { error: true });
    button.disabled = false;
  }
});

function follow(id) {
  socket?.close();
  box.hidden = false;
  box.querySelector("dl").replaceChildren();
  socket = new LiveSocket(`/ws/jobs/${id}/`, { onMessage: ({ job }) => { if (job) show(job); } });
}

function show(job) {
  const line = box.querySelector("p");
  const badge = document.createElement("span");
  showStatus(badge, job.status);
  line.replaceChildren(badge, ` ${job.error || (job.waits_for.length ? interpolate(gettext("It waits for: %s"), [job.waits_for.join(", ")]) : "")}`);
  const { measured } = job.result;
  if (measured) {
    box.querySelector("dl").replaceChildren(...[
      [gettext("Time"), duration(measured.seconds)], [gettext("Steps"), String(measured.steps)],
      [gettext("Examples"), String(measured.examples)], [gettext("Memory"), size(measured.memory_bytes)],
      [gettext("Free memory"), size(job.result.free_memory_bytes)], [gettext("Disk"), size(measured.disk_bytes)],
      [gettext("Free disk"), size(job.result.free_disk_bytes)],
    ].map(([name, value]) => {
      const pair = document.createElement("div");
      pair.append(Object.assign(document.createElement("dt"), { textContent: name }),
        Object.assign(document.createElement("dd"), { textContent: value }));
      return pair;
    }));
    if (job.result.advice) line.append(` ${job.result.advice}`);
  }
  if (["done", "failed", "cancelled"].includes(job.status)) {
    button.disabled = false;
    socket.close();
  }
}

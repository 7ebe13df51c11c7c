// A job's page: its state, curves and log as they come over /ws/jobs/<id>/, and the buttons that act on it.
import { call } from "../site/api.js";
import { confirmed, toast } from "../site/notices.js";
import { LiveSocket } from "../site/socket.js";
import { Curves } from "./curves.js";
import { showOutcome } from "./outcome.js";
import { duration, ENDED, RESUMABLE, showStatus } from "./states.js";

const MOST_LINES = 1000;
const box = document.getElementById("job");
const part = (name) => document.getElementById(name);
const log = part("log");
const id = box.dataset.id;
const curves = new Curves(part("curves"));
let status = "";
let drawing = 0;
let seen = 0; // the number of the last event

show(JSON.parse(part("job-data").textContent));

new LiveSocket(() => `/ws/jobs/${id}/?after=${seen}`, {
  onMessage: (event) => {
    seen = event.seq ?? seen;
    if (event.job) show(event.job);
    if (event.type === "log") addLine(event);
    if (event.began_at !== undefined) curves.cut(event.began_at);
    if (event.point) curves.add(event.point);
    if (!drawing) drawing = requestAnimationFrame(() => { drawing = 0; curves.draw(); });
  },
  onState: (state) => {
    const line = part("connection");
    line.hidden = state === "open" || state === "connecting";
    line.textContent = state === "refused" ? gettext("This job was deleted.") : gettext("The connection is lost; the job goes on. Connecting again…");
  },
});

function show(job) {
  const before = status;
  status = job.status;
  showStatus(part("status"), status);
  const atWork = !ENDED.includes(status);
  part("progress").max = job.steps || 1;
  part("progress").value = status === "done" ? job.steps || 1 : job.step;
  part("progress").hidden = status === "queued" && !job.step;
  part("steps").textContent = job.steps ? interpolate(gettext("step %(step)s of %(steps)s"), job, true) : "";
  part("left").textContent = job.seconds_left === null || !atWork ? "" : interpolate(gettext("%s left"), [duration(job.seconds_left)]);
  part("waits").hidden = !job.waits_for.length;
  part("waits").textContent = interpolate(gettext("It waits for: %s"), [job.waits_for.join(", ")]);
  part("error").hidden = !job.error;
  part("error").querySelector("p").textContent = job.error;
  part("error").querySelector("pre").textContent = job.log_tail;
  part("error").querySelector("pre").hidden = !job.log_tail;
  showMetrics(job.metrics);
  showResult(job.result);
  showOutcome(part("outcome"), job.result);
  const buttons = { pause: atWork && status !== "pausing" && status !== "cancelling", cancel: atWork && status !== "cancelling",
    resume: RESUMABLE.includes(status), "start-over": RESUMABLE.includes(status), delete: ENDED.includes(status) };
  for (const button of part("actions").querySelectorAll("[data-action]")) button.hidden = !buttons[button.dataset.action];
  // What the server lists below (evaluations) is there once the job is done.
  if (before && before !== "done" && status === "done" && ["evaluate", "compress", "export"].includes(box.dataset.kind)) location.reload();
}

function showMetrics(metrics) {
  part("metrics").replaceChildren(...Object.entries(metrics).map(([name, value]) => {
    const pair = document.createElement("div");
    const term = Object.assign(document.createElement("dt"), { textContent: name });
    const number = new Intl.NumberFormat(document.documentElement.lang, { maximumSignificantDigits: 4 }).format(value);
    pair.append(term, Object.assign(document.createElement("dd"), { textContent: number }));
    return pair;
  }));
}

function showResult(result) {
  const line = part("result");
  line.hidden = !result.version;
  if (!result.version) return;
  const link = Object.assign(document.createElement("a"), { textContent: `${result.name}@${result.version}` });
  link.href = `/dashboard/models/${encodeURIComponent(result.name)}/${encodeURIComponent(result.version)}/`;
  line.replaceChildren(`${gettext("Registered as")} `, link);
}

function addLine(event) {
  const atEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 20;
  const item = document.createElement("li");
  const time = document.createElement("time");
  time.textContent = new Date(event.time * 1000).toLocaleTimeString(document.documentElement.lang);
  item.append(time, ` ${event.line}`);
  log.append(item);
  while (log.children.length > MOST_LINES) log.firstElementChild.remove();
  if (atEnd) log.scrollTop = log.scrollHeight;
}

part("actions").addEventListener("click", async (event) => {
  const button = event.target.closest("[data-action]");
  if (!button) return;
  const { action } = button.dataset;
  if (action === "delete" && !await confirmed(gettext("Delete this job?"), gettext("Delete"),
    gettext("Its log and checkpoint are deleted. The model that it registered stays."))) return;
  if (action === "start-over" && !await confirmed(gettext("Start over?"), gettext("Start over"),
    gettext("The checkpoint and the curves so far are deleted."))) return;
  button.disabled = true;
  try {
    if (action === "delete") {
      await call(`/api/v1/jobs/${id}/`, { method: "DELETE" });
      location.href = "/dashboard/";
      return;
    }
    show(await call(`/api/v1/jobs/${id}/${action}/`, { method: "POST" }));
    if (action === "start-over") location.reload();
  } catch (error) {
    toast(error.message, { error: true });
  } finally {
    button.disabled = false;
  }
});

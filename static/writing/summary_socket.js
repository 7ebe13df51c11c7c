// What passes between this page and /ws/summarize/: starts and stops out, numbered events of summaries in.
// A start stays pending under its key until the server has taken it; a running summary resumes after its last event.
import { showingConnection } from "../site/connection.js";
import { toast } from "../site/notices.js";
import { LiveSocket } from "../site/socket.js";

const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** One summary as far as it has come. */
export class Summary {
  constructor({ id = null, key, options, status = "running", payload = {} }) {
    Object.assign(this, { id, key, options, seq: 0, text: "", sections: [], progress: null, done: null, error: null });
    if (status !== "running") this.apply(payload);
  }

  get isRunning() { return this.done === null && this.error === null; }

  apply(event) {
    if (event.type === "start") Object.assign(this, { text: "", sections: [], progress: null });
    else if (event.type === "progress") {
      this.progress = event;
      if (event.section) this.sections.push(event.section);
    } else if (event.type === "delta") this.text += event.text;
    else if (event.type === "done") { this.done = event; this.text = event.summary; this.sections = event.sections; }
    else if (event.type === "error") this.error = event;
  }
}

export class SummarySocket {
  constructor({ onChange, onTaken, onRefused }) {
    Object.assign(this, { onChange, onTaken, onRefused });
    this.running = new Map(); // by id
    this.waiting = new Map(); // by key: {summary, message}
    this.socket = new LiveSocket("/ws/summarize/", {
      onMessage: (message) => this.#receive(message),
      onOpen: () => this.#opened(),
      onState: showingConnection(document.getElementById("connection"),
        gettext("Summarizing is closed to you. Reload the page, or sign in again.")),
    });
  }

  get isStarting() { return this.waiting.size > 0; }

  start(source, options) {
    const key = newKey();
    const summary = new Summary({ key, options });
    const message = { type: "start", key, source, ...options };
    this.waiting.set(key, { summary, message });
    this.socket.send(message);
    return summary;
  }

  /** A summary that was there when the page was made; one that still runs is followed. */
  restore({ id, key, length, style, method, language, status, payload }) {
    const options = { length, style, ...(method && { method }), ...(language && { language }) };
    const summary = new Summary({ id, key, options, status, payload });
    if (summary.isRunning) {
      this.running.set(id, summary);
      this.socket.send({ type: "resume", summary: id, after: 0 });
    }
    return summary;
  }

  stop(summary) {
    summary.isStopping = true;
    if (summary.id !== null) this.socket.send({ type: "cancel", summary: summary.id });
    this.onChange(summary);
  }

  #opened() {
    for (const [id, summary] of this.running) this.socket.send({ type: "resume", summary: id, after: summary.seq });
    for (const { message } of this.waiting.values()) this.socket.send(message);
  }

  #receive(envelope) {
    if (envelope.event === undefined) { this.#failed(envelope); return; }
    const { summary: id, seq, event } = envelope;
    const pending = event.type === "start" ? this.waiting.get(event.key) : undefined;
    if (pending) {
      this.waiting.delete(event.key);
      pending.summary.id = id;
      this.running.set(id, pending.summary);
      this.onTaken(pending.summary);
      if (pending.summary.isStopping) this.stop(pending.summary);
    }
    const summary = this.running.get(id);
    if (!summary || seq <= summary.seq) return;
    summary.seq = seq;
    summary.apply(event);
    if (!summary.isRunning) this.running.delete(id);
    this.onChange(summary);
  }

  /** An error about a frame, not about a summary. */
  #failed(error) {
    const pending = this.waiting.get(error.key);
    if (pending) {
      this.waiting.delete(error.key);
      this.onRefused(pending.summary, error);
    } else {
      toast(error.message, { error: true });
    }
  }
}

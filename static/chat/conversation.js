// What passes between this page and /ws/chat/: questions out, numbered events of answers in.
// A question stays pending under its key until the server has taken it; a running answer is resumed after its last event.
import { showingConnection } from "../site/connection.js";
import { LiveSocket } from "../site/socket.js";
import { toast } from "../site/notices.js";

/** Browsers offer randomUUID over HTTPS and on localhost only. */
const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

export class Conversation {
  /** @param id the conversation's id, null while it is new. */
  constructor(id, { onConversation, onRefused, onRunning, onEvent }) {
    Object.assign(this, { id, onConversation, onRefused, onRunning, onEvent });
    this.views = new Map(); // running answers by message id
    this.waiting = null; // the one question that the server has not taken yet: {exchange, view, message, stored}
    this.wantsStop = false;
    this.socket = new LiveSocket("/ws/chat/", {
      onMessage: (message) => this.#receive(message),
      onOpen: () => this.#opened(),
      onState: showingConnection(document.getElementById("connection"),
        gettext("The chat is closed to you. Reload the page, or sign in again.")),
    });
  }

  get isRunning() { return this.views.size > 0 || this.waiting !== null; }

  ask(exchange, view, { text, replaces, collections }) {
    this.#send(exchange, view, { key: newKey(), text, replaces, collections, conversation: this.id });
  }

  regenerate(exchange, view) {
    this.#send(exchange, view, { key: newKey(), regenerates: exchange.lastAnswerId });
  }

  /** What was sent before a reload and may not have been taken. */
  pending() {
    try { return JSON.parse(sessionStorage.getItem(this.#pendingName())); } catch { return null; }
  }

  askAgain(exchange, view, stored) { this.#send(exchange, view, stored); }

  forgetPending() {
    try { sessionStorage.removeItem(this.#pendingName()); } catch { /* nothing was kept */ }
  }

  /** Go on with an answer that was running when the page was made. */
  follow(view) {
    this.views.set(view.id, view);
    this.socket.send({ type: "resume", message: view.id, after: view.seq });
    this.onRunning(true);
  }

  stop() {
    if (this.waiting) this.wantsStop = true;
    for (const [id, view] of this.views) {
      view.showStopping();
      this.socket.send({ type: "cancel", message: id });
    }
  }

  #pendingName() { return `pending:${this.id ?? "new"}`; }

  #send(exchange, view, stored) {
    const message = stored.regenerates
      ? { type: "regenerate", key: stored.key, message: stored.regenerates }
      : {
        type: "ask", key: stored.key, question: stored.text, conversation: stored.conversation,
        collections: stored.collections, replaces: stored.replaces,
      };
    this.waiting = { exchange, view, message, stored };
    this.wantsStop = false;
    try { sessionStorage.setItem(this.#pendingName(), JSON.stringify(stored)); } catch { /* kept in memory only */ }
    this.socket.send(message);
    this.onRunning(true);
  }

  #opened() {
    for (const [id, view] of this.views) this.socket.send({ type: "resume", message: id, after: view.seq });
    if (this.waiting) this.socket.send(this.waiting.message);
  }

  #receive(envelope) {
    if (envelope.event === undefined) { this.#failed(envelope); return; }
    const { message: id, conversation, seq, event } = envelope;
    if (event.type === "start" && this.waiting && event.key === this.waiting.message.key) {
      this.#taken(id, conversation, event);
    }
    const view = this.views.get(id);
    if (!view || seq <= view.seq) return; // of another page, or seen already
    view.seq = seq;
    view.apply(event);
    this.onEvent(view);
    if (view.isRunning) return;
    this.views.delete(id);
    this.onRunning(this.isRunning);
  }

  #taken(id, conversation, event) {
    const { exchange, view, stored } = this.waiting;
    this.waiting = null;
    this.forgetPending();
    exchange.question.id = event.question.id;
    view.id = id;
    view.key = stored.key;
    this.views.set(id, view);
    this.onConversation(conversation, event.title);
    if (this.wantsStop) this.stop();
    this.wantsStop = false;
  }

  /** An error about a frame, not about an answer. */
  #failed(error) {
    if (this.waiting && error.key === this.waiting.message.key) {
      const { exchange, view, stored } = this.waiting;
      this.waiting = null;
      this.forgetPending();
      view.apply({ ...error, type: "error" });
      this.onRunning(this.isRunning);
      this.onRefused(exchange, view, stored, error);
      return;
    }
    toast(error.message, { error: true });
    if (error.code === "not_found") { // what was resumed is gone
      this.views.forEach((view) => view.apply({ type: "error", ...error }));
      this.views.clear();
      this.onRunning(this.isRunning);
    }
  }
}

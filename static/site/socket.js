// A WebSocket that comes back: reconnects with back-off, says how it stands, hands each JSON message on.
// Knows nothing of what the messages mean; whoever uses it asks again for what it missed (see `onOpen`).

const FIRST_WAIT_MS = 300;
const LONGEST_WAIT_MS = 15_000;
const REFUSALS = [4401, 4403, 4404]; // not signed in, not allowed, not found: asking again changes nothing

export class LiveSocket {
  /** `path` may be a function, when a socket that comes back says how far it was. `onState` gets "connecting", "open", "waiting" (with seconds to the next attempt) or "refused". */
  constructor(path, { onMessage, onOpen = () => {}, onState = () => {} }) {
    this.path = path;
    Object.assign(this, { onMessage, onOpen, onState });
    this.attempts = 0;
    this.timer = null;
    this.socket = null;
    this.ended = false;
    addEventListener("online", () => this.#now());
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.#now(); });
    this.#connect();
  }

  get isOpen() { return this.socket?.readyState === WebSocket.OPEN; }

  /** Whether it was sent; what was not has to be sent again in `onOpen`. */
  send(message) {
    if (!this.isOpen) { this.#now(); return false; }
    this.socket.send(JSON.stringify(message));
    return true;
  }

  close() {
    this.ended = true;
    clearTimeout(this.timer);
    this.socket?.close();
  }

  #connect() {
    this.timer = null;
    this.onState("connecting");
    const url = new URL(typeof this.path === "function" ? this.path() : this.path, location.href);
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(url);
    this.socket = socket;
    socket.onopen = () => {
      this.attempts = 0;
      this.onState("open");
      this.onOpen();
    };
    socket.onmessage = (event) => this.onMessage(JSON.parse(event.data));
    socket.onclose = (event) => {
      if (this.ended || this.socket !== socket) return;
      if (REFUSALS.includes(event.code)) { this.onState("refused"); return; }
      const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.attempts) * (0.75 + Math.random() / 2);
      this.attempts += 1;
      this.onState("waiting", Math.ceil(wait / 1000));
      this.timer = setTimeout(() => this.#connect(), wait);
    };
  }

  #now() {
    if (this.timer === null || this.ended) return;
    clearTimeout(this.timer);
    this.#connect();
  }
}

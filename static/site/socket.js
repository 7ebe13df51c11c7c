// A WebSocket that comes back: reconnects with back-off, says how it stands, hands each JSON message on.
// Knows nothing of what the messages mean; whoever uses it asks again for what it missed (see `onOpen`).

const FIRST_WAIT_MS = 300;
const LONGEST_WAIT_MS = 15_000;

export class LiveSocket {
  /** `onState` gets "connecting", "open", "waiting" (with seconds to the next attempt) or "refused". */
  constructor(path, { onMessage, onOpen = () => {}, onState = () => {} }) {
    this.url = new URL(path, location.href);
    this.url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
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
    const socket = new WebSocket(this.url);
    this.socket = socket;
    socket.onopen = () => {
      this.attempts = 0;
      this.onState("open");
      this.onOpen();
    };
    socket.onmessage = (event) => this.onMessage(JSON.parse(event.data));
    socket.onclose = (event) => {
      if (this.ended || this.socket !== socket) return;
      // 4404 and 4403 are this site's "not found" and "not allowed": asking again changes nothing.
      if (event.code === 4404 || event.code === 4403) { this.onState("refused"); return; }
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

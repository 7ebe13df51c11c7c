// The chat page: puts composer, thread, conversation and sidebar together.
import { Composer } from "./composer.js";
import { Conversation } from "./conversation.js";
import { Sidebar } from "./sidebar.js";
import { Thread } from "./thread.js";
import { toast } from "../site/notices.js";

const main = document.getElementById("main");
const welcome = document.getElementById("welcome");
const saved = JSON.parse(document.getElementById("exchanges").textContent);

const sidebar = new Sidebar(document.getElementById("sidebar"), { onRenamed: showTitle });

const conversation = new Conversation(main.dataset.conversation || null, {
  onConversation: begun,
  onRefused: refused,
  onRunning: (isRunning) => composer.showRunning(isRunning),
  onEvent: (view) => { if (isFollowing) view.exchange.show(); },
});
let isFollowing = false; // the page scrolls with a new answer until the person scrolls

const thread = new Thread(document.getElementById("thread"), {
  onEdit: (questionId, text) => ask(text, questionId),
  onRegenerate: (view) => {
    if (!conversation.isRunning) conversation.regenerate(view.exchange, view.exchange.addVersion());
  },
});

const composer = new Composer(document.getElementById("composer"), {
  limit: Number(main.dataset.limit),
  draftName: () => `draft:${conversation.id ?? "new"}`,
  onAsk: (text) => ask(text),
  onStop: () => conversation.stop(),
  onEditLast: () => thread.editLast(),
});

function ask(text, replaces = null) {
  if (conversation.isRunning) return false;
  showThread();
  const replaced = replaces === null ? [] : thread.dropFrom(replaces);
  const exchange = thread.add({ question: { id: null, text }, answers: [] });
  exchange.replaced = replaced;
  conversation.ask(exchange, exchange.addVersion(), { text, replaces, collections: composer.collections });
  isFollowing = true;
  exchange.show();
  return true;
}

/** A question in a new conversation was taken: the page is that conversation's from now on. */
function begun(id, title) {
  const isNew = conversation.id !== id;
  if (isNew) {
    composer.dropDraft();
    conversation.id = id;
    history.replaceState(null, "", `/c/${id}/`);
  }
  showTitle(id, title);
  sidebar.begun(id, title);
}

function showTitle(id, title) {
  if (id !== conversation.id) return;
  document.title = `${title} – Wenda`;
  document.getElementById("conversation-title").textContent = title;
}

/** The site did not take the question: nothing was asked, the page is as before and the text where it was written. */
function refused(exchange, view, stored, error) {
  if (stored.regenerates) {
    exchange.dropVersion(view);
  } else if (composer.text) {
    return; // something else is being written there: the refused question stays, with its error and "Try again"
  } else {
    thread.remove(exchange);
    thread.putBack(exchange.replaced ?? []);
    welcome.hidden = thread.exchanges.length > 0;
    composer.text = stored.text;
  }
  toast(error.message, { error: true });
  composer.focus();
}

function showThread() {
  welcome.hidden = true;
  thread.element.hidden = false;
}

for (const exchange of saved) thread.add(exchange);
for (const { view } of thread.running()) conversation.follow(view);
const pending = conversation.pending();
if (pending && !thread.hasKey(pending.key)) {
  // Sent just before the page was left, and not known to be taken: sent again under the same key, so never asked twice.
  showThread();
  if (pending.replaces) thread.dropFrom(pending.replaces);
  const exchange = pending.regenerates ? thread.withAnswer(pending.regenerates)
    : thread.add({ question: { id: null, text: pending.text }, answers: [] });
  if (exchange) conversation.askAgain(exchange, exchange.addVersion(), pending);
} else {
  conversation.forgetPending();
}
if (saved.length) document.scrollingElement.scrollTop = document.scrollingElement.scrollHeight;

document.querySelectorAll(".suggestions button").forEach((button) => {
  button.addEventListener("click", () => ask(button.textContent.trim()));
});

for (const kind of ["wheel", "touchmove"]) addEventListener(kind, () => { isFollowing = false; }, { passive: true });

document.addEventListener("keydown", (event) => {
  if (["PageUp", "PageDown", "Home", "End"].includes(event.key)) isFollowing = false;
  const typing = event.target.closest?.("input, textarea, select, dialog, [contenteditable]");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    composer.focus();
  } else if (event.key === "Escape" && conversation.isRunning && !event.defaultPrevented
    && !document.querySelector("dialog[open]")) {
    conversation.stop();
  }
});

if (matchMedia("(pointer: fine)").matches) composer.focus();

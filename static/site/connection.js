// A line of a page that says how its socket stands, once the connection has been away for a while.

const SLOW_CONNECTION_MS = 1200; // from the loss on, not from each attempt

/** For a LiveSocket's `onState`. `refused` is what the line says when the page may not come back. */
export function showingConnection(line, refused) {
  let timer = null;
  const show = () => { line.hidden = false; };
  return (state, seconds) => {
    if (state === "open") {
      clearTimeout(timer);
      timer = null;
      line.hidden = true;
      return;
    }
    line.textContent = {
      connecting: gettext("Connecting…"),
      waiting: interpolate(ngettext("Connection lost. Trying again in %s second…",
        "Connection lost. Trying again in %s seconds…", seconds), [seconds]),
      refused,
    }[state];
    if (state === "refused") show();
    else timer ??= setTimeout(show, SLOW_CONNECTION_MS);
  };
}

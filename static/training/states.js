// A job's states in words and colours, and lengths of time; shared by the pages of jobs.

const WORDS = {
  queued: () => gettext("Waiting"), starting: () => gettext("Starting"), running: () => gettext("Running"),
  resuming: () => gettext("Resuming"), pausing: () => gettext("Pausing"), paused: () => gettext("Paused"),
  cancelling: () => gettext("Cancelling"), cancelled: () => gettext("Cancelled"),
  lost: () => gettext("Lost its worker"), failed: () => gettext("Failed"), done: () => gettext("Done"),
};
const LOOKS = {
  done: "good", failed: "bad", lost: "bad", cancelled: "warn", paused: "warn", cancelling: "warn", pausing: "warn",
  starting: "busy", running: "busy", resuming: "busy",
};

export const RESUMABLE = ["paused", "cancelled", "failed"];
export const ENDED = [...RESUMABLE, "done"];

export function showStatus(badge, status) {
  if (badge.dataset.status === status && badge.textContent) return;
  badge.dataset.status = status;
  badge.className = `badge status ${LOOKS[status] ?? ""}`;
  badge.textContent = (WORDS[status] ?? (() => status))();
}

/** Seconds as people say them. */
export function duration(seconds) {
  if (seconds < 90) return interpolate(gettext("%s s"), [Math.max(1, Math.round(seconds))]);
  if (seconds < 5400) return interpolate(gettext("%s min"), [Math.round(seconds / 60)]);
  return interpolate(gettext("%s h"), [new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 1 }).format(seconds / 3600)]);
}

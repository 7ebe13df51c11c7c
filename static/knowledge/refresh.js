// A document from the web, fetched anew: says whether it has changed, and goes to its new version once that is read.
import { call } from "../site/api.js";
import { toast } from "../site/notices.js";

const LOOK_MS = 700;
const button = document.getElementById("refresh");
const pause = () => new Promise((resolve) => { setTimeout(resolve, LOOK_MS); });

async function refreshed() {
  const { document: own } = button.dataset;
  let fetching = await call(`/api/v1/documents/${own}/refresh/`, { method: "POST" });
  while (fetching.status === "queued" || fetching.status === "running") {
    await pause();
    fetching = await call(`/api/v1/web-imports/${fetching.id}/`);
  }
  if (fetching.status !== "done") {
    toast(fetching.message || gettext("The fetching was cancelled."), { error: true });
    return;
  }
  if (fetching.document === own) {
    toast(gettext("The page is unchanged."));
    return;
  }
  toast(fetching.outcome === "duplicate" ? gettext("The page now holds what another document of this collection holds.")
    : gettext("The page has changed. Its new version is being read."));
  let fresh;
  do {
    await pause();
    fresh = await call(`/api/v1/documents/${fetching.document}/`);
  } while (fresh.status === "queued" || fresh.status === "processing");
  location.assign(fresh.url);
}

button.addEventListener("click", async () => {
  button.disabled = true;
  try {
    await refreshed();
  } catch (error) {
    toast(error.message, { error: true });
  } finally {
    button.disabled = false;
  }
});

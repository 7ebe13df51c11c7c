// Short messages at the foot of the page, and questions that need a yes.

/** Shows `text` for a few seconds; read out by screen readers. */
export function toast(text, { error = false } = {}) {
  const item = document.createElement("div");
  item.className = error ? "toast error" : "toast";
  item.textContent = text;
  document.getElementById("toasts").append(item);
  setTimeout(() => item.remove(), error ? 8000 : 3500);
}

/** Resolves to whether the person said yes. `action` is the yes button's text. */
export function confirmed(question, action, detail = "") {
  const dialog = document.getElementById("confirm-dialog");
  dialog.querySelector("h2").textContent = question;
  dialog.querySelector("p").textContent = detail;
  dialog.querySelector("p").hidden = !detail;
  const yes = dialog.querySelector("button[value=yes]");
  yes.textContent = action;
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
    dialog.returnValue = "";
    dialog.showModal();
  });
}

/** Copies `text`; says so on the button by its data-done attribute. */
export async function copy(text, button) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Outside HTTPS and localhost browsers offer no clipboard; the older way needs a selected field.
    const field = document.createElement("textarea");
    field.value = text;
    field.className = "visually-hidden";
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
  button?.classList.add("done");
  setTimeout(() => button?.classList.remove("done"), 1500);
  toast(gettext("Copied."));
}

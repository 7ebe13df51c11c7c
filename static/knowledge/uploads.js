// Files on their way to the site: what was dropped (folders too), what cannot be sent, and one upload with its progress.
import { ApiError, csrfToken, readReply } from "../site/api.js";

/** All files of a drop, those within folders too. */
export async function filesOf(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...transfer.files];
  return (await Promise.all(entries.map(within))).flat();
}

async function within(entry) {
  if (entry.isFile) return [await new Promise((resolve, reject) => { entry.file(resolve, reject); })];
  const reader = entry.createReader();
  const found = [];
  for (;;) { // a reader gives at most 100 entries at a time
    const part = await new Promise((resolve, reject) => { reader.readEntries(resolve, reject); });
    if (!part.length) break;
    found.push(...part);
  }
  return (await Promise.all(found.filter((one) => !one.name.startsWith(".")).map(within))).flat();
}

/** Why this file cannot be sent, or "". */
export function problemWith(file, { limit, endings }) {
  const ending = /\.[^.]+$/.exec(file.name)?.[0].toLowerCase() ?? "";
  if (!endings.split(",").includes(ending)) {
    return interpolate(gettext("Files of this type cannot be read. Supported: %s."), [endings.replaceAll(",", ", ")]);
  }
  if (!file.size) return gettext("This file is empty.");
  if (file.size > Number(limit)) {
    return interpolate(gettext("This file is larger than %s MB, the most that this site takes. Split it."),
      [Math.floor(limit / 1e6)]);
  }
  return "";
}

export const isArchive = (file) => file.name.toLowerCase().endsWith(".zip");

/** Sends one file; resolves to the document, or to what became of an archive's files; throws ApiError. `onPart` gets
 * 0 to 1. */
export function upload(file, collection, onPart) {
  const form = new FormData();
  form.append("collection", collection);
  form.append("file", file);
  return send(`/api/v1/documents/${isArchive(file) ? "archive/" : ""}`, form, onPart);
}

/** Sends a form; resolves to the reply's JSON, throws ApiError. */
export function send(path, form, onPart) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest(); // fetch does not tell how much has been sent
    request.open("POST", path);
    request.setRequestHeader("X-CSRFToken", csrfToken());
    request.setRequestHeader("Accept", "application/json");
    request.upload.onprogress = (event) => { if (event.lengthComputable) onPart(event.loaded / event.total); };
    request.onload = () => {
      try { resolve(readReply(request.status, request.responseText)); } catch (error) { reject(error); }
    };
    request.onerror = () => reject(new ApiError(gettext("The connection broke while the file was sent. Try again."), 0));
    request.send(form);
  });
}

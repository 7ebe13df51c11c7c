// Calls to this site's REST interface: session cookie, CSRF token, problem+json turned into an error with its sentence.

export class ApiError extends Error {
  constructor(message, status, problem = {}) {
    super(message);
    this.status = status;
    this.problem = problem;
  }
}

export function csrfToken() {
  return document.querySelector("input[name=csrfmiddlewaretoken]")?.value ?? "";
}

/** The reply's JSON (null when it has none); throws ApiError with a sentence for a person. */
export async function call(path, { method = "GET", json, signal } = {}) {
  const headers = { Accept: "application/json" };
  if (method !== "GET") headers["X-CSRFToken"] = csrfToken();
  if (json !== undefined) headers["Content-Type"] = "application/json";
  let reply;
  try {
    reply = await fetch(path, { method, headers, signal, body: json === undefined ? undefined : JSON.stringify(json) });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(gettext("The site cannot be reached. Check the connection and try again."), 0);
  }
  return readReply(reply.status, await reply.text());
}

export function readReply(status, text) {
  let body = null;
  try { body = text ? JSON.parse(text) : null; } catch { /* not JSON: told by status below */ }
  if (status >= 200 && status < 300) return body;
  const sentence = body?.detail ?? gettext("The site answered with an error. Reload the page and try again.");
  throw new ApiError(sentence, status, body ?? {});
}

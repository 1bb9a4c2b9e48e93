// Requests of this page's own server. The token of this run came in the address; it is kept for this address
// alone, so that a reload and a second tab work, and is of no use once the server has ended.

const KEPT = "page-token";
const MOST_KNOWN = 40; // documents kept, the oldest goes first
const SILENT = "The page's server does not answer. It ends with the command that printed the address: "
  + "start it again with `summaries ui` or `make up`.";

export class ApiError extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** Take the token out of the address, where it would stand in every bookmark. */
export function takeToken() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (!given) return;
  localStorage.setItem(KEPT, given);
  history.replaceState(history.state, "", location.pathname + location.search);
}

const known = new Map(); // by address: the tag and the document of the last answer

/** Return a document, and whether it has changed since it was last asked for. */
export async function get(path, parameters = {}) {
  const address = withParameters(path, parameters);
  const before = known.get(address);
  const answer = await ask(address, { headers: before ? { "If-None-Match": before.tag } : {} });
  if (answer.status === 304) return { document: before.document, isNew: false };
  const document = await answer.json();
  if (known.size >= MOST_KNOWN) known.delete(known.keys().next().value);
  known.set(address, { tag: answer.headers.get("ETag"), document });
  return { document, isNew: true };
}

export async function post(path, parameters = {}, body = null) {
  const answer = await ask(withParameters(path, parameters), { method: "POST", body });
  return answer.json();
}

/** Save what an address answers as a file, under the name it is sent with. */
export async function download(path) {
  const answer = await ask(path, {});
  const told = answer.headers.get("Content-Disposition") ?? "";
  const encoded = /filename\*=UTF-8''([^;]+)/.exec(told);
  const link = document.createElement("a");
  link.download = encoded ? decodeURIComponent(encoded[1]) : /filename="?([^";]+)/.exec(told)?.[1] ?? "summary";
  link.href = URL.createObjectURL(await answer.blob());
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function withParameters(path, parameters) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const each of [value].flat()) if (each !== "" && each !== null && each !== undefined) query.append(name, each);
  }
  return query.size ? `${path}?${query}` : path;
}

async function ask(address, options) {
  const headers = { ...options.headers, "X-Page-Token": localStorage.getItem(KEPT) ?? "" };
  let answer;
  try {
    answer = await fetch(address, { ...options, headers, cache: "no-store", redirect: "error" });
  } catch {
    throw new ApiError(0, "silent", SILENT);
  }
  if (answer.ok || answer.status === 304) return answer;
  const told = await answer.json().catch(() => ({}));
  throw new ApiError(answer.status, told.error?.code ?? "", told.error?.message ?? `The server answered ${answer.status}.`);
}

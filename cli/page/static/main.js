// Which view is shown, by the address; what all of them share: keys, dialogs, what is amiss, dropped files.

import { get, takeToken } from "./api.js";
import { h, morphChildren } from "./dom.js";
import { openDialog } from "./dialogs.js";
import { jobView } from "./job.js";
import { listView } from "./list.js";
import { openUpload, takesDrops } from "./upload.js";

const main = document.getElementById("main");
const page = { stack: null, go, failed, view: null, known };

const ROUTES = [
  [/^\/$/, () => listView(page)],
  [/^\/jobs\/([^/]+)$/, found => jobView(page, decodeURIComponent(found[1]), "")],
  [/^\/jobs\/([^/]+)\/timeline$/, found => jobView(page, decodeURIComponent(found[1]), "timeline")],
];

/** Show what the address means. A view is { title, element, stop(), keys, focus() }. */
function show({ isFirst = false } = {}) {
  page.view?.stop();
  document.title = page.stack ? `Transcript summaries, ${page.stack.name}` : "Transcript summaries";
  failed(null);
  const [pattern, make] = ROUTES.find(([each]) => each.test(location.pathname)) ?? ROUTES[0];
  page.view = make(pattern.exec(location.pathname) ?? []);
  main.replaceChildren(page.view.element);
  if (!isFirst) {
    window.scrollTo(0, 0);
    main.focus({ preventScroll: true });
  }
}

function go(address, { replaces = false } = {}) {
  if (replaces) history.replaceState(null, "", address);
  else history.pushState(null, "", address);
  show();
}

/** Say what went wrong in a look, above everything; null takes it away. */
function failed(error) {
  const place = document.getElementById("trouble");
  const text = error ? error.message : "";
  if (place.textContent !== text) place.textContent = text;
  place.hidden = !text;
}

const KEYS = [
  ["/", "to the filter"],
  ["j, k", "next and previous: job, or part of a summary"],
  ["Enter", "open the job; from a part of a summary, go to its first source"],
  ["Esc", "from a source back to the part; close what is open"],
  ["t", "timeline or summary of a job"],
  ["u", "upload"],
  ["g", "back to all jobs"],
  ["?", "this list"],
];

function openHelp() {
  openDialog("Keys", [
    h("table", { class: "keys" }, h("tbody", {}, KEYS.map(([key, what]) =>
      h("tr", {}, h("th", { scope: "row" }, h("kbd", {}, key)), h("td", {}, what))))),
  ], [{ label: "Close", value: "close" }]);
}

const OPENS = { help: openHelp, upload: () => openUpload(page) };

document.addEventListener("click", event => {
  const link = event.target.closest("a[data-link]");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0) {
    event.preventDefault();
    go(link.getAttribute("href"));
  }
  const opener = event.target.closest("[data-open]");
  if (opener) OPENS[opener.dataset.open]();
});

document.addEventListener("keydown", event => {
  const isTyping = event.target.closest?.("input, textarea, select, dialog");
  if (event.ctrlKey || event.metaKey || event.altKey || (isTyping && event.key !== "Escape")) return;
  const act = page.view?.keys[event.key] ?? { u: OPENS.upload, "?": openHelp, g: () => go("/") }[event.key];
  if (act && act(event) !== false) event.preventDefault();
});

window.addEventListener("popstate", () => show());

/** Return what is known of the stack; asked for once. */
async function known() {
  page.stack ??= (await get("/api/stack")).document;
  return page.stack;
}

async function begin() {
  takeToken();
  takesDrops(page);
  try {
    const { name } = await known();
    morphChildren(document.getElementById("stack"), h("span", {}, h("span", { class: "unseen" }, "stack "), name));
  } catch (error) {
    failed(error);
  }
  show({ isFirst: true });
}

begin();

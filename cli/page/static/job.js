// One job: what became of it, what can be done about it, and below that its summary or its timeline.

import { act, sentence } from "./actions.js";
import { download, get } from "./api.js";
import { announce, h, morph } from "./dom.js";
import { ago, at, bytes, number, span } from "./format.js";
import { chip } from "./list.js";
import { poll } from "./poll.js";
import { readerView } from "./reader.js";
import { timeline } from "./timeline.js";

const MOVING_SECONDS = 2, ENDED_SECONDS = 60, AWAITED_SECONDS = 1.5, MOST_AWAITED = 80;
const FORMATS = [["html", "Web page"], ["docx", "Word"], ["pdf", "PDF"], ["markdown", "Markdown"]];
const ENDED = { succeeded: "the summary is ready", failed: "the job has failed" };

export function jobView(page, name, wanted) {
  const isAwaited = new URLSearchParams(location.search).has("awaited");
  const head = h("div", { class: "head" }, h("p", { class: "dim" }, "Looking …"));
  const body = h("div", { class: "body" });
  const element = h("div", { class: "one" }, head, body);
  let story = null, reader = null, isAsking = false, looked = 0;

  const looks = poll(async () => {
    try {
      const { document: found } = await get(`/api/jobs/${encodeURIComponent(name)}`);
      if (story?.state === "active" && ENDED[found.state]) announce(`${found.source.key}: ${ENDED[found.state]}`);
      story = found;
    } catch (error) {
      looked += 1;
      if (error.status !== 404) throw error;
      const isToCome = isAwaited && looked < MOST_AWAITED;
      morph(head, h("div", { class: "head" }, isToCome ? toCome() : unknown(error)));
      return isToCome ? AWAITED_SECONDS : ENDED_SECONDS;
    }
    document.title = `${story.source.key}: ${story.state}`;
    const showsSummary = wanted === "" && story.state === "succeeded";
    morph(head, header(story, showsSummary));
    if (!showsSummary) {
      if (reader) body.replaceChildren();
      reader = null;
      morph(body, h("div", { class: "body" }, timeline(story)));
    } else if (!reader) {
      reader = await readerView(story).catch(unreadable);
      body.replaceChildren(reader.element);
      reader.follow(location.hash);
    }
    return story.state === "active" ? MOVING_SECONDS : ENDED_SECONDS;
  }, page.failed);

  element.addEventListener("click", async event => {
    const menu = head.querySelector(".menu[open]");
    if (menu && !event.target.closest(".menu summary")) menu.open = false;
    const button = event.target.closest("[data-action]");
    if (!button || isAsking) return;
    isAsking = true;
    try {
      if (button.dataset.action === "export") await save(page, story, button.dataset.form);
      else await act(page, button.dataset.action, story);
    } finally {
      isAsking = false;
    }
    looks.now();
  });

  return {
    element,
    stop: looks.stop,
    keys: {
      t: () => page.go(wanted === "timeline" ? `/jobs/${name}` : `/jobs/${name}/timeline`),
      j: () => reader?.step(1),
      k: () => reader?.step(-1),
      Enter: event => reader?.followFrom(event.target) ?? false,
      Escape: () => closed(head.querySelector(".menu[open]")) || (reader?.back() ?? false),
    },
  };
}

/** Close a menu and give the focus back to what opened it; false where none is open. */
function closed(menu) {
  if (!menu) return false;
  menu.open = false;
  menu.querySelector("summary").focus();
  return true;
}

async function save(page, story, form) {
  try {
    await download(`/api/jobs/${story.job_id}/export/${form}`);
  } catch (error) {
    page.failed(error);
  }
}

/** What stands in the reader's place where there is nothing to read: replaced or deleted since. */
function unreadable(error) {
  if (error.status !== 404) throw error;
  const element = h("div", { class: "empty" }, h("h2", {}, "No summary to read"), h("p", {}, sentence(error.message)),
    h("p", {}, "Its timeline tells what became of it."));
  return { element, step() {}, follow() {}, followFrom: () => false, back: () => false };
}

function toCome() {
  return [h("h1", {}, "Not on record yet"),
    h("p", {}, "The file is uploaded, and S3 tells the submitter of it. Its job appears here by itself, usually within seconds. ",
      "If it does not, ", h("code", {}, "summaries doctor"), " says what is in the way.")];
}

function unknown(error) {
  return [h("h1", {}, "No such job"), h("p", {}, sentence(error.message)),
    h("p", {}, h("a", { href: "/", "data-link": true }, "All jobs"))];
}

function header(story, showsSummary) {
  const path = `/jobs/${story.job_id}`;
  const tab = (href, label, isHere) => h("a", { href, "data-link": true, "aria-current": isHere ? "page" : null }, label);
  return h("div", { class: "head" },
    h("p", { class: "crumb" }, h("a", { href: "/", "data-link": true }, "All jobs")),
    h("div", { class: "title" },
      h("h1", { dir: "auto" }, story.source.key), chip(story.state),
      story.doubts ? h("span", { class: "chip doubt" }, "in doubt") : null),
    h("p", { class: "lead" }, lead(story)),
    story.reason ? failure(story) : null,
    h("div", { class: "tools" },
      story.state === "succeeded"
        ? h("nav", { class: "tabs", "aria-label": "Of this job" },
            tab(path, "Summary", showsSummary), tab(`${path}/timeline`, "Timeline", !showsSummary))
        : h("span", {}),
      h("div", { class: "buttons" },
        story.state === "succeeded" ? exports() : null,
        story.can.cancel ? h("button", { type: "button", class: "danger", "data-action": "cancel" }, "Cancel") : null,
        story.can.retry ? h("button", { type: "button", class: story.state === "failed" ? "primary" : "quiet", "data-action": "retry" },
          story.state === "failed" ? "Start anew" : "Summarise again") : null)));
}

function lead(story) {
  const told = [];
  if (story.words_in) {
    const got = story.words_out ? `${number(story.words_in)} words became ${number(story.words_out)}` : `${number(story.words_in)} words`;
    told.push(story.words_out ? got : `${got}, ${number(story.asked.target_words)} asked for`);
  } else told.push(bytes(story.bytes));
  told.push(story.finished_at ? `in ${span(story.lasted_seconds)}` : `for ${span(story.lasted_seconds)}`);
  told.push(story.asked.model);
  if (story.dollars) told.push(story.dollars);
  return [told.join(" · "), " · ", h("time", { datetime: story.created_at, title: at(story.created_at) }, ago(story.created_at)),
    " · ", h("span", { class: "id" }, story.job_id.slice(0, 8))];
}

function failure(story) {
  const says = story.reason.toLowerCase();
  const isToldAlready = story.advice && says.includes(story.advice.toLowerCase());
  return h("div", { class: "callout bad", role: "note" },
    h("strong", {}, story.reason_code), h("p", {}, sentence(story.reason)),
    story.advice && !isToldAlready ? h("p", {}, "What to do: ", sentence(story.advice)) : null);
}

function exports() {
  return h("details", { class: "menu" }, h("summary", { class: "quiet" }, "Save"),
    h("ul", {}, FORMATS.map(([form, label]) =>
      h("li", {}, h("button", { type: "button", class: "plain", "data-action": "export", "data-form": form }, label)))));
}

// All jobs, as they move: filters, the table, and how the whole is.

import { get } from "./api.js";
import { announce, h, morph } from "./dom.js";
import { ago, at, between, counted, number, span } from "./format.js";
import { healthStrip } from "./health.js";
import { poll } from "./poll.js";

const STATES = [["", "All"], ["active", "Active"], ["succeeded", "Succeeded"], ["failed", "Failed"]];
const AGES = [
  ["", "Any age"], ["since=1h", "Last hour"], ["since=1d", "Last day"], ["since=1w", "Last week"],
  ["older=1h", "Older than an hour"], ["older=1d", "Older than a day"],
];
const ENDED = { succeeded: "its summary is ready", failed: "it has failed" };
const TYPING_MS = 250;

export function listView(page) {
  const chosen = chosenIn(new URLSearchParams(location.search));
  const trail = [""]; // where each page that was gone through begins, the first one's first
  const states = new Map(); // by job, as last seen
  let typing = 0;

  const form = filterForm(page, chosen);
  const results = h("div", { class: "results" }, h("p", { class: "dim" }, "Looking …"));
  const health = healthStrip(page);
  const element = h("div", { class: "list" },
    h("h1", { class: "unseen" }, "Jobs"), health.element, form, results);

  const looks = poll(async () => {
    const { document: found, isNew } = await get("/api/jobs", { ...asParameters(chosen), after: trail.at(-1) });
    tellWhatEnded(found.jobs, states);
    morph(results, shown(found, chosen, trail, isNew));
    return found.again_seconds;
  }, page.failed);

  function changed() {
    Object.assign(chosen, chosenIn(new URLSearchParams(new FormData(form))));
    trail.splice(1);
    form.querySelector("#reasons").hidden = !["", "failed"].includes(chosen.state);
    history.replaceState(null, "", asAddress(chosen));
    looks.now();
  }

  form.addEventListener("input", event => {
    clearTimeout(typing);
    typing = setTimeout(changed, event.target.type === "search" ? TYPING_MS : 0);
  });
  form.addEventListener("submit", event => event.preventDefault());

  element.addEventListener("click", event => {
    const action = event.target.closest("[data-action]")?.dataset.action;
    if (action === "clear") {
      form.reset();
      for (const each of form.elements) {
        if (each.type === "search" || each.tagName === "SELECT") each.value = "";
        if (each.type === "checkbox") each.checked = false;
        if (each.type === "radio") each.checked = each.value === "";
      }
      changed();
      form.querySelector("input[type=search]").focus();
    }
    if (action === "older") trail.push(results.querySelector("[data-next]").dataset.next);
    if (action === "newer" && trail.length > 1) trail.pop();
    if (action === "older" || action === "newer") {
      looks.now();
      element.querySelector("h1").scrollIntoView();
    }
  });

  return {
    element,
    stop() {
      looks.stop();
      health.stop();
      clearTimeout(typing);
    },
    keys: {
      "/": () => form.querySelector("input[type=search]").focus(),
      j: () => step(results, 1),
      k: () => step(results, -1),
      Escape: event => event.target.matches?.("input[type=search]") ? event.target.blur() : false,
    },
  };
}

/** Move the focus to the next job's link, or the one before. */
function step(results, by) {
  const links = [...results.querySelectorAll("a.job")];
  const here = links.indexOf(document.activeElement);
  links[Math.min(Math.max(here + by, 0), links.length - 1)]?.focus();
}

function chosenIn(parameters) {
  return {
    text: parameters.get("text") ?? "",
    state: parameters.get("state") ?? "",
    reason: ["", "failed"].includes(parameters.get("state") ?? "") ? parameters.get("reason") ?? "" : "",
    age: parameters.get("age") ?? "",
    doubts: parameters.get("doubts") ?? "",
  };
}

function asParameters({ age, ...others }) {
  const [name, length] = age.split("=");
  return length ? { ...others, [name]: length } : others;
}

function asAddress(chosen) {
  const query = new URLSearchParams(Object.entries(chosen).filter(([, value]) => value));
  return query.size ? `/?${query}` : "/";
}

function filterForm(page, chosen) {
  const reasons = page.stack?.reasons ?? [];
  return h("form", { class: "filters", role: "search", "aria-label": "Jobs" },
    h("label", { class: "field grow" }, h("span", {}, "File or job"),
      h("input", { type: "search", name: "text", value: chosen.text, placeholder: "part of a name, or a job's id",
        autocomplete: "off", spellcheck: "false", "aria-keyshortcuts": "/" })),
    h("fieldset", { class: "states" }, h("legend", { class: "unseen" }, "State"),
      STATES.map(([value, label]) => h("label", {},
        h("input", { type: "radio", name: "state", value, checked: chosen.state === value }), h("span", {}, label)))),
    h("label", { class: "field", id: "reasons", hidden: !["", "failed"].includes(chosen.state) }, h("span", {}, "Reason"),
      h("select", { name: "reason" }, h("option", { value: "" }, "Any reason"),
        reasons.map(({ code, happened }) =>
          h("option", { value: code, selected: code === chosen.reason, title: happened }, code)))),
    h("label", { class: "field" }, h("span", {}, "Age"),
      h("select", { name: "age" }, AGES.map(([value, label]) =>
        h("option", { value, selected: value === chosen.age }, label)))),
    h("label", { class: "check" },
      h("input", { type: "checkbox", name: "doubts", value: "1", checked: chosen.doubts === "1" }), "in doubt"));
}

/** Tell a screen reader of jobs that have ended since the last look, and of nothing else. */
function tellWhatEnded(jobs, states) {
  const ended = jobs.filter(job => states.get(job.job_id) === "active" && ENDED[job.state]);
  if (ended.length) announce(ended.map(job => `${job.key}: ${ENDED[job.state]}`).join("; "));
  for (const job of jobs) states.set(job.job_id, job.state);
}

function shown(found, chosen, trail) {
  if (!found.jobs.length) return h("div", { class: "results" }, nothing(chosen, trail));
  return h("div", { class: "results" },
    h("table", { class: "jobs", role: "table" },
      h("caption", { class: "unseen" }, "Jobs, the newest first"),
      h("thead", { role: "rowgroup" }, h("tr", { role: "row" },
        ["State", "File", "Words", "Recorded", "Took"].map(name => h("th", { scope: "col", role: "columnheader" }, name)))),
      h("tbody", { role: "rowgroup" }, found.jobs.map(row))),
    h("nav", { class: "pages", "aria-label": "Pages of jobs" },
      h("button", { type: "button", class: "quiet", "data-action": "newer", disabled: trail.length < 2 }, "Newer"),
      h("button", { type: "button", class: "quiet", "data-action": "older", "data-next": found.next, disabled: !found.next }, "Older"),
      h("p", { class: "dim" }, `${counted(found.jobs.length, "job")}. A look takes ${number(Math.round(found.read_units * 10) / 10)} read units, `
        + `the next comes in ${span(found.again_seconds)}.`)));
}

function nothing(chosen, trail) {
  const isFiltered = Object.values(chosen).some(Boolean);
  if (isFiltered || trail.length > 1) {
    return h("div", { class: "empty" }, h("h2", {}, "No job is like that"),
      h("p", {}, "None of the newest twenty thousand fits all of the filters. Records are kept for RetentionDays."),
      h("p", {}, h("button", { type: "button", class: "quiet", "data-action": "clear" }, "Show all jobs")));
  }
  return h("div", { class: "empty" }, h("h2", {}, "No job yet"),
    h("p", {}, "Drop a transcript anywhere on this page, and watch it become a summary: plain text, captions, Word, PDF, "
      + "or the JSON of a speech recogniser."),
    h("p", {}, h("button", { type: "button", class: "primary", "data-open": "upload" }, "Upload a transcript")));
}

function row(job) {
  return h("tr", { "data-key": job.job_id, role: "row" },
    h("td", { role: "cell", class: "state-cell" }, chip(job.state), progress(job.progress)),
    h("td", { role: "cell", class: "file-cell" },
      h("a", { class: "job", href: `/jobs/${job.job_id}`, "data-link": true, dir: "auto" }, job.key),
      h("span", { class: "dim id" }, job.job_id.slice(0, 8)),
      job.reason_code ? h("span", { class: "reason" }, job.reason_code) : null),
    h("td", { role: "cell", class: "words-cell" }, words(job),
      job.doubts ? h("span", { class: "chip doubt" }, "in doubt") : null),
    h("td", { role: "cell", class: "when-cell" }, h("time", { datetime: job.created_at, title: at(job.created_at) }, ago(job.created_at))),
    h("td", { role: "cell", class: "took-cell" }, job.finished_at ? span(between(job.created_at, job.finished_at)) : ""));
}

export function chip(state) {
  return h("span", { class: `chip ${state}` }, h("span", { class: "dot", "aria-hidden": "true" }), state);
}

function progress(told) {
  if (!told) return null;
  if (told.is_publishing) return h("span", { class: "progress" }, "writing the summary");
  if (!told.calls) return h("span", { class: "progress" }, "recorded");
  const share = `${Math.round((100 * told.calls_done) / told.calls)}%`;
  return h("span", { class: "progress" }, `round ${told.round}, ${told.calls_done} of ${told.calls}`,
    h("span", { class: "track", "aria-hidden": "true" }, h("span", { style: { width: share } })));
}

function words(job) {
  if (!job.words_in) return null;
  return h("span", { class: "count" }, job.words_out ? `${number(job.words_in)} → ${number(job.words_out)}` : number(job.words_in));
}

// A job's story: where each second went, its rounds with their calls on one scale, and who moved it when.

import { h } from "./dom.js";
import { at, between, bytes, number, span } from "./format.js";

const WHERE = {
  arriving: "on its way to us", queue: "waiting for a worker", gpu: "on the GPU",
  callback: "until we knew", waiting: "until sent again", ours: "ours",
};
const COLUMNS = ["Call", "State", "Words", "Tokens", "Queued", "Ran", "When"];
const LEAST_SHOWN = 0.05; // seconds: what is shown has one digit

export function timeline(story) {
  return h("div", { class: "story" },
    section("Where the time went", seconds(story)),
    story.rounds.length ? section("Rounds", rounds(story)) : null,
    story.checks.length ? section("Checks", checkList(story.checks)) : null,
    section("Cost", cost(story)),
    section("What happened", events(story)),
    section("The job", about(story)));
}

function section(title, ...content) {
  return h("section", { class: "card" }, h("h2", {}, title), content);
}

function seconds(story) {
  const parts = Object.entries(story.seconds).filter(([, value]) => value >= LEAST_SHOWN);
  const whole = parts.reduce((sum, [, value]) => sum + value, 0) || 1;
  return [
    h("div", { class: "stack-bar", "aria-hidden": "true" }, parts.map(([kind, value]) =>
      h("span", { class: `bar ${kind}`, style: { width: `${(100 * value) / whole}%` } }))),
    h("ul", { class: "legend" }, parts.map(([kind, value]) => h("li", {},
      h("span", { class: `key ${kind}`, "aria-hidden": "true" }), h("span", {}, WHERE[kind]), h("strong", {}, span(value)),
      h("span", { class: "dim" }, `${Math.round((100 * value) / whole)} %`)))),
  ];
}

function rounds(story) {
  const scale = Math.max(story.lasted_seconds, 0.001);
  return [legend(story), lanes(story, scale)];
}

/** What the colours of the calls mean: those that are there. */
function legend(story) {
  const there = new Set(story.rounds.flatMap(each => each.calls.flatMap(call => call.bars.map(bar => bar.kind))));
  return h("ul", { class: "legend", "aria-hidden": "true" }, Object.keys(WHERE).filter(kind => there.has(kind)).map(kind =>
    h("li", {}, h("span", { class: `key ${kind}` }), h("span", {}, WHERE[kind]))));
}

function lanes(story, scale) {
  return h("div", { class: "rounds", tabindex: "0", role: "group", "aria-label": "Calls of each round" },
    story.rounds.map(each => h("table", { class: "calls", "data-key": `round-${each.number}` },
      h("caption", {}, h("strong", {}, `Round ${each.number}`), `: ${each.asks}`,
        h("span", { class: "dim" }, each.ended_at ? `, ${span(between(each.began_at, each.ended_at))}` : story.finished_at ? ", not finished" : ", under way")),
      h("colgroup", {}, COLUMNS.map(name => h("col", { class: `of-${name.toLowerCase()}` }))),
      h("thead", {}, h("tr", {},
        COLUMNS.slice(0, -1).map(name =>
          h("th", { scope: "col", class: isFigure(name) ? "figure" : null }, name)),
        h("th", { scope: "col", class: "when" }, h("span", { "aria-hidden": "true" }, `0 to ${span(scale)}`),
          h("span", { class: "unseen" }, COLUMNS.at(-1))))),
      h("tbody", {}, each.calls.map(call => callRows(call, scale))))),
    attempts(story));
}

/** Every attempt with the id that RunPod knows it by, for who looks there; folded. */
function attempts(story) {
  const all = story.rounds.flatMap(each => each.calls.flatMap(call => call.attempts.map(attempt => [call, attempt])));
  return h("details", { class: "attempts" }, h("summary", {}, `${all.length === 1 ? "One attempt" : `All ${all.length} attempts`}, with RunPod's ids`),
    h("table", { class: "calls" },
      h("caption", { class: "unseen" }, "Attempts"),
      h("thead", {}, h("tr", {}, ["Call", "Attempt", "RunPod request", "Outcome", "Sent after", "Queued", "Ran", "Told by"].map(name =>
        h("th", { scope: "col" }, name)))),
      h("tbody", {}, all.map(([call, each]) => h("tr", {},
        h("th", { scope: "row" }, call.ask || call.call_id), h("td", {}, each.number), h("td", { class: "id" }, each.runpod_id ?? "–"),
        h("td", {}, each.outcome ?? "open"), h("td", {}, span(between(story.created_at, each.begun_at))),
        h("td", {}, each.queued_seconds === null ? "" : span(each.queued_seconds)),
        h("td", {}, each.ran_seconds === null ? "" : span(each.ran_seconds)),
        h("td", {}, (each.found_by ?? "").replace("_", " ")))))));
}

function isFigure(name) {
  return ["Words", "Tokens", "Queued", "Ran"].includes(name);
}

function callRows(call, scale) {
  const total = name => call.attempts.reduce((sum, each) => sum + (each[name] ?? 0), 0);
  const queued = total("queued_seconds"), ran = total("ran_seconds");
  const asked = call.words_asked ? number(call.words_asked) : "";
  const words = call.words_out === null ? asked : `${asked} → ${number(call.words_out)}`;
  const tokens = call.completion_tokens ? `${number(call.prompt_tokens)} → ${number(call.completion_tokens)}` : "";
  const tries = call.attempts.length > 1 ? ` ×${call.attempts.length}` : "";
  return [
    h("tr", { "data-key": call.call_id },
      h("th", { scope: "row" }, call.ask || call.call_id),
      h("td", {}, h("span", { class: `call-state ${call.state}` }, `${call.state}${tries}`)),
      h("td", { class: "figure" }, words), h("td", { class: "figure" }, tokens),
      h("td", { class: "figure" }, queued ? span(queued) : ""), h("td", { class: "figure" }, ran ? span(ran) : ""),
      h("td", { class: "when" }, bars(call, scale))),
    call.amiss.length
      ? h("tr", { class: "amiss", "data-key": `${call.call_id}-amiss` },
          h("td", { colspan: "7" }, call.amiss.map(line => h("p", {}, line))))
      : null,
  ];
}

function bars(call, scale) {
  return h("div", { class: "lane", "aria-hidden": "true" }, call.bars.map(bar => h("span", {
    class: `bar ${bar.kind}`,
    title: `${WHERE[bar.kind]}: ${span(bar.to - bar.from)}`,
    style: { left: `${(100 * bar.from) / scale}%`, width: `${Math.max((100 * (bar.to - bar.from)) / scale, 0.15)}%` },
  })));
}

/** The checks that found something, in words, and after them the names of those that did not. */
export function checkList(checks) {
  const found = checks.filter(each => !["passed", "not-applicable"].includes(each.outcome));
  const passed = [...new Set(checks.filter(each => each.outcome === "passed").map(each => each.title))];
  return [
    found.length ? h("ul", { class: "checks" }, found.map(each => h("li", {},
      h("span", { class: `chip ${each.outcome}` }, each.outcome), h("strong", {}, each.title),
      each.words ? h("span", {}, each.words) : null))) : null,
    passed.length ? h("p", { class: "dim" }, `Passed: ${passed.join(", ")}.`) : null,
  ];
}

function cost(story) {
  const told = story.cost;
  return facts([
    ["Requests", number(told.requests)],
    ["Tokens", `${number(told.prompt_tokens)} read, ${number(told.completion_tokens)} written, ${number(told.discarded_tokens)} thrown away`],
    ["GPU", `${span(told.gpu_seconds.by_request)} of requests; ${span(told.gpu_seconds.if_on_one_worker)} if one worker ran them side by side`],
    ["Dollars", story.dollars ? `${story.dollars}; a worker's start and idle time are billed as well` : "not known for this model"],
  ]);
}

function events(story) {
  return h("ol", { class: "events" }, story.events.map(event => h("li", {},
    h("time", { datetime: event.at, title: at(event.at) }, span(between(story.created_at, event.at))),
    h("span", { class: "dim" }, event.by.replace("_", " ")),
    h("span", {}, event.what.replace("->", "→"), event.why && event.why !== story.reason ? h("span", { class: "dim" }, ` ${event.why}`) : null))));
}

function about(story) {
  return facts([
    ["File", `${story.source.key}, ${bytes(story.bytes)}`],
    ["Bucket", story.source.bucket],
    ["Version", story.source.version_id || null],
    ["Job", story.job_id],
    ["Uploaded", at(story.uploaded_at)],
    ["Asked for", `${number(story.asked.target_words)} words${story.asked.language ? ` in ${story.asked.language}` : ""}, ${story.asked.mode} mode, `
      + `strategy ${story.asked.strategy}, prompts ${story.asked.prompt}`],
    ["Model", story.asked.model],
    ["Deadline", story.finished_at ? null : at(story.deadline)],
    ["Summary", story.words_out ? story.summary_key : null],
  ]);
}

function facts(rows) {
  return h("dl", { class: "facts" }, rows.filter(([, value]) => value !== null).map(([name, value]) =>
    h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

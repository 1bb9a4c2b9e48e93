// How the whole is: a row of figures of the last day, and above it what wants a person.

import { get } from "./api.js";
import { h, morph } from "./dom.js";
import { number, span } from "./format.js";
import { poll } from "./poll.js";
import { sentence } from "./actions.js";

const SECONDS = 60; // it reads more than a page of jobs, and changes slowly

export function healthStrip(page) {
  const element = h("section", { class: "health", "aria-label": "How it is, over the last day" });
  let isKnown = false;
  const looks = poll(async () => {
    const { document: status } = await get("/api/status");
    morph(element, shown(status));
    isKnown = true;
    return SECONDS;
  }, error => {
    if (error && !isKnown) morph(element, h("section", { class: "health", "aria-label": "How it is" },
      h("p", { class: "dim" }, `How it is can't be told: ${error.message}`)));
  });
  return { element, stop: looks.stop };
}

function shown(status) {
  const times = status.seconds_to_summary;
  // Those that are ready are idle or running.
  const up = ["running", "idle", "initializing"].map(name => status.endpoint.workers[name] ?? 0);
  const workers = status.endpoint.problem ? "?" : number(up.reduce((sum, each) => sum + each, 0));
  const figures = [
    ["Active", count(status, "active"), ""],
    ["Succeeded", count(status, "succeeded"), status.summaries_in_doubt ? `${status.summaries_in_doubt} in doubt` : ""],
    ["Failed", count(status, "failed"), Object.keys(status.failed_by_reason)[0] ?? ""],
    ["Median time", times.p50 === undefined ? "–" : span(times.p50), times.p95 === undefined ? "" : `95 % within ${span(times.p95)}`],
    ["Workers", workers, status.endpoint.problem ? "RunPod can't be asked" : `${status.endpoint.jobs.inQueue ?? 0} requests wait`],
    ["Lost callbacks", status.lost_callbacks === null ? "?" : number(status.lost_callbacks), "found by the sweeper"],
  ];
  return h("section", { class: "health", "aria-label": "How it is, over the last day" },
    status.problems.length
      ? h("ul", { class: "problems" }, status.problems.map(problem => h("li", {}, sentence(problem))))
      : null,
    h("dl", { class: "figures" }, figures.map(([name, value, more]) =>
      h("div", {}, h("dt", {}, name), h("dd", {}, value, h("small", {}, more))))));
}

function count(status, state) {
  const value = status.jobs[state];
  return `${number(value)}${value >= status.counted_up_to ? "+" : ""}`;
}

// A summary beside its transcript. Whatever belongs together is marked on both sides; each part leads to the
// turns that it rests on, and each turn back.

import { get } from "./api.js";
import { h } from "./dom.js";
import { checkList } from "./timeline.js";

const MOST_BACK = 6;
const NARROW = matchMedia("(max-width: 56rem)");

export async function readerView(story) {
  const { document: read } = await get(`/api/jobs/${story.job_id}/summary`);
  const partsOf = new Map(read.turns.map(turn => [turn.number, turn.cited_by]));
  const turnsOf = new Map(read.parts.map(part => [part.number, part.turns]));
  const summary = h("section", { class: "side summary", "aria-label": "Summary", tabindex: "0", lang: "", dir: "auto" },
    h("div", { lang: "en", dir: "ltr" }, verdict(read)), parts(read));
  const transcript = h("section", { class: "side transcript", "aria-label": "Transcript", tabindex: "0", lang: "", dir: "auto" },
    h("h2", { lang: "en" }, "Transcript"), read.remark ? h("p", { class: "dim", lang: "en" }, read.remark) : null, turns(read));
  const switches = h("div", { class: "switch", role: "group", "aria-label": "Side" },
    ["summary", "transcript"].map(side => h("button", { type: "button", "data-side": side, "aria-pressed": side === "summary" ? "true" : "false" },
      side === "summary" ? "Summary" : "Transcript")));
  const element = h("div", { class: "reader", "data-side": "summary" }, switches, summary, transcript);
  let marked = [], cameFrom = null;

  const part = number => document.getElementById(`p${number}`);
  const turn = number => document.getElementById(`t${number}`);

  function mark(numbersOfParts, numbersOfTurns) {
    for (const each of marked) each.classList.remove("marked");
    marked = [...numbersOfParts.map(part), ...numbersOfTurns.map(turn)].filter(Boolean);
    for (const each of marked) each.classList.add("marked");
  }

  function markOf(target) {
    const ofPart = target.closest?.("[data-part]"), ofTurn = target.closest?.("[data-turn]");
    if (ofPart) mark([Number(ofPart.dataset.part)], turnsOf.get(Number(ofPart.dataset.part)));
    else if (ofTurn) mark(partsOf.get(Number(ofTurn.dataset.turn)), [Number(ofTurn.dataset.turn)]);
  }

  function turnTo(side) {
    element.dataset.side = side;
    for (const each of switches.children) each.setAttribute("aria-pressed", String(each.dataset.side === side));
  }

  /** Go to a place on either side: it is shown, and has the focus. */
  function goTo(place, side) {
    if (!place) return false;
    turnTo(side);
    place.focus({ preventScroll: true });
    place.scrollIntoView({ block: "center" });
    return true;
  }

  function toTurn(number, from) {
    cameFrom = from ?? cameFrom;
    if (!goTo(turn(number), "transcript")) return false;
    if (cameFrom) mark([Number(cameFrom.dataset.part)], turnsOf.get(Number(cameFrom.dataset.part)));
    return true;
  }

  function clicked(event) {
    const side = event.target.closest("[data-side]");
    if (side && side !== element) turnTo(side.dataset.side);
    const source = event.target.closest("a.source"), back = event.target.closest("a.back");
    if (source) toTurn(Number(source.dataset.first), source.closest("[data-part]"));
    else if (back) goTo(part(Number(back.dataset.to)), "summary");
    else if (!NARROW.matches && getSelection().isCollapsed) showOther(event.target);
    if (source || back) event.preventDefault();
  }

  /** Let the other side show what belongs to a place, without leaving the place. */
  function showOther(target) {
    const ofPart = target.closest("[data-part]"), ofTurn = target.closest("[data-turn]");
    const other = ofPart ? turn(turnsOf.get(Number(ofPart.dataset.part))[0]) : ofTurn ? part(partsOf.get(Number(ofTurn.dataset.turn))[0]) : null;
    other?.scrollIntoView({ block: "center" });
  }

  element.addEventListener("click", clicked);
  element.addEventListener("focusin", event => markOf(event.target));
  element.addEventListener("mouseover", event => markOf(event.target));

  return {
    element,
    step(by) {
      const all = [...element.querySelectorAll("[data-part]")];
      const here = all.indexOf(document.activeElement?.closest("[data-part]"));
      goTo(all[Math.min(Math.max(here + by, 0), all.length - 1)], "summary");
    },
    followFrom(target) {
      const from = target.matches?.("[data-part]") ? target : null;
      const first = from && turnsOf.get(Number(from.dataset.part))[0];
      return first ? toTurn(first, from) : false;
    },
    back() {
      const isThere = document.activeElement?.closest(".transcript");
      return isThere && cameFrom ? goTo(cameFrom, "summary") : false;
    },
    follow(hash) {
      const found = /^#([pt])(\d+)$/.exec(hash);
      if (found) goTo(found[1] === "t" ? turn(found[2]) : part(found[2]), found[1] === "t" ? "transcript" : "summary");
    },
  };
}

function verdict(read) {
  const doubts = read.checks.filter(each => each.outcome === "doubt");
  const found = read.checks.filter(each => ["noted", "mended"].includes(each.outcome));
  return [
    doubts.length ? h("div", { class: "callout doubt", role: "note" }, h("strong", {}, "The checks are in doubt"), checkList(doubts)) : null,
    read.outcome ? h("details", { class: "verdict" }, h("summary", {}, h("span", { class: doubts.length ? "mark-doubt" : "mark-fine", "aria-hidden": "true" }), read.outcome),
      found.length ? checkList(found) : h("p", { class: "dim" }, "Nothing was mended, and nothing is worth a look.")) : null,
    read.is_linked ? null : h("p", { class: "dim" }, "The summary and its facts are not of each other, so nothing is linked."),
  ];
}

function parts(read) {
  const quotes = read.checks.find(each => each.code === "quote" && each.words);
  const shown = [];
  let list = null, isTold = false;
  for (const each of read.parts) {
    if (each.kind !== "item") list = null;
    if (each.kind === "quote" && quotes && !isTold) {
      isTold = true;
      shown.push(h("p", { class: `aside ${quotes.outcome}`, lang: "en", dir: "ltr" }, `Quotes: ${quotes.words}.`));
    }
    if (each.kind === "heading") shown.push(h(`h${Math.min(each.level + 1, 6)}`, { dir: "auto" }, runs(each)));
    else if (each.kind === "item") {
      if (!list) shown.push(list = h("ul", {}));
      list.append(partElement("li", each));
    } else shown.push(partElement(each.kind === "quote" ? "blockquote" : "p", each));
  }
  return shown;
}

function partElement(tag, each) {
  return h(tag, { id: `p${each.number}`, "data-part": each.number, tabindex: "-1", dir: "auto" }, runs(each), sources(each),
    each.unsaid_figures.length
      ? h("span", { class: "chip noted", lang: "en", title: "These figures are in none of the turns that this paragraph rests on." },
          `not in its turns: ${each.unsaid_figures.join(", ")}`)
      : null);
}

function runs(each) {
  return each.runs.map(run => run.styles.reduce((held, style) => h(style, {}, held), document.createTextNode(run.text)));
}

function sources(each) {
  if (!each.links.length) return null;
  return [" ", h("span", { class: "sources", role: "group", lang: "en", "aria-label": "rests on turns" },
    each.links.map(link => h("a", { class: "source", href: `#t${link.first}`, "data-first": link.first,
      "aria-label": link.first === link.last ? `turn ${link.first}` : `turns ${link.first} to ${link.last}` }, link.text)),
    each.has_more_links ? h("span", { title: "and more turns" }, "…") : null)];
}

function turns(read) {
  let speaker = null;
  const untold = new Map(read.untold.map(([first, last]) => [first, last]));
  const isUntold = number => read.untold.some(([first, last]) => first <= number && number <= last);
  return h("ol", { class: "turns" }, read.turns.map(each => {
    const isNew = each.speaker && each.speaker !== speaker;
    speaker = each.speaker;
    return h("li", { id: `t${each.number}`, "data-turn": each.number, tabindex: "-1", dir: "auto", class: isUntold(each.number) ? "untold" : null },
      untold.has(each.number)
        ? h("span", { class: "aside noted", lang: "en", dir: "ltr" }, `No paragraph rests on turns ${each.number} to ${untold.get(each.number)}.`)
        : null,
      isNew ? h("span", { class: "who" }, each.speaker) : null,
      h("span", { class: "number" }, each.clock ? `${each.number} · ${each.clock}` : each.number),
      each.text, backs(each));
  }));
}

function backs(each) {
  if (!each.cited_by.length) return null;
  return [" ", h("span", { class: "backs", lang: "en" }, each.cited_by.slice(0, MOST_BACK).map((to, at) =>
    h("a", { class: "back", href: `#p${to}`, "data-to": to,
      "aria-label": `back to where the summary rests on turn ${each.number}${each.cited_by.length > 1 ? `, place ${at + 1}` : ""}` }, "↩")))];
}

// Uploads: files dropped anywhere on the page, or chosen; with what may be chosen for them.

import { post } from "./api.js";
import { announce, h } from "./dom.js";
import { closeDialog, openDialog } from "./dialogs.js";
import { bytes, counted, number } from "./format.js";

const KEPT = "page-upload-choices";
const NAMES = ["prefix", "words", "language", "mode", "strategy", "prompt"];

/** Take files that are dropped on the page. */
export function takesDrops(page) {
  const overlay = document.getElementById("drop");
  const holdsFiles = event => [...(event.dataTransfer?.types ?? [])].includes("Files");
  window.addEventListener("dragenter", event => { if (holdsFiles(event)) overlay.hidden = false; });
  window.addEventListener("dragover", event => { if (holdsFiles(event)) event.preventDefault(); });
  window.addEventListener("dragleave", event => { if (!event.relatedTarget) overlay.hidden = true; });
  window.addEventListener("drop", event => {
    overlay.hidden = true;
    if (!holdsFiles(event)) return;
    event.preventDefault();
    openUpload(page, [...event.dataTransfer.files]);
  });
}

export async function openUpload(page, files = []) {
  let offered;
  try {
    offered = (await page.known()).uploads;
  } catch (error) {
    page.failed(error);
    return;
  }
  const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "{}");
  const chosenFiles = h("ul", { class: "files" });
  const input = h("input", { type: "file", id: "files", multiple: true, accept: offered.suffixes.flatMap(each => [each, `${each}.gz`]).join(",") });
  let chosen = files;

  function list() {
    chosenFiles.replaceChildren(...chosen.map(file => {
      const problem = problemWith(file, offered);
      const line = h("li", { class: problem ? "bad" : null }, h("strong", { dir: "auto" }, file.name), ` ${problem || bytes(file.size)}`);
      if (!problem) tellHowItReads(file, line);
      return line;
    }));
  }

  input.addEventListener("change", () => {
    chosen = [...input.files];
    list();
  });
  list();
  const content = [
    h("p", { class: "field" }, h("label", { for: "files" }, "Transcripts (or drop them anywhere on the page)"), input),
    chosenFiles,
    fields(offered, kept),
  ];
  const answered = openDialog("Upload transcripts", content, [
    { label: "Cancel", value: "" }, { label: "Upload", value: "upload", kind: "primary" },
  ]);
  const form = document.querySelector("#dialog form");
  if (await answered !== "upload") return;
  const choices = Object.fromEntries(NAMES.map(name => [name, String(form.elements[name]?.value ?? "").trim()]));
  sessionStorage.setItem(KEPT, JSON.stringify(choices));
  if (chosen.length) await send(page, chosen, choices);
  else await tell("Nothing was uploaded", ["No file was chosen."]);
}

/** Add to a file's line how it would be read, or why it would fail. */
async function tellHowItReads(file, line) {
  const read = await post("/api/reading", { name: file.name }, file).catch(() => null); // the upload says why
  if (!read) return;
  if (!read.is_readable) line.className = "bad";
  line.append(h("span", { class: read.is_readable ? "reads dim" : "reads" }, read.is_readable
    ? `${read.format}, ${counted(read.turns, "turn")} ${read.has_times ? "with" : "without"} times, ${counted(read.words, "word")}; ${speakers(read)}`
    : `would fail as ${read.code}: ${read.message}`));
}

function speakers({ speakers: count, most }) {
  if (!count) return "no speaker is named in it, so nobody can be quoted by name";
  const named = most.map(({ name, share }) => `${name} ${Math.round(100 * share)} %`).join(", ");
  return count > most.length ? `${named}, ${count - most.length} more` : named;
}

function problemWith(file, { suffixes, max_bytes: most }) {
  const name = file.name.toLowerCase().replace(/\.gz$/, "");
  if (!suffixes.some(suffix => name.endsWith(suffix))) return `does not end as a transcript's name does: ${suffixes.join(" ")}`;
  if (!file.size) return "is empty";
  return file.size > most ? `has ${bytes(file.size)}, and ${bytes(most)} are taken` : "";
}

function fields(offered, kept) {
  const select = (name, label, values, usual) => h("p", { class: "field" }, h("label", { for: name }, label),
    h("select", { id: name, name }, h("option", { value: "" }, `as deployed (${usual})`),
      values.map(value => h("option", { value, selected: kept[name] === value }, value))));
  return h("fieldset", { class: "choices" }, h("legend", {}, "For these files"),
    h("p", { class: "field" }, h("label", { for: "words" }, "Words"),
      h("input", { id: "words", name: "words", type: "number", min: "50", max: "20000", placeholder: number(offered.words), value: kept.words ?? "" })),
    h("p", { class: "field" }, h("label", { for: "language" }, "Language"),
      h("input", { id: "language", name: "language", placeholder: offered.language ?? "the transcript's own", value: kept.language ?? "", autocomplete: "off" })),
    select("mode", "Mode", offered.modes, offered.mode),
    select("strategy", "Strategy", offered.strategies, "auto"),
    select("prompt", "Prompts", offered.prompts, "default"),
    h("p", { class: "field" }, h("label", { for: "prefix" }, "Folder"),
      h("input", { id: "prefix", name: "prefix", placeholder: offered.prefix || "calls/", value: kept.prefix ?? "", autocomplete: "off" })));
}

async function send(page, files, choices) {
  const sent = [], refused = [];
  openDialog("Uploading", [h("p", {}, files.length === 1 ? files[0].name : `${files.length} files`)], []);
  for (const file of files) {
    try {
      sent.push(await sendOne(file, choices));
    } catch (error) {
      refused.push([file.name, error.message]);
    }
  }
  closeDialog();
  const done = sent.filter(Boolean);
  if (refused.length) {
    await tell(done.length ? "Some were not taken" : "It was not taken", refused.map(([name, why]) => [h("strong", {}, name), `: ${why}`]));
  }
  if (done.length) announce(`uploaded: ${done.map(each => each.key).join(", ")}`);
  if (files.length === 1 && done.length && done[0].job_id) page.go(`/jobs/${done[0].job_id}?awaited=1`);
  else if (done.length) page.go("/");
}

async function sendOne(file, choices) {
  const parameters = { ...choices, name: file.name };
  try {
    return await post("/api/uploads", parameters, file);
  } catch (error) {
    if (error.code !== "is-there") throw error;
    const answer = await openDialog("There is one already", [h("p", {}, error.message)], [
      { label: "Leave it as it is", value: "" }, { label: "Upload a newer version", value: "yes", kind: "primary" },
    ]);
    return answer === "yes" ? post("/api/uploads", { ...parameters, replace: "1" }, file) : null;
  }
}

function tell(title, lines) {
  return openDialog(title, [h("ul", { class: "notes" }, lines.map(line => h("li", {}, line)))], [{ label: "Close", value: "" }]);
}

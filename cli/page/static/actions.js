// Starting a job anew and cancelling it: first what would be done, or why it can't be; then it is done.

import { post } from "./api.js";
import { h } from "./dom.js";
import { openDialog } from "./dialogs.js";

const ACTIONS = {
  retry: {
    title: "Start this job anew?",
    refused: "It is not started anew",
    done: "Started anew",
    verb: "Start anew",
    leave: "Not now",
    kind: "primary",
    about: "Its file is copied onto itself, which makes a new version of it, and a new job with the same options.",
  },
  cancel: {
    title: "Cancel this job?",
    refused: "It can't be cancelled",
    done: "Cancelled",
    verb: "Cancel the job",
    leave: "Let it run",
    kind: "danger",
    about: "It ends as cancelled-by-operator, and its requests at RunPod are cancelled. What has run so far is paid for.",
  },
};

/** Go through with an action and say how it ended; true if anything was done. */
export async function act(page, name, story) {
  const action = ACTIONS[name];
  const path = `/api/jobs/${story.job_id}/${name}`;
  const again = name === "retry" && story.state === "succeeded" ? "1" : "";
  try {
    const planned = await post(path, { dry_run: "1", again });
    if (planned.conflict) return refused(action, planned.conflict);
    const asked = [h("p", {}, action.about), notes(planned.notes)];
    const buttons = [{ label: action.leave, value: "" }, { label: action.verb, value: "yes", kind: action.kind }];
    if (await openDialog(action.title, asked, buttons) !== "yes") return false;
    const outcome = await post(path, { again });
    if (outcome.conflict) return refused(action, outcome.conflict);
    return await done(page, action, outcome);
  } catch (error) {
    await openDialog("That did not work", [h("p", {}, error.message)], [{ label: "Close", value: "" }]);
    return false;
  }
}

async function refused(action, conflict) {
  await openDialog(action.refused, [h("p", { class: "conflict" }, sentence(conflict))], [{ label: "Close", value: "" }]);
  return false;
}

async function done(page, action, outcome) {
  const buttons = [{ label: "Close", value: "" }];
  if (outcome.new_job_id) buttons.push({ label: "Go to the new job", value: "new", kind: "primary" });
  const chosen = await openDialog(action.done, [h("p", {}, `${sentence(outcome.did)}`), notes(outcome.notes)], buttons);
  if (chosen === "new") page.go(`/jobs/${outcome.new_job_id}?awaited=1`);
  return true;
}

function notes(lines) {
  return lines.length ? h("ul", { class: "notes" }, lines.map(line => h("li", {}, sentence(line)))) : null;
}

export function sentence(text) {
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?)]$/.test(begun) ? begun : `${begun}.`;
}

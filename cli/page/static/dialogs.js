// One dialog, for what is asked and told. The browser keeps the focus in it, and gives it back.

import { h } from "./dom.js";

const dialog = document.getElementById("dialog");

/** Show a dialog and return which button closed it; "" where it was left by Escape. */
export function openDialog(title, content, buttons) {
  const form = h("form", { method: "dialog" },
    h("h2", { id: "dialog-title", tabindex: "-1" }, title),
    h("div", { class: "dialog-content" }, content),
    h("div", { class: "dialog-buttons" }, buttons.map(({ label, value, kind = "quiet" }) =>
      h("button", { class: kind, value }, label))));
  dialog.replaceChildren(form);
  dialog.returnValue = "";
  if (!dialog.open) dialog.showModal();
  dialog.querySelector("h2").focus();
  return new Promise(resolve => dialog.addEventListener("close", () => resolve(dialog.returnValue), { once: true }));
}

export function closeDialog() {
  if (dialog.open) dialog.close();
}

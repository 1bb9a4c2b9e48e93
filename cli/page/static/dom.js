// Elements from data, and changes to them in place. Nothing here takes markup: what is shown is always text.

/** Make an element: properties are attributes, `style` an object of CSS properties; children are text or nodes. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "style") for (const [key, each] of Object.entries(value)) element.style.setProperty(key, each);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(3).filter(child => child !== null && child !== undefined && child !== false));
  return element;
}

/** Make `from` look like `to` and keep what is alike, so that focus, selection and scrolling stay. */
export function morph(from, to) {
  for (const { name } of [...from.attributes]) if (!isOfThePerson(name) && !to.hasAttribute(name)) from.removeAttribute(name);
  for (const { name, value } of to.attributes) {
    if (!isOfThePerson(name) && from.getAttribute(name) !== value) from.setAttribute(name, value);
  }
  if (from.style.cssText !== to.style.cssText) from.style.cssText = to.style.cssText;
  morphChildren(from, to);
}

/** Styles are compared as a whole, and what somebody has opened stays open. */
function isOfThePerson(attribute) {
  return attribute === "style" || attribute === "open";
}

/** The same for what an element holds; children with a data-key are found again wherever they stand. */
export function morphChildren(from, to) {
  const keyed = new Map([...from.children].filter(each => each.dataset.key).map(each => [each.dataset.key, each]));
  const wanted = [...to.childNodes];
  const kept = new Set(wanted.map(each => each.dataset?.key).filter(Boolean));
  for (const [key, each] of keyed) if (!kept.has(key)) each.remove();
  wanted.forEach((child, at) => {
    const there = from.childNodes[at];
    const known = child.dataset?.key ? keyed.get(child.dataset.key) : null;
    if (known && known !== there) from.insertBefore(known, there ?? null);
    const held = known ?? there;
    if (held && isAlike(held, child)) {
      if (held.nodeType === Node.ELEMENT_NODE) morph(held, child);
      else if (held.data !== child.data) held.data = child.data;
    } else if (held && !held.dataset?.key) held.replaceWith(child);
    else from.insertBefore(child, held ?? null);
  });
  while (from.childNodes.length > wanted.length) from.lastChild.remove();
}

function isAlike(one, other) {
  return one.nodeType === other.nodeType && one.nodeName === other.nodeName && one.dataset?.key === other.dataset?.key;
}

/** Say something to a screen reader, without moving anybody. */
export function announce(text) {
  document.getElementById("announcer").textContent = text;
}

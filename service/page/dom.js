/** Elements without templates: what is text stays text, so nothing that is shown can be run. */

const SEEN_MS = 8000;
const SVG = "http://www.w3.org/2000/svg";

let fading = 0;

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return node;
}

/** An HTML element; attributes that begin with `on` are listeners. */
export const el = (tag, attributes = {}, ...children) =>
  fill(document.createElement(tag), attributes, children);

/** The same for SVG. */
export const svg = (tag, attributes = {}, ...children) =>
  fill(document.createElementNS(SVG, tag), attributes, children);

/** Fill a node anew; where what had the focus goes, the heading of what comes gets it. */
export function refill(node, ...children) {
  const held = node.contains(document.activeElement);
  node.replaceChildren(...children);
  if (!held) return;
  const heading = node.querySelector("h2, p") ?? node;
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
}

/** What a part of an address says; itself, where somebody cut it off or wrote it by hand. */
export function saidBy(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export const byId = (id) => document.getElementById(id);

/** Put a text into a node; `lang` is its language where that is not the page's. */
export function write(node, text, lang = document.documentElement.lang) {
  node.lang = lang;
  node.textContent = text;
}

/** Tell what is going on; `unseen` to screen readers alone, where eyes see it elsewhere. */
export function say(text, { isTrouble = false, unseen = false, lang } = {}) {
  const status = byId("status");
  status.classList.toggle("trouble", isTrouble);
  status.classList.toggle("spoken", unseen);
  write(status, text, lang);
  clearTimeout(fading);
  if (!isTrouble) fading = setTimeout(() => { status.textContent = ""; }, SEEN_MS);
}

/** A fault in the words of the service: what, why and what to do. */
export function fault(error) {
  const parts = [error.message, error.reason, error.fix].filter(Boolean);
  return parts.map((part) => (/[.!?…]$/.test(part) ? part : `${part}.`)).join(" ");
}

/** Tell a fault until somebody goes on. */
export const trouble = (error) => say(fault(error), { isTrouble: true, lang: error.lang });

/** Do something when a node is pressed or sent: once at a time, and its fault is told. */
export function when(node, name, what) {
  node.addEventListener(name, async (event) => {
    event.preventDefault();
    if (node.ariaBusy === "true") return;
    node.ariaBusy = "true";
    try {
      await what(event);
    } catch (error) {
      trouble(error);
    }
    node.ariaBusy = null;
  });
  return node;
}

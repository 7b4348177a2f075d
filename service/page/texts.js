/** Every text of the page by its key, in the language that was chosen, else the first of the browser's that there is. */

import { lasting } from "./remembered.js";

/** The languages of the page by their own names: one file of `texts/` and of `advice/` each. */
export const LANGUAGES = {
  en: "English",
  de: "Deutsch",
  es: "Español",
  fr: "Français",
  it: "Italiano",
  ru: "Русский",
  zh: "中文",
};

const CHOSEN = "nativeear-language";
const PLACE = /\{(\w+)\}/g;
const TURNS = /[\u0590-\u08ff\u200e\u200f\u202a-\u202e\ufb1d-\ufdff\ufe70-\ufefc]/u;

const wanted = [lasting.getItem(CHOSEN), ...navigator.languages].map((tag) => tag?.split("-")[0].toLowerCase());

/** The language that the page speaks. */
export const language = wanted.find((tag) => tag in LANGUAGES) ?? "en";

/** Have the page speak another language from the next time that it is loaded. */
export const chooseLanguage = (tag) => lasting.setItem(CHOSEN, tag);

const texts = {};
const plural = new Intl.PluralRules(language);

async function load(folder, tag) {
  const answer = await fetch(new URL(`${tag}.json`, folder));
  return answer.ok ? answer.json() : null;
}

/** Load the texts of a folder; in English, where they are in no other language. */
export async function addTexts(folder) {
  Object.assign(texts, (await load(folder, language)) ?? (await load(folder, "en")));
}

await addTexts(new URL("texts/", import.meta.url));

/** A text that may be written in another direction, so that it turns nothing around it. */
export const isolated = (text) => (TURNS.test(text) ? `\u2068${text}\u2069` : text);

/** The text of a key; `{name}` in it is filled with the value of that name. */
export function t(key, values = {}) {
  if (!(key in texts)) throw new Error(`no text is called ${key}`);
  return texts[key].replace(PLACE, (_, name) => isolated(String(values[name])));
}

/** The text of a key that depends on a number: `key.one`, `key.other` and what else a language has. */
export function tn(key, count, values = {}) {
  const form = `${key}.${plural.select(count)}`;
  return t(form in texts ? form : `${key}.other`, { count, ...values });
}

/** A text that may be absent: null then. */
export const known = (key) => texts[key] ?? null;

/** How a language is written: "ltr" or "rtl". */
export function directionOf(tag) {
  const locale = new Intl.Locale(tag);
  return (locale.getTextInfo?.() ?? locale.textInfo)?.direction ?? "ltr";
}

/** Fill what the document itself says: `data-text` is an element's text, `data-label` its name, `data-hint` its title. */
export function fillTexts() {
  document.documentElement.lang = language;
  document.documentElement.dir = directionOf(language);
  for (const node of document.querySelectorAll("[data-text]")) node.textContent = t(node.dataset.text);
  for (const node of document.querySelectorAll("[data-hint]")) node.title = t(node.dataset.hint);
  for (const node of document.querySelectorAll("[data-label]")) node.setAttribute("aria-label", t(node.dataset.label));
}

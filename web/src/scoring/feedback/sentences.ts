/** Advice as sentences. Twin of `scoring/feedback/sentences.py`. */

import type { Advice } from "../../assessment";

type Texts = Readonly<Record<string, string>>;

/** What advice says, by the texts of a language. */
export function sentence(advice: Advice, texts: Texts): string {
  const cues = advice.cues.map(([key, ...sounds]) =>
    filled(texts[`cue.${key}`], Object.fromEntries(sounds.entries())),
  );
  return filled(texts[`advice.${advice.kind}`], {
    meant: advice.meant,
    heard: advice.heard ?? "",
    where: where(advice, texts),
    cues: joined(cues, texts),
  });
}

function filled(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\{(\w+)\}/g, (_, name: string) => values[name]);
}

function where({ place, words, more }: Advice, texts: Texts): string {
  if (place === null) return "";
  const quoted = words.map((word) => filled(texts["words.quoted"], { word }));
  return filled(texts[`where.${place}`], { words: listed(quoted, more, texts) });
}

function listed(words: readonly string[], more: boolean, texts: Texts): string {
  const comma = texts["words.comma"];
  if (more) return filled(texts["words.more"], { words: words.join(comma) });
  const most = words.slice(0, -1).join(comma);
  const last = words.at(-1) ?? "";
  return most ? most + texts["words.and"] + last : last;
}

function joined(cues: readonly string[], texts: Texts): string {
  const most = cues.slice(0, -1);
  if (most.length === 0) return cues[0];
  const long = most.length > 1 || most[0].includes(texts["cues.and"]);
  return most.join(texts["cues.comma"]) + texts[long ? "cues.andLong" : "cues.and"] + cues.at(-1);
}

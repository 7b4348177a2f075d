/** The sentence in colours, and behind each word its sounds, their evidence and how natives say them. */

import { bytes, get } from "./api.js";
import { el, fault, say } from "./dom.js";
import { clip, play } from "./player.js";
import { BESIDE_MARKS, BESIDE_MEANINGS, FLAGGED, MARKS, MEANINGS, band, percent, scoreText } from "./scale.js";

const MARGIN_S = 0.03; // kept around a sound: a cut at its very edge is heard as a click
const CONTEXT_S = 0.3; // around an exemplar, to hear the word that it stands in

/** Phones of the index in IPA, as far as the result tells them. */
function ipaOf(assessment) {
  const known = new Map();
  for (const { phones } of assessment.words) {
    for (const phone of phones) {
      known.set(phone.phone, phone.ipa);
      for (const heard of phone.sounds_like) known.set(heard.phone, heard.ipa);
    }
  }
  return (phone) => known.get(phone) ?? phone;
}

const exemplarPath = (index, row) => `indexes/${encodeURIComponent(index)}/exemplars/${row}`;

let shown = 0; // results so far: the page may hold several, and ids are unique
const exemplars = new Map();

/** What the index tells of a native phone, asked once. */
function exemplar(index, row) {
  const path = exemplarPath(index, row);
  if (!exemplars.has(path)) exemplars.set(path, get(path));
  exemplars.get(path).catch(() => exemplars.delete(path));
  return exemplars.get(path);
}

function nativePart(index, row, around) {
  const path = `${exemplarPath(index, row)}/audio?context_s=${around}`;
  return { load: () => clip(path, () => bytes(path)) };
}

const ownPart = (take, { start_s: start, end_s: end }) => ({
  load: take.sound,
  own: true,
  start: Math.max(0, start - MARGIN_S),
  end: end + MARGIN_S,
});

const isHeard = (take, thing) => take.sound !== null && thing.start_s !== null;

function playButton(take, text, label, parts) {
  if (parts.length === 0) return null;
  const button = el(
    "button",
    { type: "button", class: "play" },
    el("span", { class: "sign", "aria-hidden": "true" }, "▶"),
    ` ${text}`,
    el("span", { class: "spoken" }, ` ${label}`),
  );
  button.addEventListener("click", () => {
    play(button, parts, { follow: take.follow, ended: () => take.follow(null) }).catch((error) => say(fault(error), { trouble: true }));
  });
  return button;
}

const AGAIN = ["repeated", "restart"];

/** What was said behind a word, or before the first (-1), that the text does not have. */
const extrasOf = ({ reading }, after) =>
  (reading?.events ?? [])
    .filter(({ kind, word_index: index }) => kind === "extra" && index === after)
    .map(({ heard }) => el("span", { class: "extra" }, `+ ${heard}`, el("span", { class: "spoken" }, `, ${BESIDE_MEANINGS.extra}`)));

/** A loop on a word that was said, or begun, before the reading that counts. */
const againOf = ({ reading }, number) =>
  (reading?.events ?? [])
    .filter(({ kind, word_index: index }) => AGAIN.includes(kind) && index === number)
    .map(({ kind }) => [
      el("span", { "aria-hidden": "true" }, ` ${BESIDE_MARKS[kind]}`),
      el("span", { class: "spoken" }, `, ${BESIDE_MEANINGS[kind]}`),
    ]);

/** The marks of a word's sounds, each once, and what they mean for those who hear the page. */
function marksOf(word) {
  const given = [...new Set(word.phones.map(({ verdict }) => verdict))].filter((verdict) => MARKS[verdict]);
  if (given.length === 0) return null;
  return [
    el("span", { "aria-hidden": "true" }, ` ${given.map((verdict) => MARKS[verdict]).join("")}`),
    el("span", { class: "spoken" }, `, ${given.map((verdict) => MEANINGS[verdict]).join(", ")}`),
  ];
}

function wordNote(word) {
  if (word.omitted) return "left out";
  const score = word.score === null ? "not measured" : `${Math.round(word.score)} of 100`;
  const { stress } = word;
  if (!stress || stress.observed === null) return score;
  if (stress.observed === stress.expected) return `${score}, stressed where it should be`;
  return `${score}, stressed on syllable ${stress.observed + 1} instead of ${stress.expected + 1}`;
}

/** The phone that a learner should look at first. */
function worst(phones) {
  const places = phones.map((_, i) => i);
  const need = (i) => (FLAGGED.includes(phones[i].verdict) ? 0 : 101) + (phones[i].score ?? 101);
  return places.sort((one, other) => need(one) - need(other))[0] ?? 0;
}

/**
 * The words as buttons, and the panel that they open.
 *
 * A take holds the `assessment`, `sound` (promises the learner's AudioBuffer; null where it is not
 * kept) and `follow`, which moves the cursor.
 */
export function wordsOf(take) {
  const { assessment } = take;
  const ipa = ipaOf(assessment);
  shown += 1;
  const id = `sounds-${shown}`;
  const panel = el("section", { id, class: "sounds", tabindex: "-1", hidden: true });
  const buttons = assessment.words.map((word, number) =>
    el(
      "button",
      {
        type: "button",
        class: `word ${band(word.score)}${word.omitted ? " omitted" : ""}`,
        "aria-expanded": "false",
        "aria-controls": id,
        onclick: () => toggle(number),
      },
      el("span", { class: "text", lang: assessment.language, dir: "auto" }, word.word),
      " ",
      el("span", { class: "score" }, word.omitted ? "left out" : [scoreText(word.score), marksOf(word)], againOf(assessment, number)),
    ),
  );

  function toggle(number, place = null) {
    const shut = buttons[number].getAttribute("aria-expanded") === "true" && place === null;
    buttons.forEach((button, i) => button.setAttribute("aria-expanded", String(i === number && !shut)));
    panel.hidden = shut;
    panel.replaceChildren();
    if (!shut) panel.append(...soundsOf(take, assessment.words[number], ipa, place, `${id}-detail`));
    panel.setAttribute("aria-label", `Sounds of “${assessment.words[number].word}”`);
  }

  const sentence = el("div", { class: "sentence", role: "group", "aria-label": "Your words, with scores" }, [
    ...extrasOf(assessment, -1),
    ...buttons.flatMap((button, number) => [button, ...extrasOf(assessment, number)]),
  ]);
  sentence.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const at = buttons.indexOf(document.activeElement);
    if (!step || at < 0) return;
    buttons[Math.max(0, Math.min(buttons.length - 1, at + step))].focus();
    event.preventDefault();
  });

  const read = assessment.words.filter(({ omitted }) => !omitted);
  const given = new Set(read.flatMap(({ phones }) => phones.map(({ verdict }) => verdict)));
  const beside = new Set((assessment.reading?.events ?? []).map(({ kind }) => kind));
  const legend = [
    ...Object.entries(MARKS)
      .filter(([verdict, mark]) => mark && given.has(verdict))
      .map(([verdict, mark]) => [mark, MEANINGS[verdict]]),
    ...Object.entries(BESIDE_MARKS)
      .filter(([kind]) => beside.has(kind))
      .map(([kind, mark]) => [mark, BESIDE_MEANINGS[kind]]),
  ].map(([mark, meaning]) => el("li", {}, el("b", {}, mark), ` ${meaning}`));

  return {
    nodes: [sentence, legend.length > 0 ? el("ul", { class: "legend" }, legend) : null, panel],
    /** Open a word at one of its sounds and go there. */
    open(number, place = null) {
      toggle(number, place ?? worst(assessment.words[number].phones));
      panel.focus({ preventScroll: true });
      panel.scrollIntoView({ block: "nearest" });
    },
  };
}

function soundsOf(take, word, ipa, wanted, id) {
  const detail = el("div", { class: "detail", id });
  const chips = word.phones.map((phone, place) =>
    el(
      "button",
      {
        type: "button",
        class: `chip ${band(phone.score)}`,
        "aria-pressed": "false",
        "aria-controls": id,
        onclick: () => show(place),
      },
      el("span", { class: "ipa" }, phone.ipa, el("span", { "aria-hidden": "true" }, MARKS[phone.verdict])),
      " ",
      el("span", { class: "score" }, scoreText(phone.score)),
      el("span", { class: "spoken" }, `, ${MEANINGS[phone.verdict]}`),
    ),
  );

  function show(place) {
    chips.forEach((chip, i) => chip.setAttribute("aria-pressed", String(i === place)));
    detail.replaceChildren(...phoneDetail(take, word, word.phones[place], ipa));
  }

  if (word.phones.length > 0) show(wanted ?? worst(word.phones));
  return [
    el(
      "div",
      { class: "row" },
      el("h3", { lang: take.assessment.language, dir: "auto" }, word.word),
      el("p", { class: "soft" }, wordNote(word)),
      isHeard(take, word) ? playButton(take, "You", `say “${word.word}”`, [ownPart(take, word)]) : null,
    ),
    el("div", { class: "chips", role: "group", "aria-label": "Its sounds" }, chips),
    detail,
  ];
}

function phoneDetail(take, word, phone, ipa) {
  const chance = phone.probability_mispronounced;
  return [
    el(
      "div",
      { class: "told" },
      el(
        "p",
        { class: "verdict" },
        el("b", { class: `ipa ${band(phone.score)}` }, phone.ipa),
        ` ${MEANINGS[phone.verdict]}`,
      ),
      phone.feedback ? el("p", { class: "feedback" }, phone.feedback) : null,
      resemblance(phone),
      chance === null
        ? null
        : el("p", { class: "soft" }, `Probability that it was mispronounced: ${percent(chance)}`),
      numbers(phone),
    ),
    listening(take, word, phone, ipa),
  ];
}

/** Bars of what the sound is like; of a sound that is missing, none. */
function resemblance(phone) {
  if (phone.sounds_like.length === 0 || phone.verdict === "deleted") return null;
  const rows = phone.sounds_like.map((heard) => {
    const bar = el("span", { class: "bar" });
    bar.style.width = `${100 * heard.probability}%`;
    return el(
      "tr",
      {},
      el("th", { scope: "row", class: "ipa" }, heard.ipa),
      el("td", { class: "track", "aria-hidden": "true" }, el("span", { class: "full" }, bar)),
      el("td", { class: "number" }, percent(heard.probability)),
    );
  });
  return el("table", { class: "resemblance" }, el("caption", {}, "Sounds like"), el("tbody", {}, rows));
}

function numbers(phone) {
  const measured = (value) => (value === null ? "not measured" : value.toFixed(3));
  const values = [
    ["phone", phone.phone],
    ["neighbours asked", phone.knn.k],
    ["exemplars of the phone", phone.knn.coverage],
    ["margin", measured(phone.knn.margin)],
    ["share that is canonical", measured(phone.knn.canonical_share)],
    ["GOP-SF", measured(phone.gop.sf)],
    ["GOP-SF with deletion", measured(phone.gop.sf_sd)],
    ["GOP margin", measured(phone.gop.margin)],
  ];
  return el(
    "details",
    { class: "numbers" },
    el("summary", {}, "Numbers"),
    el("dl", {}, values.map(([name, value]) => [el("dt", {}, name), el("dd", {}, String(value))])),
  );
}

/** The learner's sound, and the native ones nearest to it as far as the index keeps recordings. */
function listening(take, word, phone, ipa) {
  const { index } = take.assessment;
  const box = el("div", { class: "listening" }, el("h4", {}, "Listen"));
  const list = el("ul", {});
  box.append(list);
  const own = isHeard(take, phone) ? [ownPart(take, phone)] : [];
  const said = isHeard(take, word) ? [ownPart(take, word)] : [];
  if (own.length > 0) {
    list.append(
      el(
        "li",
        {},
        el("span", {}, "You"),
        playButton(take, "sound", `${phone.ipa} of yours`, own),
        playButton(take, "word", `“${word.word}” of yours`, said),
      ),
    );
  }
  if (phone.evidence.length === 0) {
    box.append(el("p", { class: "soft" }, "No native exemplars stand behind this verdict."));
    return box;
  }
  const turn = el("p", { class: "turn" });
  box.append(turn);
  const sounds = [...own];
  const words = [...said];
  const rows = phone.evidence.map((item) => {
    const row = el(
      "li",
      {},
      el(
        "span",
        {},
        el("b", { class: "ipa" }, ipa(item.phone)),
        item.word ? ` in “${item.word}”` : "",
        el("small", {}, `native ${item.speaker}, similarity ${item.similarity.toFixed(2)}`),
      ),
    );
    list.append(row);
    return row;
  });
  Promise.allSettled(phone.evidence.map((item) => exemplar(index, item.exemplar))).then((found) => {
    found.forEach(({ value }, i) => {
      const item = phone.evidence[i];
      // The index may have changed since: its rows are then those of others.
      const same = value && ["phone", "word", "speaker"].every((name) => value[name] === item[name]);
      if (!same || !value.playable) return;
      const sound = nativePart(index, item.exemplar, MARGIN_S);
      const around = nativePart(index, item.exemplar, CONTEXT_S);
      sounds.push(sound);
      words.push(around);
      rows[i].append(
        playButton(take, "sound", `${ipa(item.phone)} in native “${item.word}”`, [sound]),
        playButton(take, "around", `it, native “${item.word}”`, [around]),
      );
    });
    if (sounds.length > own.length) {
      turn.append(
        playButton(take, "all sounds in turn", `of ${phone.ipa}`, sounds),
        playButton(take, "all words in turn", `with ${phone.ipa}`, words),
      );
    } else turn.replaceWith(el("p", { class: "soft" }, "The index keeps no recordings of these natives."));
  });
  return box;
}

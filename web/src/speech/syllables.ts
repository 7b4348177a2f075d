/** Syllables of a phone sequence. Twin of `speech/syllables.py`, for languages with onsets. */

/** Split a word by the maximal onset principle, into spans `[first, past_last)`. */
export function syllabify(
  phones: readonly string[],
  isSyllabic: (phone: string) => boolean,
  onsets: ReadonlySet<string>,
): [number, number][] {
  const nuclei = phones.map((_, i) => i).filter((i) => isSyllabic(phones[i]));
  if (!nuclei.length) return phones.length ? [[0, phones.length]] : [];
  const starts = [0];
  for (let n = 1; n < nuclei.length; n++) {
    let start = nuclei[n - 1] + 1;
    while (start < nuclei[n] && !onsets.has(phones.slice(start, nuclei[n]).join(" "))) start++;
    starts.push(start);
  }
  return starts.map((start, i) => [start, starts[i + 1] ?? phones.length]);
}

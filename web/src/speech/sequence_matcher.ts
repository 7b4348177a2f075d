/** Where two sequences differ, as Python's `difflib.SequenceMatcher` matches them. */

type Block = readonly [a: number, b: number, size: number];

/** Places in `a` where `b` has another element in place of one, and that element. */
export function replaced(a: readonly string[], b: readonly string[]): [number, string][] {
  const blocks: Block[] = [...matching(a, b, 0, a.length, 0, b.length), [a.length, b.length, 0]];
  const found: [number, string][] = [];
  let atA = 0;
  let atB = 0;
  for (const [startA, startB, size] of blocks) {
    if (startA - atA === startB - atB) {
      for (let i = 0; i < startA - atA; i++) found.push([atA + i, b[atB + i]]);
    }
    atA = startA + size;
    atB = startB + size;
  }
  return found;
}

function matching(
  a: readonly string[],
  b: readonly string[],
  lowA: number,
  highA: number,
  lowB: number,
  highB: number,
): Block[] {
  const [startA, startB, size] = longest(a, b, lowA, highA, lowB, highB);
  if (!size) return [];
  return [
    ...matching(a, b, lowA, startA, lowB, startB),
    [startA, startB, size],
    ...matching(a, b, startA + size, highA, startB + size, highB),
  ];
}

/** The longest run that both have: of several the first in `a`, then the first in `b`. */
function longest(
  a: readonly string[],
  b: readonly string[],
  lowA: number,
  highA: number,
  lowB: number,
  highB: number,
): Block {
  let best: Block = [lowA, lowB, 0];
  for (let i = lowA; i < highA; i++) {
    for (let j = lowB; j < highB; j++) {
      let size = 0;
      while (i + size < highA && j + size < highB && a[i + size] === b[j + size]) size++;
      if (size > best[2]) best = [i, j, size];
    }
  }
  return best;
}

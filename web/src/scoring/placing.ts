/** A result in the times of the recording as it was given. Twin of `scoring/placing.py`. */

import type { Assessment, Contour, Fluency } from "../assessment";
import { rounded } from "../matrix";

interface Timed {
  start_s: number | null;
  end_s: number | null;
}

export function placed(result: Assessment, startS: number, durationS: number): Assessment {
  const within = (time: number) => Math.min(Math.max(time + startS, 0), durationS);
  const at = (time: number | null) => (time === null ? null : within(time));
  const moved = <T extends Timed>(part: T): T => ({
    ...part,
    start_s: at(part.start_s),
    end_s: at(part.end_s),
  });
  const { reading, prosody } = result;
  return {
    ...result,
    duration_s: durationS,
    words: result.words.map((word) => ({ ...moved(word), phones: word.phones.map(moved) })),
    insertions: result.insertions.map(moved),
    fluency: result.fluency && movedFluency(result.fluency, moved, within),
    prosody: prosody && {
      ...prosody,
      contour: prosody.contour && movedContour(prosody.contour, startS, durationS),
    },
    reading: reading && { ...reading, events: reading.events.map(moved) },
  };
}

function movedFluency(
  fluency: Fluency,
  moved: <T extends Timed>(part: T) => T,
  at: (time: number) => number,
): Fluency {
  const spans = (all: readonly [number, number][]) =>
    all.map(([start, end]): [number, number] => [at(start), at(end)]);
  return {
    ...fluency,
    filled_pauses: spans(fluency.filled_pauses),
    restarts: spans(fluency.restarts),
    repetitions: spans(fluency.repetitions),
    breaks: fluency.breaks.map(moved),
    segments: fluency.segments.map(moved),
  };
}

/** The contour where there is a recording: what was filled up with silence has none. */
function movedContour(contour: Contour, startS: number, durationS: number): Contour {
  const times = contour.t_s.map((at) => rounded((at + startS) * 1e4) / 1e4);
  const inside = times.map((_, i) => i).filter((i) => times[i] >= 0 && times[i] <= durationS);
  return {
    t_s: inside.map((i) => times[i]),
    f0_hz: inside.map((i) => contour.f0_hz[i]),
    intensity_db: inside.map((i) => contour.intensity_db[i]),
  };
}

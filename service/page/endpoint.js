/** Tells from the level of short blocks when somebody began to speak, and when he has ended. */

const OVER_NOISE = 3; // speech is so many times as loud as the quietest so far
const OVER_PEAK = 0.06; // and at least this share of the loudest
const LEAST = 0.004; // below this nobody speaks
const RISE_PER_S = 1.3; // how fast the noise may be found to have grown
const BEGUN_S = 0.12; // shorter sounds are clicks
const NOBODY_S = 8; // nobody has spoken for so long
const OVER_PAUSE = 1.4; // who has made long pauses will make another
const PAUSE_S = 0.25; // a silence that may be the end
const SURE_S = 0.4; // a silence that is enough where every word was heard
const MOST_S = 3.5; // but at last a silence is an end

/** How long a silence ends a take, in seconds, while so many words of the text are unheard. */
export function patience(unheard) {
  if (unheard === null) return 2.5; // free speech: nobody knows what is to come
  if (unheard <= 0) return SURE_S;
  return unheard <= 5 ? 1.8 : 2.5; // what is told as heard lags behind by some words
}

export class Endpoint {
  #noise = Infinity;
  #peak = 0;
  #spoken = 0;
  #silent = 0;
  #heard = 0;
  #pause = 0; // the longest within what was said

  /** Whether somebody has spoken. */
  get begun() {
    return this.#spoken >= BEGUN_S;
  }

  /** Whether what was said may be all. */
  get paused() {
    return this.begun && this.#silent >= PAUSE_S;
  }

  /** Seconds of silence since the last speech. */
  get silentS() {
    return this.#silent;
  }

  /** Hear a block of a root mean square and a length in seconds; "ended" and "nobody" end a take. */
  hear(level, seconds, patient) {
    this.#heard += seconds;
    this.#noise = Math.min(level, this.#noise * RISE_PER_S ** seconds);
    const speech = level > Math.max(LEAST, OVER_NOISE * this.#noise, OVER_PEAK * this.#peak);
    if (speech) {
      if (this.begun) this.#pause = Math.max(this.#pause, this.#silent);
      this.#spoken += seconds;
      this.#silent = 0;
      this.#peak = Math.max(this.#peak, level);
    } else {
      this.#silent += seconds;
      if (!this.begun) this.#spoken = 0;
    }
    if (this.begun) return this.#silent >= Math.max(patient, patient > SURE_S ? Math.min(MOST_S, OVER_PAUSE * this.#pause) : 0) ? "ended" : "speaking";
    return this.#heard >= NOBODY_S ? "nobody" : "before";
  }
}

/** Takes that wait until the service can be reached again, as they are sent then. */

import { assess, get } from "./api.js";
import { isTold, recognise } from "./session.js";
import { endWaiting, keepTake, keepWaiting, waiting } from "./store.js";

const EVERY_MS = 15_000;
const PASSING = [0, 401, 409, 429, 502, 503, 504]; // away, at work, or nobody is signed in: later it may be heard

let asking = 0;

/** Keep a take until the service is back. */
export async function putAside({ text, file, fields, once }) {
  const kept = await keepWaiting({ at: Date.now(), text, file, fields, once });
  return kept !== null;
}

/** Watch for the service; `heard(take)` is told of every take that was heard at last, `refused(error)` why another was not. */
export function watchOutbox(heard, refused) {
  async function send() {
    const takes = await waiting();
    if (takes.length === 0) return;
    try {
      await get("../healthz", { quietly: true });
      if (!isTold()) await recognise(); // else what is sent would be nobody's, and refused
      for (const { at, text, file, fields, once } of takes.sort((one, other) => one.at - other.at)) {
        let assessment = null;
        try {
          assessment = await assess(file, fields, () => {}, { once }); // sent twice, it is heard once
        } catch (error) {
          if (PASSING.includes(error.status)) throw error;
          refused(error);
        }
        await endWaiting(at); // what is refused would be refused for ever
        if (!assessment) continue;
        const take = { id: assessment.id, at, text, file, assessment };
        await keepTake(take);
        heard(take);
      }
    } catch {
      // Not yet.
    }
  }
  const later = () => {
    clearInterval(asking);
    asking = setInterval(send, EVERY_MS);
    send();
  };
  window.addEventListener("online", later);
  later();
}

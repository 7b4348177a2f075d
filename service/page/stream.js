/** A recording that the service hears while it is spoken: words as they end, then the result. */

import { credentials, Problem, streamAddress } from "./api.js";

/**
 * Open a stream. `fields` go along with the first message; `onWord(place, word)` is called for
 * every word that is finished.
 */
export function openStream(rate, fields, onWord) {
  const socket = new WebSocket(streamAddress());
  const early = []; // what was said before the socket was open
  let held = null; // silence that may be the end
  let over = false;
  socket.binaryType = "arraybuffer";
  const answered = new Promise((done, fail) => {
    const lost = () => fail(new Problem(0, {}));
    socket.onopen = () => {
      socket.send(JSON.stringify({ sample_rate: rate, ...fields, ...credentials() }));
      for (const message of early.splice(0)) socket.send(message);
    };
    socket.onmessage = ({ data }) => {
      const told = JSON.parse(data);
      if (told.word && !over) onWord(told.place, told.word);
      if (told.problem) fail(new Problem(told.problem.status, told.problem));
      if (told.final) done(told.final);
    };
    socket.onerror = lost;
    socket.onclose = lost;
  });
  answered.catch(() => {}); // told where it is waited for
  const send = (message) => {
    if (socket.readyState === WebSocket.CONNECTING) early.push(message);
    else if (socket.readyState === WebSocket.OPEN) socket.send(message);
  };
  return {
    /** In silence the service is told that this may be all, so that it can begin; more is sent when more is said. */
    send(samples, silent) {
      const block = Int16Array.from(samples, (sample) => Math.round(32767 * Math.max(-1, Math.min(1, sample)))).buffer;
      if (silent) {
        if (!held) send(JSON.stringify({ pause: true }));
        held = [...(held ?? []), block];
        return;
      }
      for (const message of held ?? []) send(message);
      held = null;
      send(block);
    },
    /** There is no more; promises the Assessment. */
    end() {
      over = true;
      send(JSON.stringify({ end: true }));
      return answered;
    },
    cancel() {
      over = true;
      socket.close();
    },
  };
}

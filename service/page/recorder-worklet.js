/** Hands the microphone's samples to the page, some blocks at a time. */
const BLOCKS = 8; // of 128 samples: 64 ms at 16 kHz

registerProcessor("recorder", class extends AudioWorkletProcessor {
  #held = [];

  process([input]) {
    if (input.length > 0) this.#held.push(input[0].slice());
    if (this.#held.length === BLOCKS) {
      const joined = new Float32Array(this.#held.reduce((length, block) => length + block.length, 0));
      let at = 0;
      for (const block of this.#held) {
        joined.set(block, at);
        at += block.length;
      }
      this.port.postMessage(joined, [joined.buffer]);
      this.#held = [];
    }
    return true;
  }
});

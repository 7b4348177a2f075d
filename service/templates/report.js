"use strict";
(() => {
  const GAP_S = 0.3; // between the clips of a comparison
  const FADE_S = 0.006; // at both ends of a cut, against clicks
  const learner = document.getElementById("learner");
  const cursor = document.getElementById("cursor");
  const timeline = document.getElementById("timeline");
  const status = document.getElementById("status");
  const pixelsPerS = Number(timeline.dataset.pixelsPerS);
  const decoding = new Map(); // clip → promise of its samples
  let context = null;
  let playing = null; // { button, sources, parts: [{ clip, start, end, at }] }

  function samplesOf(clip) {
    if (!decoding.has(clip)) {
      const base64 = document.getElementById(clip).getAttribute("src").split(",", 2)[1];
      const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      decoding.set(clip, context.decodeAudioData(bytes.buffer));
    }
    return decoding.get(clip);
  }

  function stop() {
    if (!playing) return;
    playing.button.classList.remove("playing");
    playing.sources.forEach((source) => source.stop());
    playing = null;
  }

  async function play(button) {
    const again = playing && playing.button === button;
    stop();
    learner.pause();
    if (again) return; // a second click only stops
    const mine = { button, sources: [], parts: [] };
    playing = mine;
    button.classList.add("playing");
    status.textContent = "";
    try {
      context ??= new AudioContext();
      await context.resume();
      const wanted = button.dataset.play.split(" ").map((part) => part.split(","));
      const sounds = await Promise.all(wanted.map(([clip]) => samplesOf(clip)));
      if (playing !== mine) return;
      let at = context.currentTime + 0.05;
      wanted.forEach(([clip, first, last], i) => {
        const start = Number(first);
        const length = Math.min(Number(last), sounds[i].duration) - start;
        const source = context.createBufferSource();
        const gain = context.createGain();
        source.buffer = sounds[i];
        gain.gain.setValueAtTime(0, at);
        gain.gain.linearRampToValueAtTime(1, at + FADE_S);
        gain.gain.setValueAtTime(1, at + length - FADE_S);
        gain.gain.linearRampToValueAtTime(0, at + length);
        source.connect(gain).connect(context.destination);
        source.start(at, start, length);
        mine.sources.push(source);
        mine.parts.push({ clip, start, at, end: at + length });
        at += length + GAP_S;
      });
      mine.sources.at(-1).onended = () => playing === mine && stop();
      requestAnimationFrame(follow);
    } catch (error) {
      if (playing === mine) stop();
      status.textContent = `This browser cannot play the sound: ${error.message}`;
    }
  }

  function place() { // seconds in the learner's recording, or null
    if (!learner.paused) return learner.currentTime;
    if (!playing) return null;
    const now = context.currentTime;
    const part = playing.parts.find(({ clip, at, end }) => clip === "learner" && at <= now && now < end);
    return part ? part.start + now - part.at : null;
  }

  function follow() {
    const at = place();
    cursor.classList.toggle("idle", at === null);
    if (at !== null) {
      const x = at * pixelsPerS;
      cursor.setAttribute("transform", `translate(${x} 0)`);
      const left = timeline.scrollLeft;
      if (!learner.paused && (x < left || x > left + timeline.clientWidth - 20)) timeline.scrollLeft = x - 20;
    }
    if (playing || !learner.paused) requestAnimationFrame(follow);
  }

  function toggle(word) {
    const opened = word.getAttribute("aria-expanded") === "true";
    document.querySelectorAll(".word").forEach((other) => {
      const open = other === word && !opened;
      other.setAttribute("aria-expanded", String(open));
      document.getElementById(other.getAttribute("aria-controls")).hidden = !open;
    });
  }

  learner.addEventListener("play", () => { stop(); follow(); });

  document.addEventListener("click", ({ target }) => {
    const sound = target.closest("[data-play]");
    const word = target.closest(".word");
    if (sound) play(sound);
    else if (word) toggle(word);
    else if (target.dataset.word) {
      const shown = document.querySelector(`[aria-controls="${target.dataset.word}"]`);
      if (shown.getAttribute("aria-expanded") === "false") toggle(shown);
      shown.focus();
      shown.scrollIntoView({ block: "center" });
    }
  });

  const sounds = [...timeline.querySelectorAll("[data-play]")]
    .sort((one, other) => one.dataset.play.split(",")[1] - other.dataset.play.split(",")[1]);
  timeline.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const current = sounds.indexOf(document.activeElement);
    if (step && sounds.length) {
      sounds[Math.max(0, Math.min(sounds.length - 1, current + step))].focus();
      event.preventDefault();
    } else if (current >= 0 && (event.key === "Enter" || event.key === " ")) {
      play(sounds[current]);
      event.preventDefault();
    }
  });
})();

"use strict";
(() => {
  const status = document.getElementById("status");
  let playing = null; // { point, sound }

  function stop() {
    if (!playing) return;
    playing.point.classList.remove("playing");
    playing.sound.pause();
    playing = null;
  }

  async function play(point) {
    const again = playing && playing.point === point;
    stop();
    if (again) return; // a second click only stops
    const sound = document.getElementById(point.dataset.clip);
    playing = { point, sound };
    point.classList.add("playing");
    status.textContent = "";
    sound.currentTime = 0;
    sound.onended = () => playing && playing.point === point && stop();
    try {
      await sound.play();
    } catch (error) {
      if (playing && playing.point === point) {
        stop();
        status.textContent = `This browser cannot play the sound: ${error.message}`;
      }
    }
  }

  document.addEventListener("click", ({ target }) => {
    const point = target.closest("[data-clip]");
    if (point) play(point);
  });
  document.addEventListener("keydown", (event) => {
    const point = event.target.closest("[data-clip]:not(button)"); // a button clicks by itself
    if (point && (event.key === "Enter" || event.key === " ")) {
      play(point);
      event.preventDefault();
    }
  });
})();

/** What `service/report/spectrogram.py` draws, drawn here: 10 ms windows every 4 ms, 60 dB. */

export const HOP = 64;
const WINDOW = 160;
const N_FFT = 256;
const RANGE_DB = 60;

const hann = Float32Array.from({ length: WINDOW }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / (WINDOW - 1)));

/** In-place radix-2 transform of N_FFT points. */
function fft(re, im) {
  for (let i = 1, j = 0; i < N_FFT; i += 1) {
    let bit = N_FFT >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) [re[i], re[j]] = [re[j], re[i]];
  }
  for (let size = 2; size <= N_FFT; size *= 2) {
    const half = size / 2;
    for (let k = 0; k < half; k += 1) {
      const cos = Math.cos((-2 * Math.PI * k) / size);
      const sin = Math.sin((-2 * Math.PI * k) / size);
      for (let i = k; i < N_FFT; i += size) {
        const j = i + half;
        const real = re[j] * cos - im[j] * sin;
        const imaginary = re[j] * sin + im[j] * cos;
        re[j] = re[i] - real;
        im[j] = im[i] - imaginary;
        re[i] += real;
        im[i] += imaginary;
      }
    }
  }
}

/** Power of each frequency and column, `[columns * 128]`, from 0 Hz up. */
function powers(samples, hop) {
  const columns = Math.ceil(samples.length / hop);
  const rows = N_FFT / 2;
  const power = new Float32Array(columns * rows);
  const re = new Float32Array(N_FFT);
  const im = new Float32Array(N_FFT);
  for (let c = 0; c < columns; c += 1) {
    re.fill(0);
    im.fill(0);
    const first = c * hop - WINDOW / 2;
    for (let i = 0; i < WINDOW; i += 1) {
      const at = first + i;
      if (at < 1 || at >= samples.length) continue;
      // A pre-emphasis of 6 dB per octave, as phoneticians look at speech.
      re[i] = hann[i] * (samples[at] - samples[at - 1]);
    }
    fft(re, im);
    for (let r = 0; r < rows; r += 1) power[c * rows + r] = re[r] ** 2 + im[r] ** 2;
  }
  return power;
}

/** Draw samples at 16 kHz: high frequencies on top, loud is black, 60 dB below it white. */
export function drawSpectrogram(canvas, samples, hop = HOP) {
  const power = powers(samples, hop);
  const rows = N_FFT / 2;
  const columns = power.length / rows;
  const loudest = power.reduce((most, value) => Math.max(most, value), 1e-12);
  const picture = new ImageData(columns, rows);
  for (let c = 0; c < columns; c += 1) {
    for (let r = 0; r < rows; r += 1) {
      const db = 10 * Math.log10(Math.max(power[c * rows + r] / loudest, 10 ** (-RANGE_DB / 10)));
      const grey = Math.round(-255 * (db / RANGE_DB));
      picture.data.set([grey, grey, grey, 255], 4 * ((rows - 1 - r) * columns + c));
    }
  }
  canvas.width = columns;
  canvas.height = rows;
  canvas.getContext("2d").putImageData(picture, 0, 0);
}

/** Fast Fourier transforms of a power of two of complex numbers, in place. */

export class Fourier {
  private readonly cosines: Float64Array;
  private readonly sines: Float64Array;
  private readonly places: Uint32Array;

  constructor(readonly size: number) {
    const half = size / 2;
    this.cosines = Float64Array.from({ length: half }, (_, k) => Math.cos((2 * Math.PI * k) / size));
    this.sines = Float64Array.from({ length: half }, (_, k) => Math.sin((2 * Math.PI * k) / size));
    this.places = new Uint32Array(size);
    for (let i = 1; i < size; i++) this.places[i] = (this.places[i >> 1] >> 1) | (i & 1 ? half : 0);
  }

  /** Sums over n of x(n) · exp(-2πi·k·n / size). */
  transform(real: Float64Array, imaginary: Float64Array): void {
    const { size, cosines, sines, places } = this;
    for (let i = 0; i < size; i++) {
      const j = places[i];
      if (j <= i) continue;
      [real[i], real[j]] = [real[j], real[i]];
      [imaginary[i], imaginary[j]] = [imaginary[j], imaginary[i]];
    }
    for (let half = 1; half < size; half *= 2) {
      const step = size / (2 * half);
      for (let first = 0; first < size; first += 2 * half) {
        for (let k = 0; k < half; k++) {
          const cosine = cosines[k * step];
          const sine = sines[k * step];
          const at = first + k;
          const other = at + half;
          const r = real[other] * cosine + imaginary[other] * sine;
          const i = imaginary[other] * cosine - real[other] * sine;
          real[other] = real[at] - r;
          imaginary[other] = imaginary[at] - i;
          real[at] += r;
          imaginary[at] += i;
        }
      }
    }
  }

  /**
   * Autocorrelations, not divided by anything, of two real signals at once, in their places: the
   * one signal is given as the real part and the other as the imaginary one.
   */
  autocorrelate(one: Float64Array, other: Float64Array): void {
    const { size } = this;
    this.transform(one, other);
    one[0] *= one[0];
    other[0] *= other[0];
    for (let k = 1; k <= size / 2; k++) {
      const mirror = size - k;
      const sum = one[k] + one[mirror];
      const difference = other[k] - other[mirror];
      const otherSum = other[k] + other[mirror];
      const otherDifference = one[k] - one[mirror];
      one[k] = one[mirror] = (sum * sum + difference * difference) / 4;
      other[k] = other[mirror] = (otherSum * otherSum + otherDifference * otherDifference) / 4;
    }
    this.transform(one, other); // powers are even: the inverse is the same but for a factor
  }
}

/** Smallest power of two that is no smaller. */
export function powerOfTwo(least: number): number {
  let size = 1;
  while (size < least) size *= 2;
  return size;
}

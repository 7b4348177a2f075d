/** A recording by the microphone, for pages that have no recorder of their own. */

import { NativeEarError } from "./errors";

export interface Recording {
  /** Let the microphone go; what was recorded, as `samplesOf` takes it. */
  stop(): Promise<Blob>;
}

const REASONS: Readonly<Record<string, string>> = {
  NotAllowedError: "It was not allowed.",
  NotFoundError: "There is none.",
  NotReadableError: "Something else uses it.",
  TypeError: "Only pages on https or on localhost may use one.",
};

/** Begin to record; the browser asks the person first. */
export async function record(): Promise<Recording> {
  let stream: MediaStream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  } catch (error) {
    const { name } = error as Error;
    throw new NativeEarError(
      "The microphone cannot be used.",
      "bad-audio",
      REASONS[name] ?? String(error),
      "Allow the microphone for this page, and try again.",
    );
  }
  const recorder = new MediaRecorder(stream);
  const pieces: Blob[] = [];
  recorder.ondataavailable = ({ data }) => pieces.push(data);
  const ended = new Promise((done) => (recorder.onstop = done));
  recorder.start();
  return {
    async stop() {
      if (recorder.state !== "inactive") recorder.stop();
      await ended;
      stream.getTracks().forEach((track) => track.stop());
      return new Blob(pieces, { type: recorder.mimeType });
    },
  };
}

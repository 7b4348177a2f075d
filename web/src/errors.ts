/** An error that tells a person what is wrong, why, and what to do. */
export class NativeEarError extends Error {
  constructor(
    message: string,
    readonly code:
      | "bad-input"
      | "bad-audio"
      | "no-pronunciation"
      | "bad-pack"
      | "closed"
      | "fault",
    readonly reason = "",
    readonly fix = "",
  ) {
    super(message);
    this.name = "NativeEarError";
  }
}

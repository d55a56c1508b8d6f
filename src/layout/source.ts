/** Where bytes come from: a mapping, or positional reads. Both throw `file_changed` when the file ends too early. */
export interface ByteSource {
  /**
   * `length` (at most spanBytesMax) bytes from `start`, in place or in reused memory: valid until the next call.
   * `usefulBytes` of them will be looked at.
   */
  span(start: number, length: number, usefulBytes: number): Uint8Array;
  /** Fills `into` from `start`. */
  read(start: number, into: Uint8Array): void;
}

/** A gap wider than this is not read over: its pages would cost more than the calls that skip it. */
export const GAP_BYTES_MAX = 64 * 1024;

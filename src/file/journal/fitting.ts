/**
 * Whether a file is as long as the records of its journal found it: one that was truncated since must not grow again, with
 * zeros where the rest was. Records that move the end of the file leave it at any of the ends, and what lay behind an end
 * that came later may be gone. Example: of 100 bytes, a write of 90 to 100, then an end at 50, then one at 70; the file may
 * have 50, 70 or 100 bytes.
 */
import { extentOf } from '../../layout/view.js';
import { changedBytes, isEnding, type Step } from '../change.js';
import { failTruncated } from '../refusals.js';

export class Fitting {
  readonly #fileBytes: number;
  /** How long the file is after the records so far. */
  #bytes: number;
  /** The least position that a record needs and the file does not have. */
  #missing: number | undefined;

  constructor(fileBytes: number) {
    this.#fileBytes = fileBytes;
    this.#bytes = fileBytes;
  }

  take(step: Step): void {
    if (!isEnding(step)) {
      const { end } = extentOf(step.target, step.itemsize);
      if (changedBytes(step) > 0) this.#need(end);
      return;
    }
    if (step.isProvisional) return;
    const { from, end } = step;
    // What is not there was cut off by this.
    if (this.#missing !== undefined && end < this.#missing) this.#missing = undefined;
    this.#need(Math.min(from, end));
    this.#bytes = end;
  }

  /** @throws file_changed */
  check(): void {
    if (this.#missing !== undefined) failTruncated(this.#fileBytes, this.#missing);
  }

  #need(end: number): void {
    if (end > this.#bytes) this.#missing = Math.min(this.#missing ?? end, end);
  }
}

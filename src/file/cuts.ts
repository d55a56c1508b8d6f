/**
 * Where a file was cut off, so that whoever meant a place in it finds out that it went meanwhile, also when something else
 * stands there again. Memory: bounded; of cuts that are long ago the deepest counts for all.
 */
import { lowerBound } from '../lower-bound.js';

const CUTS_MAX = 256;

export class Cuts {
  /** How many there were. */
  count = 0;
  /** Cuts behind which there was no deeper one: both numbers ascend. */
  readonly #deepest: { readonly number: number; readonly end: number }[] = [];

  note(end: number): void {
    const number = ++this.count;
    while (this.#deepest.length > 0 && this.#deepest.at(-1)!.end >= end) this.#deepest.pop();
    this.#deepest.push({ number, end });
    // The oldest is the deepest of all: it takes the place of the next.
    if (this.#deepest.length > CUTS_MAX) this.#deepest.splice(1, 1);
  }

  /** The deepest end that the file was cut off at after so many cuts. */
  deepestSince(count: number): number {
    const at = lowerBound(this.#deepest.length, i => this.#deepest[i]!.number > count);
    return this.#deepest[at]?.end ?? Number.POSITIVE_INFINITY;
  }
}

/**
 * The first bytes of a file as they were last read, and the times and size that it had then. While these stand still the
 * bytes are taken to be the same; where they moved, the head is read again and compared.
 * Hazard: times move in steps, so that a young one proves nothing yet.
 */
import fs, { type Stats } from 'node:fs';
import { CONTAINERS, signatureIn } from '../containers.js';
import { LIMITS } from '../limits.js';

/** What a file begins as, at its first byte: the suffix of a container, or `raw`. */
export type HeadKind = string;

/** Bytes that `kindOfHead` looks at. */
export const KIND_BYTES = Math.max(...CONTAINERS.flatMap(({ magics }) => magics.map(({ length }) => length)));

/** Another object whenever the bytes are others. */
export interface Head {
  readonly bytes: Uint8Array;
}

export function kindOfHead({ bytes }: Head): HeadKind {
  return signatureIn(bytes, at => at === 0)?.row.suffixes[0] ?? 'raw';
}

/** As much as there is of the first `length` bytes. A few, of a file that is being read: they are in memory. */
export function readHead(fd: number, length: number): Uint8Array {
  const bytes = Buffer.alloc(length);
  return bytes.subarray(0, fs.readSync(fd, bytes, 0, length, 0));
}

export class HeadWatch {
  readonly #fd: number;
  #length = KIND_BYTES;
  #head: Head | undefined;
  #ctimeMs = Number.NaN;
  #bytes = Number.NaN;
  /** The times are old enough to tell the next write apart. */
  #isSettled = false;

  constructor(fd: number) {
    this.#fd = fd;
  }

  get head(): Head | undefined {
    return this.#head;
  }

  get isYoung(): boolean {
    return !this.#isSettled;
  }

  /** What it was found with, for whoever opens the file again. */
  get stamp(): { readonly ctimeMs: number; readonly bytes: number } {
    return { ctimeMs: this.#ctimeMs, bytes: this.#bytes };
  }

  /** Looks at more of the file than before, where somebody needs it. */
  reach(length: number): void {
    if (length <= this.#length) return;
    this.#length = length;
    this.#head = undefined;
  }

  /** Compares the head where the file has moved since the last look. True where it has. */
  look(found: Stats): boolean {
    const isFirst = Number.isNaN(this.#ctimeMs);
    const hasMoved = found.ctimeMs !== this.#ctimeMs || found.size !== this.#bytes;
    if (!hasMoved && this.#isSettled && this.#head) return false;
    // Before the head is read: what is written while it is, moves the times again.
    this.#ctimeMs = found.ctimeMs;
    this.#bytes = found.size;
    this.#isSettled = Date.now() - found.ctimeMs > LIMITS.youngFileMs;
    const bytes = readHead(this.#fd, this.#length);
    if (!this.#head || Buffer.compare(this.#head.bytes, bytes) !== 0) this.#head = { bytes };
    return hasMoved && !isFirst;
  }
}

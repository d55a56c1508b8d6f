/**
 * Power cuts made again from the log of a disk. Of a cut before entry k survives: everything up to the last flush
 * before k, and of what was written after that flush any sectors, in any combination.
 */
import fs from 'node:fs';
import type { Random } from '../../helpers/random.js';
import { copyImage } from './forgetful-disk.js';

const SECTOR_BYTES = 512;
const HEAD_BYTES = 24;
const FLUSH = 1n;
/** How much of the unflushed survives: nothing, a few sectors, half, nearly all, all of it. */
const SURVIVING = [0, 0.1, 0.5, 0.9, 1];

interface Entry {
  readonly isFlush: boolean;
  /** Where on the disk. */
  readonly offset: number;
  readonly length: number;
  /** Where in the log the bytes are. */
  readonly bytesAt: number;
}

/** Cuts must be asked for in ascending order: the flushed state only moves forwards. */
export class Cuts {
  readonly entries: readonly Entry[];
  readonly #log: number;
  readonly #flushed: string;
  /** How many entries `#flushed` has. */
  #done = 0;

  /** @param flushed the image as it was when the log began; it is changed */
  constructor(logFile: string, flushed: string) {
    this.#log = fs.openSync(logFile, 'r');
    this.#flushed = flushed;
    this.entries = readEntries(this.#log);
  }

  /** Makes the image of a disk whose power was cut before the entry `cut`. */
  make(cut: number, random: Random, target: string): void {
    const lastFlush = this.entries.slice(0, cut).findLastIndex(({ isFlush }) => isFlush);
    if (lastFlush >= this.#done) {
      this.#apply(this.#flushed, this.#done, lastFlush, () => true);
      this.#done = lastFlush + 1;
    }
    copyImage(this.#flushed, target);
    const share = random.pick(SURVIVING);
    this.#apply(target, this.#done, cut, () => random.next() < share);
  }

  close(): void {
    fs.closeSync(this.#log);
  }

  #apply(image: string, from: number, to: number, survives: () => boolean): void {
    const fd = fs.openSync(image, 'r+');
    for (const { offset, length, bytesAt } of this.entries.slice(from, to)) {
      const bytes = Buffer.alloc(length);
      fs.readSync(this.#log, bytes, 0, length, bytesAt);
      for (const run of runsOf(length, survives))
        fs.writeSync(fd, bytes, run.from, run.to - run.from, offset + run.from);
    }
    fs.closeSync(fd);
  }
}

/** The sectors of a write that survive, neighbours together. */
function* runsOf(length: number, survives: () => boolean): Generator<{ from: number; to: number }> {
  let from: number | undefined;
  for (let sector = 0; sector < length; sector += SECTOR_BYTES) {
    const kept = survives();
    if (kept) from ??= sector;
    else if (from !== undefined) {
      yield { from, to: sector };
      from = undefined;
    }
  }
  if (from !== undefined) yield { from, to: length };
}

function readEntries(log: number): Entry[] {
  const { size } = fs.fstatSync(log);
  const entries: Entry[] = [];
  const head = Buffer.alloc(HEAD_BYTES);
  for (let at = 0; at < size;) {
    fs.readSync(log, head, 0, HEAD_BYTES, at);
    const length = Number(head.readBigUInt64LE(16));
    entries.push({
      isFlush: head.readBigUInt64LE(0) === FLUSH,
      offset: Number(head.readBigUInt64LE(8)),
      length,
      bytesAt: at + HEAD_BYTES,
    });
    at += HEAD_BYTES + length;
  }
  return entries;
}

/**
 * Moving the end of a file. What is added stands behind the end before anything says so; what is cut off is given up by
 * everything that says how long the array is, and by everybody who reads it, before it goes.
 */
import fs from 'node:fs';
import { fail } from '../errors.js';
import type { Change, Ending, Step } from './change.js';
import { truncateDescriptor } from './io.js';
import { libc } from './libc.js';
import type { OpenFile } from './open-file.js';
import { EFBIG, ENOSPC, failNoSpace } from './system-errors.js';

/** A commit that moves the end of its file. */
export interface Growth {
  /**
   * What it does, decided when it is its turn.
   * @param before what an earlier commit of the batch is about to make of the array
   * @param fileBytes how long the file will be by then
   */
  plan(before: Grown | undefined, fileBytes: number): Grown;
}

export interface Grown {
  /** All of it, in the order in which it is done again by a recovery. */
  readonly steps: readonly Step[];
  readonly ending: Ending;
  /** What comes to stand behind the old end. */
  readonly data: readonly Change[];
  /** What says in the file how long the array is. */
  readonly header: Change | undefined;
  /** Which of the added bytes get their blocks before anything is promised: the last one tells whether all can be had. */
  readonly holds: 'all' | 'last' | 'none';
  readonly shape: readonly number[];
  /** Writes down elsewhere how long the array is, where the file does not say it. */
  readonly save?: () => Promise<void>;
  /** Makes the new length visible, in the turn in which the generation moves. */
  readonly settle: () => void;
}

/** Gets blocks for what will stand behind the end; the file is as long as it was. @throws ENOSPC, too_large */
export async function holdBehind(
  fd: number,
  { from: first, end }: Pick<Ending, 'from' | 'end'>,
  holds: Grown['holds'] = 'all',
): Promise<void> {
  const c = libc();
  const from = holds === 'all' ? first : Math.max(first, holds === 'last' ? end - 1 : end);
  if (end <= from || !c) return;
  if (end - from > STEP_BYTES) await checkSpace(fd, end - from);
  for (let at = from; at < end; at += STEP_BYTES) {
    // oxlint-disable-next-line no-await-in-loop
    const errorNumber = await c.allocateBehind(fd, at, Math.min(STEP_BYTES, end - at));
    if (errorNumber === ENOSPC) {
      await giveBackBehind(fd);
      failNoSpace();
    }
    if (errorNumber === EFBIG) {
      await giveBackBehind(fd);
      fail('too_large', `The file system cannot hold a file of ${end} bytes. Choose a smaller shape.`, { asked: end });
    }
    // No such call here: writing finds the blocks.
    if (errorNumber !== 0) return;
  }
}

/** Blocks that are got at a time: some milliseconds where they have to be cleared. */
const STEP_BYTES = 32 * 1024 * 1024;

/** Asked first: a reservation that cannot succeed fills the disk until it fails, and everybody's writes with it. */
async function checkSpace(fd: number, bytes: number): Promise<void> {
  const { bavail, blocks, bsize } = await fs.promises.statfs(`/proc/self/fd/${fd}`);
  // Some network file systems do not say what they have.
  if (blocks > 0 && bytes > bavail * bsize) failNoSpace();
}

/** Blocks behind the end are of no use to anybody. */
async function giveBackBehind(fd: number): Promise<void> {
  await truncateDescriptor(fd, fs.fstatSync(fd).size).catch(() => undefined);
}

/** Cuts the file off at its new end, or lets it go on to there in zeros. The caller holds the write lock. */
export async function applyEnding(file: OpenFile, { end }: Ending): Promise<void> {
  const { size } = fs.fstatSync(file.fd);
  if (size === end) return;
  if (end < size) {
    const { state } = file;
    const cut = { shape: [size - end], strides: [1], offset: end };
    state.changes.note(state.writesStarted, cut, 1);
    state.preImages.cutBehind(end);
    state.cuts.note(end);
    await state.scans.drained();
  }
  await truncateDescriptor(file.fd, end);
}

/**
 * Doing again what the records of a journal say, in a file that others may open meanwhile: it may have all of it already.
 * So a file that grew is not cut off at the ends that it had on its way, and what says how long the array is, is written
 * once, when all that it counts is there. A cut is done again as it was: that first, then the end.
 */
import { extentOf } from '../../layout/view.js';
import { LIMITS } from '../../limits.js';
import { nextTurn } from '../../turns.js';
import type { Gaps } from '../alter.js';
import { applyStep, isEnding, partsOf, singleRun, type Change, type Ending, type Step } from '../change.js';
import { readFully, sizeOfDescriptor, writeFully } from '../io.js';

/** The first bytes of a file where they are to become others. */
interface Patch {
  readonly start: number;
  readonly bytes: Uint8Array;
}

export class Redo {
  readonly #fd: number;
  readonly #gaps: Gaps | undefined;
  #patches: Patch[] = [];
  /** Where the file ends by what was done so far, where that moved its end. */
  end: number | undefined;

  constructor(fd: number, gaps: Gaps | undefined) {
    this.#fd = fd;
    this.#gaps = gaps;
  }

  /** Does one step of a record. `ending` is how the record moves the end of the file, where it does. */
  async do(step: Step, ending: Ending | undefined): Promise<void> {
    if (isEnding(step)) await (step.isProvisional ? this.#cutProvisional(step) : this.#moveEnd(step));
    else if (ending && isInHead(step, ending)) this.#patches.push(patchOf(step));
    else await this.#change(step);
  }

  /** Writes what says how long the array is; in one write, and not where it stands there already. */
  async writeHead(): Promise<void> {
    const patches = this.#patches;
    this.#patches = [];
    if (patches.length === 0) return;
    const start = Math.min(...patches.map(patch => patch.start));
    const end = Math.max(...patches.map(patch => patch.start + patch.bytes.byteLength));
    const present = Buffer.alloc(end - start);
    await readFully(this.#fd, present, start);
    const wanted = Buffer.from(present);
    for (const patch of patches) wanted.set(patch.bytes, patch.start - start);
    if (!wanted.equals(present)) await writeFully(this.#fd, wanted, start);
  }

  async #moveEnd(ending: Ending): Promise<void> {
    const isCut = ending.end < ending.from;
    if (isCut) await this.writeHead();
    if (isCut || (await sizeOfDescriptor(this.#fd)) < ending.end) applyStep(this.#fd, ending);
    this.end = ending.end;
  }

  /** What was on its way behind an end when the crash came goes. */
  async #cutProvisional(ending: Ending): Promise<void> {
    if ((await sizeOfDescriptor(this.#fd)) < ending.end) return;
    applyStep(this.#fd, ending);
    this.end = ending.end;
  }

  async #change(change: Change): Promise<void> {
    for (const part of partsOf({ ...change, gaps: this.#gaps }, LIMITS.scatterBytesMax)) {
      applyStep(this.#fd, part);
      // oxlint-disable-next-line no-await-in-loop
      if (part.target.shape !== change.target.shape) await nextTurn();
    }
  }
}

/** Whether a change of a record that moves the end sets what says how long the array is: all else stands behind an end. */
function isInHead({ target, itemsize }: Change, { from, end }: Ending): boolean {
  return extentOf(target, itemsize).end <= Math.min(from, end);
}

function patchOf(change: Change): Patch {
  const bytes = singleRun(change);
  if (!bytes) throw new Error('what says how long an array is, is one run of bytes');
  return { start: change.target.offset, bytes };
}

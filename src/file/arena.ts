/**
 * Files mapped into a memory of our own: kernels scan the page cache there without a copy. Windows of a file stand in
 * slots; what is asked for by a second walk is mapped and kept, and what was not asked for longest gives way.
 * Hazards: a kept page must never be cut off its file, so only files that nobody else truncates may come here; a window
 * keeps a deleted file's blocks, so `forget` has to follow when a file is closed.
 */
import fs from 'node:fs';
import { LIMITS } from '../limits.js';
import { libc, type Libc } from './libc.js';

/** What is found to be in memory at a time: asking costs a tenth of a sum over it. */
const UNIT_BYTES = 1024 * 1024;
const STEP_BYTES = LIMITS.keptWindowBytes - LIMITS.tileSpanBytesMax;
const ALIGNMENT_BYTES = 64 * 1024;

/** A file that may be mapped. */
export interface KeptFile {
  readonly fd: number;
  /** The same for the same bytes, whatever descriptor they are reached by. */
  readonly keptAs: string;
}

const NEVER = Number.NEGATIVE_INFINITY;

interface Slot {
  /** Address of its first byte, and its position in the memory. */
  readonly address: number;
  readonly ptr: number;
  /** Which window of which file; undefined while empty. */
  window: string | undefined;
  bytes: number;
  usedAt: number;
  /** When each unit was last found to be in memory. */
  readonly seenAt: Float64Array;
}

export class Arena {
  readonly #libc: Libc;
  readonly #slots: Slot[] = [];
  readonly #byWindow = new Map<string, Slot>();
  /** The walk that asked for a window first. */
  readonly #seen = new Map<string, number>();

  /** @param from where in the memory slots may begin */
  constructor(c: Libc, memory: ArrayBuffer, from: number) {
    this.#libc = c;
    const base = c.addressOf(memory);
    // A pointer to the very end would wrap around: the last page stays unused.
    const end = memory.byteLength - ALIGNMENT_BYTES;
    for (let ptr = from; ptr + LIMITS.keptWindowBytes <= end; ptr += LIMITS.keptWindowBytes) {
      const seenAt = new Float64Array(LIMITS.keptWindowBytes / UNIT_BYTES).fill(NEVER);
      this.#slots.push({ address: base + ptr, ptr, window: undefined, bytes: 0, usedAt: 0, seenAt });
    }
  }

  /** Over the upper part of a memory; undefined where files cannot be mapped into it. */
  static over(memory: ArrayBuffer, from: number): Arena | undefined {
    const c = libc();
    const arena = c && new Arena(c, memory, from);
    return arena && arena.#slots.length > 0 ? arena : undefined;
  }

  get windows(): number {
    return this.#byWindow.size;
  }

  /**
   * The pointer to byte `start` of the file, when all of `[start, end)` is mapped and in memory. `walk` tells apart who
   * asks: what one walk asks for several times is not yet asked for repeatedly.
   */
  find(file: KeptFile, start: number, end: number, walk: number): number | undefined {
    const index = Math.floor(start / STEP_BYTES);
    const from = start - index * STEP_BYTES;
    const bytes = end - start;
    if (from + bytes > LIMITS.keptWindowBytes) return undefined;
    const slot = this.#slotOf(file, index, from + bytes, walk);
    if (!slot) return undefined;
    return this.#isResident(slot, from, from + bytes) ? slot.ptr + from : undefined;
  }

  /**
   * Asks once in a while: a page that is given up meanwhile is read in again when it is touched, which costs time. One
   * that was cut off the file would be a signal; its end is looked at for every task.
   */
  #isResident(slot: Slot, start: number, end: number): boolean {
    const isKnown = (unit: number): boolean => slot.usedAt - slot.seenAt[unit]! < LIMITS.residencyKnownMs;
    const last = Math.ceil(end / UNIT_BYTES);
    for (let unit = Math.floor(start / UNIT_BYTES); unit < last; unit++) {
      if (isKnown(unit)) continue;
      // Units that follow each other are asked about together: a call costs as much as looking at a few hundred pages.
      let behind = unit + 1;
      while (behind < last && !isKnown(behind)) behind++;
      const bytes = Math.min(behind * UNIT_BYTES, slot.bytes) - unit * UNIT_BYTES;
      if (!this.#libc.isResident(slot.address + unit * UNIT_BYTES, bytes)) return false;
      slot.seenAt.fill(slot.usedAt, unit, behind);
      unit = behind;
    }
    return true;
  }

  /** Lets go of a file, whose blocks would be kept after it is deleted. */
  forget(keptAs: string): void {
    for (const [window, slot] of this.#byWindow) {
      if (!window.startsWith(`${keptAs}:`)) continue;
      this.#byWindow.delete(window);
      this.#empty(slot);
    }
    for (const window of this.#seen.keys()) if (window.startsWith(`${keptAs}:`)) this.#seen.delete(window);
  }

  #slotOf(file: KeptFile, index: number, bytes: number, walk: number): Slot | undefined {
    const window = `${file.keptAs}:${index}`;
    const known = this.#byWindow.get(window);
    if (known && known.bytes >= bytes) {
      known.usedAt = performance.now();
      return known;
    }
    if (!known && !this.#isRepeated(window, walk)) return undefined;
    const slot = known ?? this.#freeSlot();
    if (!slot) return undefined;
    return this.#map(slot, file, index, bytes, window) ? slot : undefined;
  }

  #isRepeated(window: string, walk: number): boolean {
    const first = this.#seen.get(window);
    if (first !== undefined) return first !== walk;
    if (this.#seen.size >= LIMITS.windowsSeenMax) this.#seen.clear();
    this.#seen.set(window, walk);
    return false;
  }

  /** An empty slot, or the one that was not used for longest. */
  #freeSlot(): Slot | undefined {
    const slot = this.#slots.reduce((oldest, each) => (each.usedAt < oldest.usedAt ? each : oldest));
    if (slot.window === undefined) return slot;
    if (performance.now() - slot.usedAt < LIMITS.keptWindowMs) return undefined;
    this.#byWindow.delete(slot.window);
    this.#empty(slot);
    return slot;
  }

  #map(slot: Slot, { fd }: KeptFile, index: number, bytesMin: number, window: string): boolean {
    const start = index * STEP_BYTES;
    const bytes = Math.min(LIMITS.keptWindowBytes, fs.fstatSync(fd).size - start);
    if (bytes < bytesMin || !this.#libc.mapReadAt(slot.address, fd, start, bytes)) return false;
    slot.window = window;
    slot.bytes = bytes;
    slot.usedAt = performance.now();
    slot.seenAt.fill(NEVER);
    this.#byWindow.set(window, slot);
    return true;
  }

  #empty(slot: Slot): void {
    this.#libc.mapEmptyAt(slot.address, LIMITS.keptWindowBytes);
    slot.window = undefined;
    slot.usedAt = 0;
  }
}

if (STEP_BYTES % ALIGNMENT_BYTES !== 0) throw new Error('windows must start at aligned positions');

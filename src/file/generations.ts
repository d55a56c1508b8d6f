/**
 * The generation of every file: a counter of its committed writes that never repeats a value, crashes included.
 * On disk stands a ceiling that no used generation exceeds; it is raised, durably, before a generation beyond it is
 * used, a block at a time. After a clean stop the file holds the exact value, after a crash counting goes on above
 * the ceiling. One more counter, the floor, is the highest generation of all files that were forgotten: a new file
 * begins above it, so that a name or a file that comes again does not count from one.
 */
import fs from 'node:fs/promises';
import path from 'node:path';
import { LIMITS } from '../limits.js';
import { systemErrorCode } from '../errors.js';
import { writeTextAtomically } from './atomic.js';
import { FollowedCounters } from './followed-counters.js';
import { readTexts } from './io.js';
import { inOwnFolder } from './own-folder.js';

const SUFFIX = '.generation.json';
const FIRST = 1;
/** The name of the floor among the counters; files have ids of hexadecimal digits. */
const FLOOR = 'forgotten';

interface Stored {
  readonly generation: number;
  /** True when `generation` is exact, false when it is a ceiling. */
  readonly exact: boolean;
}

interface Entry {
  generation: number;
  /** The ceiling that is on disk. */
  ceiling: number;
  /** True when the disk holds exactly `generation`. */
  stored: boolean;
  raising?: Promise<void>;
}

export class Generations {
  readonly #folder: string;
  /** Counters that are kept nowhere: the file system keeps their times. */
  readonly followed = new FollowedCounters(counterId => this.onMoved(counterId));
  readonly #entries = new Map<string, Entry>();
  readonly #damaged = new Set<string>();
  /** Told of each counter that moves, when it has. */
  onMoved: (counterId: string) => void = () => {};
  /** Counts what changes any counter: sums of counters hold as long as it stands still. */
  moves = 0;
  /** `generation` is the highest that may have been used by a file that was forgotten. */
  #floor: Entry = { generation: 0, ceiling: 0, stored: true };

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Reads every counter at start. */
  async load(): Promise<void> {
    const names = (await fs.readdir(this.#folder)).filter(name => name.endsWith(SUFFIX));
    const texts = await readTexts(names.map(name => path.join(this.#folder, name)));
    for (const [i, name] of names.entries()) {
      const stored = parseStored(texts[i]!);
      const fileId = name.slice(0, -SUFFIX.length);
      if (!stored) {
        this.#damaged.add(fileId);
        continue;
      }
      if (fileId === FLOOR) {
        this.#floor = { ...stored, ceiling: stored.generation, stored: stored.exact };
        continue;
      }
      const generation = stored.exact ? stored.generation : stored.generation + 1;
      this.#entries.set(fileId, { generation, ceiling: stored.generation, stored: stored.exact });
    }
  }

  /**
   * Says which files datasets were found on, and the generation that each has at least. Counters of others, and whatever
   * a manifest that `isLeftOut` counted, lie below what is begun from now on.
   */
  settle(files: Iterable<{ readonly fileId: string; readonly firstGeneration: number }>, isLeftOut: boolean): void {
    const orphans = new Map(this.#entries);
    for (const { fileId, firstGeneration: first } of files) {
      orphans.delete(fileId);
      if ((this.#entries.get(fileId)?.generation ?? 0) < first) this.#entries.set(fileId, storedAt(first));
      this.moves++;
    }
    for (const { generation } of orphans.values()) this.#raiseFloor(generation);
    // A manifest that is left out, and has no counter, began above an earlier floor, or above this one.
    if (isLeftOut) this.#raiseFloor(this.#floor.generation + 1);
    // Nobody counts as fast as the clock does: what a lost counter said was less.
    if (this.#damaged.size > 0) this.#raiseFloor(Date.now());
  }

  /** The generation of a file; a new one begins above all that were forgotten. Durable with the manifest that names it. */
  async begin(fileId: string): Promise<number> {
    if (!this.#entries.has(fileId)) {
      // Now, so that forgetting needs no room on the disk.
      await this.#reserveIn(FLOOR, this.#floor, 1);
      if (!this.#entries.has(fileId)) this.#entries.set(fileId, storedAt(this.#floor.generation + 1));
    }
    return this.current(fileId);
  }

  /** True where the counter cannot be read: without it a generation could be used twice. */
  isDamaged(fileId: string): boolean {
    return this.#damaged.has(fileId);
  }

  current(fileId: string): number {
    // Asking makes no entry: the file may have been forgotten.
    return this.followed.current(fileId) ?? this.#entries.get(fileId)?.generation ?? FIRST;
  }

  /** Makes sure that the next `count` calls of `advance` stay under the ceiling on disk. */
  async reserve(fileId: string, count = 1): Promise<void> {
    await this.#reserveIn(fileId, this.#entry(fileId), count);
  }

  /**
   * The same without the disk, which is full: the next `count` generations lie at the clock's milliseconds. What was
   * counted before lies far below, and after a crash the next leap lies above.
   */
  leap(fileId: string, count: number): void {
    const entry = this.#entry(fileId);
    this.moves++;
    entry.generation = Math.max(entry.generation, Date.now());
    entry.ceiling = entry.generation + count;
    entry.stored = false;
  }

  /** The next generation. `reserve` must have been awaited since the last call. */
  advance(fileId: string): number {
    const entry = this.#entry(fileId);
    if (entry.stored || entry.generation >= entry.ceiling)
      throw new Error('a generation was used before it was reserved');
    entry.generation++;
    this.moves++;
    this.followed.moveTied(fileId);
    this.onMoved(fileId);
    return entry.generation;
  }

  /** Starts a counter above another one: a file that replaces another continues its numbers. */
  async startAbove(fileId: string, generation: number): Promise<void> {
    const next = generation + 1;
    await this.#write(fileId, { generation: next, exact: true });
    this.#entries.set(fileId, storedAt(next));
    this.moves++;
    this.onMoved(fileId);
  }

  /** Forgets the counter of a file that no dataset uses any more; what is begun later goes on above it. */
  async forget(fileId: string): Promise<void> {
    const passed = this.passBy(this.current(fileId));
    this.#entries.delete(fileId);
    try {
      await passed;
    } catch {
      // A full disk: the counter itself is left, and the next start begins above it.
      return;
    }
    await this.abandon(fileId);
  }

  /** What is begun later goes on above a generation, durably. */
  async passBy(generation: number): Promise<void> {
    this.#raiseFloor(generation);
    if (this.#floor.generation > this.#floor.ceiling) await this.#reserveIn(FLOOR, this.#floor, 0);
  }

  /** The highest generation that a dataset which was forgotten may have had. */
  get floor(): number {
    return this.#floor.generation;
  }

  /** Drops the counter of a file that nobody has seen. */
  async abandon(fileId: string): Promise<void> {
    this.#entries.delete(fileId);
    await inOwnFolder(() => fs.rm(this.#pathOf(fileId), { force: true }));
  }

  /**
   * Writes down exact values, so that the next start continues without a gap; not for files of which the next start may
   * find another state than was served, and not for longer than a stop may take: the others go on above their ceilings.
   */
  async close(isUncertain: (fileId: string) => boolean = () => false): Promise<void> {
    const deadline = performance.now() + LIMITS.countersClosedMsMax;
    for (const [fileId, entry] of this.#entries) {
      if (performance.now() > deadline) break;
      if (entry.stored || entry.generation === FIRST || isUncertain(fileId)) continue;
      await this.#write(fileId, { generation: entry.generation, exact: true });
      entry.stored = true;
      entry.ceiling = entry.generation;
    }
    if (this.#floor.stored || this.#floor.generation === 0) return;
    await this.#write(FLOOR, { generation: this.#floor.generation, exact: true });
    this.#floor.stored = true;
  }

  #raiseFloor(generation: number): void {
    this.#floor.generation = Math.max(this.#floor.generation, generation);
  }

  async #reserveIn(name: string, entry: Entry, count: number): Promise<void> {
    if (entry.raising) await entry.raising;
    if (entry.generation + count <= entry.ceiling && !entry.stored) return;
    entry.raising ??= this.#raise(name, entry).finally(() => delete entry.raising);
    await entry.raising;
  }

  async #raise(fileId: string, entry: Entry): Promise<void> {
    const ceiling = entry.generation + LIMITS.generationsPerReservation;
    await this.#write(fileId, { generation: ceiling, exact: false });
    entry.ceiling = ceiling;
    entry.stored = false;
  }

  #entry(fileId: string): Entry {
    let entry = this.#entries.get(fileId);
    if (!entry) {
      entry = { generation: FIRST, ceiling: FIRST, stored: false };
      this.#entries.set(fileId, entry);
    }
    return entry;
  }

  #write(fileId: string, stored: Stored): Promise<void> {
    return writeTextAtomically(this.#pathOf(fileId), `${JSON.stringify(stored)}\n`);
  }

  #pathOf(fileId: string): string {
    return path.join(this.#folder, `${fileId}${SUFFIX}`);
  }
}

/** A counter whose value is on disk. */
function storedAt(generation: number): Entry {
  return { generation, ceiling: generation, stored: true };
}

function parseStored(text: string): Stored | undefined {
  try {
    const { generation, exact } = JSON.parse(text) as Partial<Stored>;
    return Number.isSafeInteger(generation) && generation! > 0 && typeof exact === 'boolean'
      ? { generation: generation!, exact }
      : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || systemErrorCode(error)) return undefined;
    throw error;
  }
}

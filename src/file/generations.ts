/**
 * The generation of every file: a counter of its committed writes that never repeats a value, crashes included.
 * On disk stands a ceiling that no used generation exceeds; it is raised, durably, before a generation beyond it is
 * used, a block at a time. After a clean stop the file holds the exact value, after a crash counting goes on above
 * the ceiling.
 */
import fs from 'node:fs/promises';
import path from 'node:path';
import { LIMITS } from '../limits.js';
import { systemErrorCode } from '../errors.js';
import { writeTextAtomically } from './atomic.js';

const SUFFIX = '.generation.json';
const FIRST = 1;

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
  readonly #entries = new Map<string, Entry>();
  readonly #damaged = new Set<string>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Reads every counter at start. */
  async load(): Promise<void> {
    for (const name of await fs.readdir(this.#folder)) {
      if (!name.endsWith(SUFFIX)) continue;
      const stored = parseStored(await fs.readFile(path.join(this.#folder, name), 'utf8'));
      const fileId = name.slice(0, -SUFFIX.length);
      if (!stored) {
        this.#damaged.add(fileId);
        continue;
      }
      const generation = stored.exact ? stored.generation : stored.generation + 1;
      this.#entries.set(fileId, { generation, ceiling: stored.generation, stored: stored.exact });
    }
  }

  /** True where the counter cannot be read: without it a generation could be used twice. */
  isDamaged(fileId: string): boolean {
    return this.#damaged.has(fileId);
  }

  current(fileId: string): number {
    // Asking makes no entry: the file may have been forgotten.
    return this.#entries.get(fileId)?.generation ?? FIRST;
  }

  /** Makes sure that the next `count` calls of `advance` stay under the ceiling on disk. */
  async reserve(fileId: string, count = 1): Promise<void> {
    const entry = this.#entry(fileId);
    if (entry.raising) await entry.raising;
    if (entry.generation + count <= entry.ceiling && !entry.stored) return;
    entry.raising ??= this.#raise(fileId, entry).finally(() => delete entry.raising);
    await entry.raising;
  }

  /** The next generation. `reserve` must have been awaited since the last call. */
  advance(fileId: string): number {
    const entry = this.#entry(fileId);
    if (entry.stored || entry.generation >= entry.ceiling)
      throw new Error('a generation was used before it was reserved');
    return ++entry.generation;
  }

  /** Starts a counter above another one: a file that replaces another continues its numbers. */
  async startAbove(fileId: string, generation: number): Promise<void> {
    const next = generation + 1;
    await this.#write(fileId, { generation: next, exact: true });
    this.#entries.set(fileId, { generation: next, ceiling: next, stored: true });
  }

  /** Forgets the counter of a file that no dataset uses any more. */
  async forget(fileId: string): Promise<void> {
    this.#entries.delete(fileId);
    await fs.rm(this.#pathOf(fileId), { force: true });
  }

  /**
   * Writes down exact values, so that the next start continues without a gap; not for files of which the next start may
   * find another state than was served.
   */
  async close(isUncertain: (fileId: string) => boolean = () => false): Promise<void> {
    for (const [fileId, entry] of this.#entries) {
      if (entry.stored || entry.generation === FIRST || isUncertain(fileId)) continue;
      await this.#write(fileId, { generation: entry.generation, exact: true });
      entry.stored = true;
      entry.ceiling = entry.generation;
    }
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

/**
 * File descriptors as the scarce thing that they are: how many the process may have, who gets how many, and what is done
 * where none is left. Connections and data files have shares of their own, so that neither starves the other.
 */
import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemErrorCode } from '../errors.js';
import { LIMITS } from '../limits.js';

/** What may be open at one time. */
export interface DescriptorShares {
  readonly openFilesMax: number;
  readonly connectionsMax: number;
}

interface Asked {
  readonly workers: number;
  readonly connectionsMax: number;
  /** Undefined: as many as there is room for. */
  readonly openFiles: number | undefined;
}

/** A data file that is written has its journal open beside it. */
const DESCRIPTORS_PER_FILE = 2;
/** The process itself, and each of its threads. */
const PROCESS_DESCRIPTORS = 32;
const WORKER_DESCRIPTORS = 4;
/** Folders, manifests and temporary files, which are open for a moment. */
const PASSING_DESCRIPTORS = 48;
/** However few there are. */
const FILES_MIN = 8;
const CONNECTIONS_MIN = 16;

/** Parts what the process may have open: half for data files at most, the rest for connections. */
export function shareDescriptors({ workers, connectionsMax, openFiles }: Asked, limit: number): DescriptorShares {
  const free = limit - PROCESS_DESCRIPTORS - WORKER_DESCRIPTORS * workers - PASSING_DESCRIPTORS;
  const fitting = Math.floor(free / 2 / DESCRIPTORS_PER_FILE);
  const openFilesMax = openFiles ?? Math.max(FILES_MIN, Math.min(LIMITS.openFilesMax, fitting));
  const left = free - openFilesMax * DESCRIPTORS_PER_FILE;
  return { openFilesMax, connectionsMax: Math.min(connectionsMax, Math.max(CONNECTIONS_MIN, left)) };
}

/** Descriptors that the kernel lets this process have; infinite where it does not say. */
export function descriptorLimit(): number {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(fs.readFileSync('/proc/self/limits', 'latin1'))?.[1];
    return soft === undefined ? Infinity : Number(soft);
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return Infinity;
  }
}

/** Who can give descriptors back: each closes something that it can open again. */
export const descriptorHolders = new Set<() => void>();

const ATTEMPTS = 20;
const ATTEMPT_MS = 25;

/** Runs work that opens something; where no descriptor is left, idle ones are closed and it is tried again. */
export async function withDescriptors<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      // oxlint-disable-next-line no-await-in-loop
      return await work();
    } catch (error) {
      if (!isShortage(error) || attempt === ATTEMPTS) throw error;
      for (const closeIdle of descriptorHolders) closeIdle();
      // oxlint-disable-next-line no-await-in-loop
      await sleep(ATTEMPT_MS);
    }
  }
}

/** True for the answers of the kernel that say so of this process, or of the machine. */
export function isShortage(error: unknown): boolean {
  const code = systemErrorCode(error);
  return code === 'EMFILE' || code === 'ENFILE';
}

/**
 * What every bench does around its measurements: a temporary folder, processes that are stopped whatever happens, and
 * the table at the end, printed and on request written into bench/README.md.
 */
import fs from 'node:fs';
import os, { tmpdir } from 'node:os';
import path from 'node:path';
import { PACKAGE_ROOT } from '../src/package-root.js';
import { writeInto } from './table.js';

export interface Bench {
  /** Temporary; removed at the end. */
  readonly folder: string;
  /** Undone at the end, or when the bench is told to end, last first. */
  readonly later: (undo: () => unknown) => void;
  /** Stopped at the end. */
  readonly kept: <T extends { stop(): Promise<void> }>(started: T) => T;
}

/** Runs a bench and undoes what it asked to undo, also when it fails or is interrupted. */
export async function runBench(work: (bench: Bench) => Promise<void>): Promise<void> {
  const cleanups: (() => unknown)[] = [];
  const cleanUp = async (): Promise<void> => {
    for (let undo = cleanups.pop(); undo; undo = cleanups.pop()) await undo();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void cleanUp().then(() => process.exit(1)));
  }
  const folder = fs.mkdtempSync(path.join(tmpdir(), 'hyperslab-bench-'));
  cleanups.push(() => fs.rmSync(folder, { recursive: true, force: true }));
  try {
    await work({
      folder,
      later: undo => void cleanups.push(undo),
      kept(started) {
        cleanups.push(() => started.stop());
        return started;
      },
    });
  } finally {
    await cleanUp();
  }
}

/** Prints a table, and puts it at its place in bench/README.md when asked to. */
export function publish(table: string, { write, place }: { write: boolean; place: string }): void {
  process.stdout.write(`${table}\n`);
  if (write) writeInto(path.join(PACKAGE_ROOT, 'bench/README.md'), table, place);
}

/** The line under a table that says when and on what it was measured. */
export function dateAndMachine(): string {
  const [cpu] = os.cpus();
  const machine = `${cpu?.model.trim() ?? 'unknown processor'}, ${os.cpus().length} cores; ${os.type()} ${os.release()}; Node ${process.versions.node}`;
  return `${new Date().toISOString().slice(0, 10)}; ${machine}`;
}

/** The rows of a table that `--only a,b` names; all without it. */
export function chosen<T extends { readonly name: string }>(all: readonly T[], only: string | undefined): T[] {
  if (only === undefined) return [...all];
  return only.split(',').map(name => {
    const found = all.find(each => each.name === name);
    if (!found) throw new Error(`there is no case ${name}; there are ${all.map(each => each.name).join(', ')}`);
    return found;
  });
}

/** Progress, apart from the table. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

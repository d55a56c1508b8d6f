/**
 * What the fault tests share: how many rounds to run, how to say a figure, and what this machine has. A need that is
 * missing is a reason to skip that the report shows, never a silent pass.
 */
import { spawnSync } from 'node:child_process';
import os from 'node:os';
import type { Test } from 'tap';

/** `npm run faults -- --full` runs the numbers that the promise is stated with; the short form fits into CI. */
export const FULL = process.env['HYPERSLAB_FAULTS'] === 'full';

export function rounds(short: number, full: number): number {
  return FULL ? full : short;
}

/** A number for the report. `scripts/faults.mjs` picks these lines up. */
export function figure(t: Test, name: string, value: string | number): void {
  t.comment(`figure: ${name}: ${value}`);
}

/** Why a test that needs root cannot run, or false. */
export function unlessRoot(): string | false {
  if (os.platform() !== 'linux') return 'needs Linux';
  return process.geteuid?.() === 0 ? false : 'needs root';
}

/** Why a test that needs these programs cannot run, or false. */
export function unlessPrograms(...programs: string[]): string | false {
  const missing = programs.filter(each => spawnSync('sh', ['-c', 'command -v "$0"', each]).status !== 0);
  return missing.length > 0 && `needs ${missing.join(', ')}`;
}

/** The value at a fraction of the sorted values: 0.5 is the median, 1 the largest. */
export function quantile(values: readonly number[], fraction: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(fraction * sorted.length))] ?? Number.NaN;
}

/** Milliseconds as `"3.2 ms"`. */
export function inMs(value: number): string {
  return `${value < 100 ? value.toFixed(1) : Math.round(value)} ms`;
}

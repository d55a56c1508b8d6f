/** Anonymous memory of a process and its children, from /proc: what it holds besides mapped files. Linux alone. */
import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Between two looks; each costs some ten microseconds per process. */
const SAMPLE_MS = 1;

/** Undefined where there is no /proc. */
export function anonymousBytes(pid: number): number | undefined {
  try {
    const own = Number(/^RssAnon:\s+(\d+) kB/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024;
    return childrenOf(pid).reduce((sum, child) => sum + (anonymousBytes(child) ?? 0), own);
  } catch {
    return undefined;
  }
}

function childrenOf(pid: number): number[] {
  const text = fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}

/** The most that a process held while something ran. */
export async function peakDuring(pid: number, run: () => Promise<unknown>): Promise<number | undefined> {
  let peak = anonymousBytes(pid);
  if (peak === undefined) return undefined;
  const state = { running: true };
  const done = run().finally(() => (state.running = false));
  while (state.running) {
    await sleep(SAMPLE_MS);
    peak = Math.max(peak, anonymousBytes(pid) ?? 0);
  }
  await done;
  return peak;
}

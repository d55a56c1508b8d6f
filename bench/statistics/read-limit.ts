/** The read limit of the machine, from a C program that is compiled for the run. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { PACKAGE_ROOT } from '../../src/package-root.js';
import { PipeChild } from '../pipe-child.js';
import { THREADS } from './contenders.js';
import type { Data } from './data.js';

export interface ReadLimit {
  /** Milliseconds to read a file once: on one thread or on all, whichever is faster now. */
  measure(file: 'big' | 'part'): Promise<number>;
  stop(): Promise<void>;
}

/** The reason, when it cannot be measured here. */
export async function startReadLimit(folder: string, { big, part }: Data): Promise<ReadLimit | string> {
  const program = path.join(folder, 'read-limit');
  const source = path.join(PACKAGE_ROOT, 'bench/statistics/read-limit.c');
  const { status, stderr, error } = spawnSync('gcc', ['-O3', '-mavx2', '-pthread', '-o', program, source], {
    encoding: 'utf8',
  });
  if (error) return 'the read limit needs gcc';
  if (status !== 0) return `read-limit.c does not compile here: ${stderr.trim().split('\n')[0]}`;
  const child = new PipeChild(program, [big, part]);
  try {
    await child.read();
  } catch {
    return 'the read limit needs AVX2';
  }
  return {
    async measure(file) {
      const ask = async (threads: number): Promise<number> => {
        const { ms } = await child.ask<{ ms: number }>([file === 'big' ? 0 : 1, threads]);
        return ms;
      };
      return Math.min(await ask(1), await ask(THREADS));
    },
    stop: () => child.stop(),
  };
}

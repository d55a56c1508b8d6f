/** The others: processes that keep the files mapped and time themselves. */
import os from 'node:os';
import path from 'node:path';
import { PACKAGE_ROOT } from '../../src/package-root.js';
import { say } from '../frame.js';
import { PipeChild } from '../pipe-child.js';
import type { ContenderName } from './cases.js';
import type { Data } from './data.js';

const SCRIPTS: Readonly<Record<ContenderName, string>> = {
  numpy: 'numpy_one.py',
  'numpy, 2 processes': 'numpy_two.py',
  'numba, plain': 'numba_plain.py',
  'numba, tuned': 'numba_tuned.py',
  dask: 'dask_threads.py',
  polars: 'polars_frame.py',
  duckdb: 'duckdb_sql.py',
  bottleneck: 'bottleneck_one.py',
};

/** As many as we have workers. */
export const THREADS = os.availableParallelism();

export interface Contender {
  readonly name: ContenderName;
  readonly pid: number;
  /** Cases that it has an answer to. */
  readonly cases: ReadonlySet<string>;
  /** Milliseconds of the computation, and its value where that is asked for. */
  measure(name: string, value?: boolean): Promise<{ ms: number; value?: unknown }>;
  stop(): Promise<void>;
}

/** Starts those that are installed; compiled ones have compiled when this returns. */
export async function startContenders(python: string, { folder }: Data): Promise<(Contender | Absent)[]> {
  const started: (Contender | Absent)[] = [];
  for (const name of Object.keys(SCRIPTS) as ContenderName[]) {
    say(`starting ${name}`);
    started.push(await start(name, python, folder));
  }
  return started;
}

export interface Absent {
  readonly name: ContenderName;
  readonly absent: string;
}

async function start(name: ContenderName, python: string, folder: string): Promise<Contender | Absent> {
  const script = path.join(PACKAGE_ROOT, 'bench/statistics/contenders', SCRIPTS[name]);
  // numpy's own threads would only turn in circles beside those that we ask for.
  const env = { OPENBLAS_NUM_THREADS: '1', PYTHONDONTWRITEBYTECODE: '1' };
  const child = new PipeChild(python, [script, folder, String(THREADS)], env);
  try {
    const { cases } = await child.read<{ cases: string[] }>();
    return {
      name,
      pid: child.pid,
      cases: new Set(cases),
      measure: (name, value = false) => child.ask({ case: name, value }),
      stop: () => child.stop(),
    };
  } catch (error) {
    await child.stop();
    return { name, absent: (error as Error).message };
  }
}

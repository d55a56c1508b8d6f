/** The Python of the contenders: the one that HYPERSLAB_BENCH_PYTHON names, or an environment made for them, once. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { say } from '../frame.js';

/** The first is needed by all; what else doesn't install leaves its contender out. */
const PACKAGES = ['numpy', 'numba', 'dask', 'pyarrow', 'polars', 'duckdb', 'pandas', 'bottleneck'];

/** An interpreter with numpy, or the reason that there is none. */
export function preparePython(folder: string): { python: string } | { missing: string } {
  const named = process.env['HYPERSLAB_BENCH_PYTHON'];
  const python = named || path.join(folder, 'venv/bin/python');
  if (!named && !fs.existsSync(path.join(folder, 'venv/complete'))) {
    const missing = install(path.join(folder, 'venv'));
    if (missing) return { missing };
  }
  const { status } = spawnSync(python, ['-c', 'import numpy'], { stdio: 'ignore' });
  return status === 0 ? { python } : { missing: `${python} has no numpy` };
}

function install(venv: string): string | undefined {
  say(`installing ${PACKAGES.join(', ')} into ${venv}`);
  fs.rmSync(venv, { recursive: true, force: true });
  if (spawnSync('python3', ['-m', 'venv', venv], { stdio: 'ignore' }).status !== 0) return 'python3 -m venv fails here';
  for (const name of PACKAGES) {
    const args = ['install', '--quiet', '--disable-pip-version-check', name];
    if (spawnSync(path.join(venv, 'bin/pip'), args, { stdio: 'ignore' }).status !== 0) say(`${name} does not install`);
  }
  fs.writeFileSync(path.join(venv, 'complete'), '');
  return undefined;
}

/** numpy as a live oracle, where python3 with numpy is at hand; tests that need it say when they are skipped. */
import { spawnSync } from 'node:child_process';

/** The interpreter that has numpy, or undefined. HYPERSLAB_TEST_PYTHON names one. */
export const PYTHON: string | undefined = [process.env['HYPERSLAB_TEST_PYTHON'], 'python3'].find(
  candidate =>
    candidate !== undefined && spawnSync(candidate, ['-c', 'import numpy'], { stdio: 'ignore' }).status === 0,
);

export const NO_NUMPY = 'python3 with numpy is not here';

/** Runs a script with arguments and returns what it prints. */
export function runPython(script: string, args: readonly string[] = [], input?: string): string {
  const { status, stdout, stderr } = spawnSync(PYTHON!, ['-c', script, ...args], {
    input,
    encoding: 'utf8',
    maxBuffer: 1 << 30,
  });
  if (status !== 0) throw new Error(`python failed: ${stderr}`);
  return stdout;
}

/** numpy as a live oracle, where python3 with numpy is at hand; tests that need it say when they are skipped. */
import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../../src/package-root.js';

/** The interpreter that has numpy, or undefined. HYPERSLAB_TEST_PYTHON names one. */
export const PYTHON: string | undefined = [process.env['HYPERSLAB_TEST_PYTHON'], 'python3'].find(
  candidate =>
    candidate !== undefined && spawnSync(candidate, ['-c', 'import numpy'], { stdio: 'ignore' }).status === 0,
);

export const NO_NUMPY = 'python3 with numpy is not here';

/** Why a test that compares with another library of Python is skipped; false where it is not. */
export function withoutModule(name: string): string | false {
  if (PYTHON === undefined) return NO_NUMPY;
  const { status } = spawnSync(PYTHON, ['-c', `import ${name}`], { stdio: 'ignore' });
  return status !== 0 && `python3 with ${name} is not here`;
}

/** The path of a program that is named by its place under test/. */
export function pythonProgram(name: string): string {
  return join(PACKAGE_ROOT, 'test', name);
}

/** Runs a program of test/ with arguments and returns what it prints. */
export function runPython(name: string, args: readonly string[] = [], input?: string): string {
  // Without -B, modules would leave their bytecode in the tree.
  const { status, stdout, stderr } = spawnSync(PYTHON!, ['-B', pythonProgram(name), ...args], {
    input,
    encoding: 'utf8',
    maxBuffer: 1 << 30,
  });
  if (status !== 0) throw new Error(`${name} failed: ${stderr}`);
  return stdout;
}

/** The same while this process goes on: the program may call a service in it. */
export async function runPythonBeside(name: string, args: readonly string[]): Promise<string> {
  const options = { maxBuffer: 1 << 30 };
  return (await promisify(execFile)(PYTHON!, ['-B', pythonProgram(name), ...args], options)).stdout;
}

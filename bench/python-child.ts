/** A Python program of a bench: it answers each line that it reads with one, after a line that says that it is ready. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { PACKAGE_ROOT } from '../src/package-root.js';

export const PYTHON = process.env['HYPERSLAB_BENCH_PYTHON'] || 'python3';

export interface PythonChild {
  /** The numbers of its answer. */
  ask(line: string): Promise<number[]>;
  stop(): Promise<void>;
}

/** @param program relative to the package */
export async function startPython(program: string, args: readonly string[]): Promise<PythonChild> {
  const child = spawn(PYTHON, ['-B', path.join(PACKAGE_ROOT, program), ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => {
    const { done, value } = await lines.next();
    if (done) throw new Error(`${program} ${args.join(' ')} ended`);
    return value;
  };
  await next();
  return {
    async ask(line) {
      child.stdin.write(`${line}\n`);
      return (await next()).split(' ').map(Number);
    },
    async stop() {
      if (child.exitCode !== null) return;
      child.stdin.end();
      await once(child, 'exit');
    },
  };
}

export function hasPython(...modules: string[]): boolean {
  return spawnSync(PYTHON, ['-c', `import ${modules.join(', ')}`]).status === 0;
}

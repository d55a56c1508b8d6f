/**
 * Runs a test program and counts what it printed. Each runs in a process group of its own, of which nothing is left when
 * the program has ended, has taken too long, or is given up because this process is told to end.
 */
import { spawn } from 'node:child_process';
import { ROOT } from './bootstrap.mjs';
import { tapCounter } from './tap-counter.mjs';

const running = new Set();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    for (const child of running) killGroup(child);
    process.exit(1);
  });
}

/**
 * Runs `program` with Node in `folder`; the tests in it have `secondsMax` each, and all of it a little longer.
 * @returns what `tapCounter` found, how many seconds it took, and all that was printed. A program that died, or printed
 *   no result, has a failure.
 */
export async function runProgram(program, { folder = ROOT, env = {}, secondsMax }) {
  const started = Date.now();
  const child = spawn(process.execPath, ['--enable-source-maps', program], {
    cwd: folder,
    env: { ...process.env, TAP_TIMEOUT: String(secondsMax), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  running.add(child);
  const timer = setTimeout(() => killGroup(child), (secondsMax + 30) * 1000);
  const output = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => output.push(chunk));
  const status = await new Promise(resolve => {
    child.on('error', () => resolve(-1));
    child.on('exit', () => killGroup(child));
    child.on('close', (code, signal) => resolve(signal ?? code));
  });
  running.delete(child);
  clearTimeout(timer);
  const text = Buffer.concat(output).toString();
  const result = tapCounter(text);
  if (status !== 0 && result.fail === 0) {
    result.fail = 1;
    result.failed.push(`the test ended with ${status}`);
  }
  return { ...result, seconds: (Date.now() - started) / 1000, output: text };
}

function killGroup({ pid }) {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // All of it has ended.
  }
}

/**
 * Preloaded into a server (`--import`), it measures the steps of the event loop and writes each that takes longer than
 * NOTED_MS to the file HYPERSLAB_TEST_STEPS, as a line `endedMs tookMs`. The time in which the machine had no processor
 * for the thread is left out, so that a busy machine changes little.
 */
import fs from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const NOTED_MS = 5;
const file = process.env['HYPERSLAB_TEST_STEPS'];

if (isMainThread && file !== undefined) {
  const schedule = fs.openSync('/proc/self/schedstat', 'r');
  const buffer = Buffer.alloc(128);
  /** Milliseconds in which the main thread wanted a processor. */
  const waitedMs = (): number =>
    Number(buffer.toString('latin1', 0, fs.readSync(schedule, buffer, 0, 128, 0)).split(' ')[1]) / 1e6;
  let lastMs = performance.now();
  let lastWaitedMs = waitedMs();
  const look = (): void => {
    const nowMs = performance.now();
    const nowWaitedMs = waitedMs();
    const tookMs = nowMs - lastMs - (nowWaitedMs - lastWaitedMs);
    if (tookMs > NOTED_MS) fs.appendFileSync(file, `${Date.now()} ${tookMs.toFixed(1)}\n`);
    lastMs = performance.now();
    lastWaitedMs = nowWaitedMs;
    setTimeout(look, 1).unref();
  };
  setTimeout(look, 1).unref();
}

/**
 * `npm start`: installs and builds what is needed, then runs the server under a small supervisor. A touch of a page
 * that was truncated away kills a process that maps files (SIGBUS); here it comes back by itself and replays its
 * journals. An exit by its own decision is final, and so is a signal passed on from outside.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureBuilt, ensureInstalled, ROOT } from './bootstrap.mjs';

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const CRASHES = ['SIGBUS', 'SIGSEGV', 'SIGABRT', 'SIGKILL'];
const BACKOFF_MIN_MS = 100;
const BACKOFF_MAX_MS = 10_000;
/** A server that lived this long was healthy: the next crash starts again at the shortest wait. */
const HEALTHY_MS = 60_000;
/** Ctrl-C arrives twice, from the terminal and from npm. Later repeats are a person insisting, and are passed on. */
const REPEAT_MS = 1_000;
const PARENT_CHECK_MS = 500;
/** A build that was broken on purpose takes its place in a test. */
const SERVER = process.env.HYPERSLAB_TEST_SERVER ?? join('dist', 'src', 'server.js');

/** Taken before the installation, which takes long enough for somebody to kill npm. */
const PARENT = process.ppid;

ensureInstalled();
ensureBuilt();

const env = {
  HYPERSLAB_DEMO: 'auto',
  // Slow syncs must not starve reads: both run on libuv's pool, which has four threads by default.
  UV_THREADPOOL_SIZE: '16',
  ...process.env,
};
/** The running server, between crashes undefined. */
let server;
let stoppedAt;
const stopped = new AbortController();

for (const signal of FORWARDED) process.on(signal, () => stop(signal));
if (process.env.npm_lifecycle_event === 'start') stopWithNpm();

for (let backoffMs = BACKOFF_MIN_MS; ; backoffMs = Math.min(backoffMs * 2, BACKOFF_MAX_MS)) {
  const startedAt = Date.now();
  const { code, signal } = await runServer();
  if (stoppedAt !== undefined || !CRASHES.includes(signal)) process.exit(code ?? 128 + constants.signals[signal]);
  if (Date.now() - startedAt >= HEALTHY_MS) backoffMs = BACKOFF_MIN_MS;
  console.error(`hyperslab: the server died of ${signal}; starting it again in ${backoffMs / 1000} s`);
  await sleep(backoffMs, undefined, { signal: stopped.signal }).catch(() => process.exit(0));
}

function runServer() {
  const tether = new URL('tether.mjs', import.meta.url).href;
  server = spawn(process.execPath, ['--import', tether, SERVER, ...process.argv.slice(2)], {
    cwd: ROOT,
    env,
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    detached: true,
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('exit', (code, signal) => {
      server = undefined;
      resolve({ code, signal });
    });
  });
}

/** Whoever kills `npm start` outright means the service; being given another parent is all that is seen of it. */
function stopWithNpm() {
  const timer = setInterval(() => {
    if (process.ppid === PARENT) return;
    clearInterval(timer);
    stop('SIGTERM');
  }, PARENT_CHECK_MS);
}

function stop(signal) {
  const now = Date.now();
  if (stoppedAt !== undefined && now - stoppedAt < REPEAT_MS) return;
  stoppedAt = now;
  server?.kill(signal);
  stopped.abort();
}

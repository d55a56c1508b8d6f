/**
 * Runs the server as a child. A touch of a page that was truncated away kills a process that maps files (SIGBUS); here it
 * comes back by itself and replays its journals. An exit by its own decision is final, and its status is passed on; so is
 * a signal from outside. A server that dies again and again before it serves is given up.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { SERVER } from '../package-root.js';
import { GRACE_MS } from './endings.js';
import { say } from './say.js';

export interface Supervised {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The process that started this one, where starting took a while. */
  readonly parent?: number;
}

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const CRASHES = ['SIGBUS', 'SIGSEGV', 'SIGABRT', 'SIGKILL'];
const BACKOFF_MIN_MS = 100;
const BACKOFF_MAX_MS = 10_000;
/** A server that lived this long was healthy: the next crash starts again at the shortest wait. */
const HEALTHY_MS = 60_000;
/** Deaths in a row before a server ever listened: what it dies of will not go away. */
const FRUITLESS_MAX = 5;
/** A server that does not end within its own time is stuck. */
const STUCK_MS = GRACE_MS + 5000;
const PARENT_CHECK_MS = 500;

interface End {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly hasListened: boolean;
}

/** Runs servers until one ends for good, and returns the exit status. */
export async function supervise({ args, env, parent = process.ppid }: Supervised): Promise<number> {
  /** The running server, between crashes undefined. */
  let child: ChildProcess | undefined;
  const stopped = new AbortController();
  for (const signal of FORWARDED) process.on(signal, () => pass(signal));
  // Whoever kills npm outright means the service.
  if (['start', 'npx'].includes(env['npm_lifecycle_event'] ?? '')) whenOrphaned(parent, () => pass('SIGTERM'));
  let backoffMs = BACKOFF_MIN_MS;
  for (let fruitless = 0; ; backoffMs = Math.min(backoffMs * 2, BACKOFF_MAX_MS)) {
    const startedAt = Date.now();
    child = startServer(args, env);
    // oxlint-disable-next-line no-await-in-loop
    const { code, signal, hasListened } = await endOf(child);
    child = undefined;
    if (code !== null) return code;
    if (stopped.signal.aborted || !CRASHES.includes(signal!)) return 128 + constants.signals[signal!];
    fruitless = hasListened ? 0 : fruitless + 1;
    if (fruitless === FRUITLESS_MAX) {
      say(
        `The server died of ${signal} ${FRUITLESS_MAX} times before it listened, and is given up. Its log above says how far it came.`,
      );
      return 1;
    }
    if (Date.now() - startedAt >= HEALTHY_MS) backoffMs = BACKOFF_MIN_MS;
    say(`hyperslab: the server died of ${signal}; starting it again in ${backoffMs / 1000} s`);
    // oxlint-disable-next-line no-await-in-loop
    await sleep(backoffMs, undefined, { signal: stopped.signal }).catch(() => undefined);
    if (stopped.signal.aborted) return 0;
  }

  /** SIGHUP is for the server alone; the others end what there is. */
  function pass(signal: NodeJS.Signals): void {
    child?.kill(signal);
    if (signal === 'SIGHUP' || stopped.signal.aborted) return;
    stopped.abort();
    setTimeout(() => {
      say(
        `The server did not end within ${STUCK_MS / 1000} s and is killed. What was acknowledged is safe; the next start replays the journals.`,
      );
      child?.kill('SIGKILL');
    }, STUCK_MS).unref();
  }
}

function startServer(args: readonly string[], env: Supervised['env']): ChildProcess {
  return spawn(process.execPath, [SERVER, ...args], {
    // Slow syncs must not starve reads: both run on libuv's pool, which has four threads by default.
    env: { UV_THREADPOOL_SIZE: '16', ...env },
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    detached: true,
  });
}

function endOf(child: ChildProcess): Promise<End> {
  let hasListened = false;
  child.on('message', () => (hasListened = true));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve({ code, signal, hasListened }));
  });
}

/** Being given another parent is all that is seen of the death of the first one. */
function whenOrphaned(parent: number, then: () => void): void {
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    then();
  }, PARENT_CHECK_MS);
}

/**
 * How the process ends, and what SIGHUP does instead. A first SIGTERM or SIGINT closes in good order; more of SIGTERM
 * change nothing, since orchestrators repeat themselves; a later SIGINT is a person who insists.
 */
import { isatty } from 'node:tty';
import closeWithGrace from 'close-with-grace';
import type { FastifyBaseLogger } from 'fastify';
import { say, sentenceOf } from './say.js';

/** Time that closing gets: answers under way the first part of it, then files that are to be brought up to date. */
export const GRACE_MS = 4500;
/** Ctrl-C arrives twice where a program between passes on what the terminal sends to all: later ones are a person. */
const REPEAT_MS = 1000;

// A handler for these would run the faulting instruction again, for ever: the process must die of them.
const FATAL_SIGNALS: closeWithGrace.AllEvents[] = ['SIGBUS', 'SIGFPE', 'SIGILL', 'SIGSEGV', 'SIGABRT', 'SIGTRAP'];
const OWN: closeWithGrace.AllEvents[] = ['SIGTERM', 'SIGINT', 'SIGHUP', 'beforeExit'];

/** A service that is there to be closed. */
export interface Running {
  readonly log: FastifyBaseLogger;
  close(): Promise<void>;
  /** Reads again what may be replaced while the service runs. */
  reload(): Promise<void>;
  /** Requests that are not answered yet. */
  underWay(): number;
}

/** Takes the signals from now on; what is returned is told once there is a service to close. */
export function takeSignals(): (running: Running) => void {
  let running: Running | undefined;
  let endedAt: number | undefined;
  let hasFailed = false;
  const hadTerminal = isatty(2);
  const ending = closeWithGrace(
    {
      delay: GRACE_MS,
      logger: null,
      skip: [...FATAL_SIGNALS, ...OWN],
      onTimeout: delay => {
        say(
          `Closing took longer than ${delay / 1000} s and was given up: ${running?.underWay() ?? 0} requests were cut. What was acknowledged is safe; the next start replays the journals.`,
        );
        // In good order: what is left to do is what every start does.
        process.exit(hasFailed ? 1 : 0);
      },
      onSecondError: error => say(sentenceOf(error)),
    },
    async ({ err: error }) => {
      if (error) {
        hasFailed = true;
        running?.log.fatal({ err: error }, 'closing after an error');
        say(sentenceOf(error));
      }
      try {
        await running?.close();
      } catch (fault) {
        say(`Closing failed. ${sentenceOf(fault)}`);
        throw fault;
      }
    },
  );
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => end(signal));
  process.on('SIGHUP', () => {
    // A terminal that is closed says so with the same signal.
    if (hadTerminal && !isatty(2)) end('SIGHUP');
    else if (running) void running.reload();
  });
  if (process.channel) endWithSupervisor(() => end('SIGTERM'));
  return service => (running = service);

  function end(signal: NodeJS.Signals): void {
    const now = Date.now();
    if (endedAt === undefined) {
      endedAt = now;
      running?.log.info({ signal }, 'closing');
      ending.close();
    } else if (signal === 'SIGINT' && now - endedAt > REPEAT_MS) {
      say(`Ended at once, as a second SIGINT asks: ${running?.underWay() ?? 0} requests were cut.`);
      process.exit(1);
    } else running?.log.info({ signal }, 'closing already');
  }
}

/**
 * A supervised server is in a process group of its own, so that a terminal's Ctrl-C reaches it once; it ends in good
 * order when its supervisor is killed outright.
 */
function endWithSupervisor(end: () => void): void {
  process.once('disconnect', end);
  // Waiting for the supervisor must not keep alive a server that has nothing left to do.
  process.channel?.unref();
}

/**
 * A clock for bounds of time on machines that have other work: milliseconds as this process has them, in steps of 10 that
 * its event loop came to. Where processes wait for a processor it goes more slowly than the clock on the wall, and never
 * faster; a service that waits for nothing but itself is as late by it as by the other.
 */
import type { Test } from 'tap';

const STEP_MS = 10;

export function loopClock(t: Pick<Test, 'teardown'>): { readonly ms: number } {
  const clock = { ms: 0 };
  const timer = setInterval(() => (clock.ms += STEP_MS), STEP_MS).unref();
  t.teardown(() => clearInterval(timer));
  return clock;
}

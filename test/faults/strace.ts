/**
 * A running process under strace, which lets chosen system calls fail and notes when each began and ended. Needs the
 * right to trace. Hazard: strace counts calls per thread, so "the third fdatasync" needs a thread pool of one.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { eventually } from '../system/calls.js';

export interface TracedCall {
  readonly name: string;
  /** Of the descriptor that the call names first, where it has one. */
  readonly path: string;
  /** Milliseconds of the machine's clock, like Date.now(). */
  readonly startMs: number;
  readonly endMs: number;
  readonly ok: boolean;
  readonly injected: boolean;
}

export interface Trace {
  /** Calls that have ended so far. */
  calls(): TracedCall[];
  /** Resolves when strace has ended, which it does behind the process that it follows, or when asked to let go. */
  ended(): Promise<void>;
  /** Lets the process run on without it. */
  detach(): Promise<void>;
}

const ATTACH_MS_MAX = 10_000;

/** `inject` is strace's, such as `fdatasync:error=EIO:when=3`. Resolves when the process is being traced. */
export async function traceProcess(
  pid: number,
  { calls, inject, logFile }: { calls: readonly string[]; inject: readonly string[]; logFile: string },
): Promise<Trace> {
  const args = ['-f', '-q', '-y', '-ttt', '-T', '-o', logFile, '-e', `trace=${calls.join(',')}`];
  const injections = inject.flatMap(each => ['-e', `inject=${each}`]);
  const child = spawn('strace', [...args, ...injections, '-p', String(pid)], { stdio: 'ignore' });
  const exited = once(child, 'exit').then(() => undefined);
  const attached = await eventually(() => isTraced(pid), ATTACH_MS_MAX);
  if (!attached) throw new Error('strace did not attach');
  return {
    calls: () => parseTrace(fs.readFileSync(logFile, 'utf8')),
    ended: () => exited,
    async detach() {
      child.kill('SIGINT');
      await exited;
    },
  };
}

/** True when every thread of the process has a tracer. */
function isTraced(pid: number): boolean {
  const tasks = fs.readdirSync(`/proc/${pid}/task`);
  return tasks.every(task => !/^TracerPid:\s+0$/m.test(fs.readFileSync(`/proc/${pid}/task/${task}/status`, 'utf8')));
}

const WHOLE = /^(\d+) +([\d.]+) (\w+)\((.*)\) += (-?\d+|\?)(.*?)(?: <([\d.]+)>)?$/;
const UNFINISHED = /^(\d+) +([\d.]+) (\w+)\((.*?) *<unfinished \.\.\.>$/;
const RESUMED = /^(\d+) +[\d.]+ <\.\.\. (\w+) resumed>(.*)$/;

export function parseTrace(text: string): TracedCall[] {
  const calls: TracedCall[] = [];
  const pending = new Map<string, string>();
  for (const line of text.split('\n')) {
    const unfinished = UNFINISHED.exec(line);
    if (unfinished) {
      const [, task, at, name, args] = unfinished;
      pending.set(task!, `${task} ${at} ${name}(${args}`);
      continue;
    }
    const resumed = RESUMED.exec(line);
    const whole = WHOLE.exec(resumed ? `${pending.get(resumed[1]!) ?? ''}${resumed[3]}` : line);
    if (!whole) continue;
    const [, , at, name, args, result, note, seconds] = whole;
    const startMs = Number(at) * 1000;
    calls.push({
      name: name!,
      path: /^\d+<([^>]*)>/.exec(args!)?.[1] ?? '',
      startMs,
      endMs: startMs + Number(seconds ?? 0) * 1000,
      ok: Number(result) >= 0,
      injected: note!.includes('INJECTED'),
    });
  }
  return calls;
}

/** A child process that answers lines with lines, both JSON, one at a time. */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { stop } from './servers.js';

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/** Of what a child says on standard error, the end is kept. */
const ERROR_CHARACTERS_MAX = 4000;
const END_MS_MAX = 5000;

export class PipeChild {
  readonly #child: Child;
  readonly #lines: AsyncIterator<string, undefined>;
  #errors = '';

  constructor(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.#child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...env } });
    // What cannot be started, or is gone, has no lines: `read` says so.
    this.#child.on('error', error => (this.#errors += error.message));
    this.#child.stdin.on('error', () => {});
    this.#child.stderr.on('data', (text: Buffer) => {
      this.#errors = (this.#errors + text.toString()).slice(-ERROR_CHARACTERS_MAX);
    });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]() as AsyncIterator<
      string,
      undefined
    >;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** @throws Error with the last line that the child wrote to standard error, when it ended */
  async read<T>(): Promise<T> {
    const line = await this.#lines.next();
    if (line.done) throw new Error(this.#errors.trim().split('\n').at(-1) || 'it ended');
    return JSON.parse(line.value) as T;
  }

  ask<T>(question: unknown): Promise<T> {
    this.#child.stdin.write(`${JSON.stringify(question)}\n`);
    return this.read<T>();
  }

  /** Lets it end by itself, with its own children, when its input does; ends it where it would not. */
  async stop(): Promise<void> {
    if (this.#child.pid === undefined || this.#child.exitCode !== null) return;
    this.#child.stdin.end();
    const ended = once(this.#child, 'exit');
    await Promise.race([ended, sleep(END_MS_MAX, undefined, { ref: false })]);
    await stop(this.#child);
  }
}

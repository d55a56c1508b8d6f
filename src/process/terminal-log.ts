/** Log lines for a person at a terminal, instead of JSON: the time, the level, the message, and `name=value` for the rest. */
import { Writable } from 'node:stream';

const LEVELS: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
};
/** What a line begins with, or what is the same in all of them. */
const LEFT_OUT = new Set(['level', 'time', 'pid', 'hostname', 'msg', 'err']);

/** What the framework says of each address, and the greeting says better. */
const LISTENING = '"msg":"Server listening at ';

interface LogLine {
  readonly level: number;
  readonly time: number;
  readonly msg?: string;
  readonly err?: { readonly message?: string; readonly stack?: string };
  readonly [name: string]: unknown;
}

/** One line for one line of JSON. */
export function lineForPeople(json: string): string {
  const line = JSON.parse(json) as LogLine;
  const time = new Date(line.time).toTimeString().slice(0, 8);
  const values = Object.entries(line)
    .filter(([name, value]) => !LEFT_OUT.has(name) && value !== undefined)
    .map(([name, value]) => `${name}=${textOf(value)}`);
  const error = line.err === undefined ? [] : [`error=${textOf(line.err.message ?? '')}`, frameOf(line.err.stack)];
  return [time, (LEVELS[line.level] ?? '').padEnd(5), line.msg ?? '', ...values, ...error].filter(Boolean).join(' ');
}

/** A stream that a logger writes JSON lines to. */
export function terminalLog(out: NodeJS.WritableStream): Writable {
  return new Writable({
    decodeStrings: false,
    write(chunk: string | Buffer, _encoding, done) {
      const lines = chunk
        .toString()
        .trimEnd()
        .split('\n')
        .filter(line => !line.includes(LISTENING));
      if (lines.length === 0) return done();
      out.write(lines.map(line => `${lineForPeople(line)}\n`).join(''), () => done());
    },
  });
}

/** Plain where that is clear; else as JSON, which leaves no control character for the terminal to obey. */
function textOf(value: unknown): string {
  if (typeof value === 'string' && /^[\w.:/@+-]+$/.test(value)) return value;
  return JSON.stringify(value).replaceAll(/[\u007f-\u009f]/g, each => `\\u00${each.codePointAt(0)!.toString(16)}`);
}

/** Where an error was thrown, for whoever reports it. */
function frameOf(stack = ''): string {
  const frame = /^\s+at (.*)$/m.exec(stack)?.[1];
  return frame === undefined ? '' : `at=${textOf(frame)}`;
}

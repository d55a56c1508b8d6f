/**
 * A disk that fills up at every step in turn: each call is done or is 507 disk_full, nothing in between. After a refusal
 * every byte and every manifest is what it was, also across a kill; when room is free again, everything works at once.
 */
import fs from 'node:fs';
import path from 'node:path';
import t, { type Test } from 'tap';
import { npyOf } from '../helpers/bytes.js';
import { startServer, type TestServer } from '../helpers/server.js';
import { binary, create, describe, json, KiB, MiB, outcome, readRaw } from '../system/calls.js';
import { figure, FULL } from './harness.js';
import { DISK_KINDS, type SmallDisk } from './small-disks.js';

const DISK_BYTES = 32 * MiB;
const PAGE_BYTES = 4 * KiB;
/** Room that is left: with each page more, a call gets one step further. */
const PAGES_LEFT = FULL ? Array.from({ length: 41 }, (_, i) => i) : [0, 1, 3, 8, 24];
/** A start takes its time. */
const PAGES_LEFT_AT_START = FULL ? PAGES_LEFT : [0, 8];
const ROW_BYTES = 64 * KiB;
/** An array that has its room, and one of the disk's size that has none. */
const HELD_ROWS = 64;
const HOLES_ROWS = 512;

class Bench {
  readonly disk: SmallDisk;
  server: TestServer;
  /** What every array and the attributes must be. */
  readonly expected = new Map<string, Buffer>();
  attrs: Readonly<Record<string, unknown>> = {};
  done = 0;
  refused = 0;
  #value = 0;
  #hole = 0;

  constructor(disk: SmallDisk, server: TestServer) {
    this.disk = disk;
    this.server = server;
  }

  /** A byte that is not the one before. */
  nextValue(): number {
    return 1 + (this.#value++ % 255);
  }

  /** A row of the sparse array that nothing was written to. */
  nextHole(): number {
    return 1 + (this.#hole++ % (HOLES_ROWS - 1));
  }

  /** Sends a call that may be refused for lack of room, and for nothing else. */
  async attempt(t: Test, where: string, init: RequestInit): Promise<boolean> {
    const result = await outcome(this.server.fetch(where, init));
    const done = /^2\d\d$/.test(result);
    if (!done && result !== '507 disk_full') t.fail(`${init.method} ${where}: ${result}`);
    if (done) this.done++;
    else this.refused++;
    return done;
  }

  /** Writes one byte value into the part of a row, which the array is expected to hold if that is confirmed. */
  async write(t: Test, name: string, row: number, step = 1): Promise<void> {
    const value = this.nextValue();
    const body = Buffer.alloc(ROW_BYTES / step, value);
    const done = await this.attempt(t, `/v1/datasets/${name}/data?slice=${row},::${step}`, binary('PUT', body));
    if (done) put(this.expected.get(name)!, row, step, value);
  }

  /** Everything is what it must be. */
  async verify(t: Test, when: string): Promise<void> {
    const faults: string[] = [];
    for (const [name, bytes] of this.expected) {
      const found = await readRaw(this.server, name);
      if (found.equals(bytes)) continue;
      const at = found.findIndex((each, i) => each !== bytes[i]);
      faults.push(`${name} has ${found[at]} in place of ${bytes[at]} at ${at}`);
      // Each fault is told once.
      found.copy(bytes);
    }
    t.strictSame(faults, [], `all bytes are what was confirmed, ${when}`);
    t.strictSame((await describe(this.server, 'held')).attrs, this.attrs, 'so is the manifest');
    t.equal(await outcome(this.server.fetch('/healthz')), '200');
  }

  files(): string[] {
    return ['arrays', 'catalog'].flatMap(each => fs.readdirSync(path.join(this.disk.folder, each)).sort());
  }
}

function put(into: Buffer, row: number, step: number, value: number): void {
  for (let at = row * ROW_BYTES; at < (row + 1) * ROW_BYTES; at += step) into[at] = value;
}

const START = 'a kill, and a start on the full disk';

/** Each is run with every number of pages left. */
const STEPS: Readonly<Record<string, (t: Test, bench: Bench) => Promise<void>>> = {
  'a write into room that is held': async (t, bench) => {
    for (const step of [1, 2]) await bench.write(t, 'held', bench.nextValue() % HELD_ROWS, step);
  },

  'a batch': async (t, bench) => {
    const value = bench.nextValue();
    const hole = bench.nextHole();
    const writes = [
      { slice: '3', data: value },
      { slice: String(hole), data: value },
      { slice: '5,::2', data: value },
    ];
    const done = await bench.attempt(t, '/v1/datasets/holes/writes', json('POST', { writes }));
    if (!done) return;
    for (const row of [3, hole]) put(bench.expected.get('holes')!, row, 1, value);
    put(bench.expected.get('holes')!, 5, 2, value);
  },

  'a write into a hole': async (t, bench) => {
    for (const step of [1, 2]) await bench.write(t, 'holes', bench.nextHole(), step);
  },

  'a write with durability none into a hole': async (t, bench) => {
    const [value, row] = [bench.nextValue(), bench.nextHole()];
    const where = `/v1/datasets/holes/data?slice=${row}&durability=none`;
    const done = await bench.attempt(t, where, binary('PUT', Buffer.alloc(ROW_BYTES, value)));
    // Refused half way, it is not undone: each byte is the old one or the new one.
    const [found, before] = [await readRaw(bench.server, 'holes', String(row)), rowOf(bench, row)];
    const strange = found.some((each, i) => each !== value && (done || each !== before[i]));
    t.notOk(strange, 'each byte is one of the two');
    found.copy(before);
    await bench.attempt(t, '/v1/datasets/holes/flush', { method: 'POST' });
  },

  'creating an array': async (t, bench) => {
    const before = bench.files();
    for (const more of [{}, { fill: 7 }, { sparse: true }]) {
      const request = { name: 'new', dtype: '|u1', shape: [2 * PAGE_BYTES], ...more };
      const done = await bench.attempt(t, '/v1/datasets', json('POST', request));
      const there = await outcome(bench.server.fetch('/v1/datasets/new'));
      t.equal(there, done ? '200' : '404 unknown_dataset');
      const remove = bench.server.fetch('/v1/datasets/new?data=delete', { method: 'DELETE' });
      if (done) t.equal(await outcome(remove), '204', 'what is made can be deleted');
      t.strictSame(bench.files(), before, 'nothing is left behind');
    }
  },

  'importing, and replacing by an import': async (t, bench) => {
    const before = bench.files();
    for (const length of [PAGE_BYTES, 4 * PAGE_BYTES]) {
      const data = Buffer.alloc(length, bench.nextValue());
      const body = binary('PUT', npyOf('|u1', [data.byteLength], data), 'application/x-npy');
      if (await bench.attempt(t, '/v1/datasets/imported?overwrite=true', body)) bench.expected.set('imported', data);
      t.equal(bench.files().length, before.length, 'no file more or less');
    }
  },

  'changing a manifest': async (t, bench) => {
    for (const length of [10, 20_000]) {
      const attrs = { text: String(bench.nextValue()).padEnd(length, '.') };
      if (await bench.attempt(t, '/v1/datasets/held', json('PATCH', { attrs }))) bench.attrs = attrs;
    }
  },

  [START]: async (t, bench) => {
    await bench.write(t, 'held', 1);
    await bench.server.stop('SIGKILL');
    bench.server = await startServer({ dataDir: bench.disk.folder });
    await bench.verify(t, 'after the start');
    await bench.write(t, 'held', 2);
    await bench.write(t, 'holes', bench.nextHole());
  },
};

function rowOf({ expected }: Bench, row: number): Buffer {
  return expected.get('holes')!.subarray(row * ROW_BYTES, (row + 1) * ROW_BYTES);
}

for (const kind of DISK_KINDS) {
  t.test(kind.title, { skip: kind.skip }, async t => {
    const disk = kind.mount(DISK_BYTES);
    const bench = new Bench(disk, await startServer({ dataDir: disk.folder }));
    t.teardown(async () => {
      await bench.server.stop('SIGKILL');
      disk.unmount();
    });
    await prepare(bench);
    for (const [title, step] of Object.entries(STEPS)) {
      await t.test(title, async t => {
        for (const pages of title === START ? PAGES_LEFT_AT_START : PAGES_LEFT) {
          disk.leave(pages * PAGE_BYTES);
          await step(t, bench);
          await bench.verify(t, `with ${pages} pages left`);
        }
        disk.free();
        await worksAgain(t, bench);
      });
    }
    t.ok(bench.refused > 0, 'the disk was full');
    figure(t, `${kind.title}: calls answered 507, everything as before`, bench.refused);
    figure(t, `${kind.title}: calls done in the last pages`, bench.done);
  });
}

async function prepare(bench: Bench): Promise<void> {
  const { server, expected } = bench;
  await create(server, { name: 'held', dtype: '|u1', shape: [HELD_ROWS, ROW_BYTES] });
  await create(server, { name: 'holes', dtype: '|u1', shape: [HOLES_ROWS, ROW_BYTES], sparse: true });
  expected.set('held', Buffer.alloc(HELD_ROWS * ROW_BYTES));
  expected.set('holes', Buffer.alloc(HOLES_ROWS * ROW_BYTES));
  const imported = await server.fetch(
    '/v1/datasets/imported',
    binary('PUT', npyOf('|u1', [PAGE_BYTES], Buffer.alloc(PAGE_BYTES, 1)), 'application/x-npy'),
  );
  if (imported.status !== 201) throw new Error(await imported.text());
  await imported.text();
  expected.set('imported', Buffer.alloc(PAGE_BYTES, 1));
}

/** With room, and with no restart. */
async function worksAgain(t: Test, bench: Bench): Promise<void> {
  const { refused } = bench;
  await bench.write(t, 'held', 0);
  await bench.write(t, 'holes', 0);
  const attrs = { text: String(bench.nextValue()) };
  if (await bench.attempt(t, '/v1/datasets/held', json('PATCH', { attrs }))) bench.attrs = attrs;
  await bench.attempt(t, '/v1/datasets', json('POST', { name: 'again', dtype: '|u1', shape: [10] }));
  await bench.attempt(t, '/v1/datasets/again?data=delete', { method: 'DELETE' });
  for (const name of ['held', 'holes']) await bench.attempt(t, `/v1/datasets/${name}/flush`, { method: 'POST' });
  t.equal(bench.refused, refused, 'with room again, nothing is refused');
  await bench.verify(t, 'with room again');
}

/** Files mapped into a memory of our own: what is kept, what gives way, and what is never touched. */
import fs from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { Arena } from '../../src/file/arena.js';
import { libc } from '../../src/file/libc.js';
import { LIMITS } from '../../src/limits.js';
import { temporaryFolder } from '../helpers/server.js';

const MiB = 2 ** 20;
const SKIP = libc() ? false : 'needs koffi, to map files into memory';
const STEP = LIMITS.keptWindowBytes - LIMITS.tileSpanBytesMax;
const folder = temporaryFolder();
t.teardown(() => fs.rmSync(folder, { recursive: true }));

/** A sparse file with a byte of its own at every MiB. */
function newFile(name: string, bytes: number): number {
  const fd = fs.openSync(path.join(folder, name), 'w+');
  fs.ftruncateSync(fd, bytes);
  for (let at = 0; at < bytes; at += MiB) fs.writeSync(fd, Uint8Array.of(1 + ((at / MiB) % 251)), 0, 1, at);
  t.teardown(() => fs.closeSync(fd));
  return fd;
}

/** Reads what shall be in memory into the page cache. */
function warm(fd: number, start: number, length: number): void {
  fs.readSync(fd, new Uint8Array(length), 0, length, start);
}

function memoryOf(slots: number): { bytes: Uint8Array; arena: Arena } {
  const memory = new WebAssembly.Memory({ initial: slots * 4096 + 3, maximum: slots * 4096 + 3 });
  return { bytes: new Uint8Array(memory.buffer), arena: Arena.over(memory.buffer, 2 * 64 * 1024)! };
}

t.test('what a second walk asks for is mapped, and shows the file as it is', { skip: SKIP }, async t => {
  const fd = newFile('one', 20 * MiB);
  const { bytes, arena } = memoryOf(1);
  const file = { fd, keptAs: 'one' };
  warm(fd, 0, 20 * MiB);
  t.equal(arena.find(file, MiB, 2 * MiB, 1), undefined, 'once');
  t.equal(arena.find(file, 3 * MiB, 4 * MiB, 1), undefined, 'the same walk');
  const ptr = arena.find(file, MiB, 3 * MiB, 2)!;
  t.strictSame([bytes[ptr], bytes[ptr + 1], bytes[ptr + MiB]], [2, 0, 3]);
  fs.writeSync(fd, 'new', MiB + 5);
  t.equal(Buffer.from(bytes.subarray(ptr + 5, ptr + 8)).toString(), 'new');
  t.equal(arena.windows, 1);
  arena.forget('another');
  t.equal(arena.windows, 1);
  arena.forget('one');
  t.equal(arena.windows, 0);
  t.ok(
    bytes.subarray(ptr, ptr + 64).every(byte => byte === 0),
    'empty memory stands in its place',
  );
  t.equal(arena.find(file, MiB, 3 * MiB, 3), undefined, 'forgotten wholly');
});

t.test('pages that are not in memory are left to be read', { skip: SKIP }, async t => {
  const fd = newFile('cold', 4 * MiB);
  fs.ftruncateSync(fd, 8 * MiB);
  const { arena } = memoryOf(1);
  const file = { fd, keptAs: 'cold' };
  warm(fd, 0, 4 * MiB);
  arena.find(file, 0, MiB, 1);
  t.type(arena.find(file, 0, MiB, 2), 'number');
  t.equal(arena.find(file, 6 * MiB, 7 * MiB, 2), undefined, 'a hole has no pages yet');
  t.equal(arena.find(file, 7 * MiB, 9 * MiB, 2), undefined, 'the file ends before');
});

t.test('every tile lies in one window, and a window in use gives way to nobody', { skip: SKIP }, async t => {
  const fd = newFile('long', 2 * STEP + 20 * MiB);
  const { bytes, arena } = memoryOf(2);
  const file = { fd, keptAs: 'long' };
  const tile = LIMITS.tileSpanBytesMax;
  for (const start of [STEP - MiB, 2 * STEP - MiB]) {
    warm(fd, start, tile);
    arena.find(file, start, start + tile, 1);
  }
  for (const start of [STEP - MiB, 2 * STEP - MiB]) {
    const ptr = arena.find(file, start, start + tile, 2)!;
    t.equal(bytes[ptr], 1 + ((start / MiB) % 251), 'across the end of a step');
  }
  t.equal(arena.windows, 2);
  warm(fd, 2 * STEP, MiB);
  arena.find(file, 2 * STEP, 2 * STEP + MiB, 1);
  t.equal(arena.find(file, 2 * STEP, 2 * STEP + MiB, 2), undefined);
  t.equal(arena.windows, 2);
});

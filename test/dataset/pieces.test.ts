/** Answers in pieces: their sizes, how they end when they are given up, and when their memory is free again. */
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import t from 'tap';
import { returnBuffer, takeBuffer } from '../../src/dataset/buffers.js';
import type { OffLoop } from '../../src/dataset/off-loop.js';
import { openPieces, type PieceReader } from '../../src/dataset/pieces.js';
import { gatherView } from '../../src/jobs/tasks.js';
import { FileState } from '../../src/file/file-state.js';
import { PlainFile, type OpenFile } from '../../src/file/open-file.js';
import { tellReaders } from '../../src/file/tell-readers.js';
import { packedView, type View } from '../../src/layout/view.js';
import { temporaryFolder } from '../helpers/server.js';
import { packedBytes } from '../layout/model.js';

const MiB = 1024 * 1024;
const folder = temporaryFolder();
const content = randomBytes(4 * MiB);
const realPath = path.join(folder, 'file.raw');
fs.writeFileSync(realPath, content);
const fd = fs.openSync(realPath, 'r+');
t.teardown(() => {
  fs.closeSync(fd);
  fs.rmSync(folder, { recursive: true });
});

/** Every other item of 4 KiB. */
const STRIDED: View = { shape: [512, 1024], strides: [8192, 4], offset: 0 };
const WHOLE = packedView([MiB], 4, 'C', 0);

function newFile(): OpenFile {
  return new PlainFile({ fd, realPath, writable: true, state: new FileState('f'), backend: undefined });
}

const inThisThread: OffLoop = {
  client: undefined,
  gather: async (source, view, itemsize, out) => {
    for (let done: number | undefined = 0; done !== undefined;) {
      done = gatherView({ source, view, itemsize, out, done });
    }
  },
  convert: (): never => t.fail('is not converted') as never,
  scatter: (): never => t.fail('is not written') as never,
  arrange: (): never => t.fail('is not written') as never,
  hold: (): never => t.fail('is not written') as never,
};

function open(file: OpenFile, view: View, offLoop = inThisThread): Promise<PieceReader> {
  return file.state.lock.withRead(() => openPieces(file, view, 4, offLoop, { inPlace: false }));
}

t.test('pieces have the sizes that are asked for, and together the bytes of the view', async t => {
  const file = newFile();
  for (const view of [WHOLE, STRIDED, packedView([1000], 4, 'C', 8), packedView([0], 4, 'C', 8)]) {
    const pieces = await open(file, view);
    const parts: Buffer[] = [];
    for (let asked = 100; ; asked *= 2) {
      // oxlint-disable-next-line no-await-in-loop
      const piece = await pieces.next(asked);
      if (!piece) break;
      if (piece.byteLength > Math.min(asked, MiB) || piece.byteLength % 4 !== 0) t.fail(`${asked} were asked for`);
      parts.push(Buffer.from(piece));
    }
    pieces.close();
    t.ok(Buffer.concat(parts).equals(packedBytes(content, view, 4)), `${parts.length} pieces`);
  }
  t.ok(file.state.preImages.isIdle);
  t.ok(file.isIdle);
});

t.test('memory that a worker is still filling is not given to another answer', async t => {
  const file = newFile();
  let filled: Uint8Array | undefined;
  let finish = (): void => {};
  const pieces = await open(file, STRIDED, {
    ...inThisThread,
    gather: (_source, _view, _itemsize, out) => {
      filled = out;
      return new Promise(resolve => (finish = resolve));
    },
  });
  const reading = pieces.next();
  await nextTurn();
  t.ok(filled, 'the worker has begun');
  pieces.close();
  await nextTurn();
  t.notOk(isFree(filled!), 'not while it works');
  t.notOk(file.isIdle, 'nor is the file closed');
  finish();
  await reading;
  await nextTurn();
  t.ok(isFree(filled!), 'afterwards it is');
  t.ok(file.isIdle);

  /** What was given back last is taken first. */
  function isFree(memory: Uint8Array): boolean {
    const taken = takeBuffer();
    returnBuffer(taken);
    return taken.buffer === memory.buffer;
  }
});

t.test('a reader that is cut while it waits behind a long write is told at once', async t => {
  const file = newFile();
  const { state } = file;
  const pieces = await open(file, WHOLE);
  t.ok(await pieces.next(1000));
  let cuts = 0;
  pieces.onChange(() => cuts++);
  await state.lock.withWrite(async () => {
    state.bulkLoading = true;
    state.writesStarted++;
    const waiting = t.rejects(pieces.next(1000), { code: 'busy_writing' });
    await tellReaders(file, packedView([1], 4, 'C', 0), 4);
    await waiting;
    state.bulkLoading = false;
  });
  t.equal(cuts, 1);
  await t.rejects(pieces.next(1000), { code: 'busy_writing' }, 'and stays cut');
  pieces.close();
  pieces.close();
  await nextTurn();
  t.ok(file.isIdle);
});

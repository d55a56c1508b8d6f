import { randomBytes } from 'node:crypto';
import t from 'tap';
import { partsOf } from '../../src/file/change.js';
import { scatter } from '../../src/layout/scatter.js';
import { broadcastTo } from '../../src/layout/select.js';
import { packedView, sizeOf, type View } from '../../src/layout/view.js';
import { seededRandom } from '../helpers/random.js';
import { MiB } from '../system/calls.js';
import { offsetsOf, randomView } from './model.js';

/** Assigns element by element. */
function modelScatter(file: Buffer, target: View, itemsize: number, bytes: Buffer, source: View): void {
  const from = offsetsOf(source);
  offsetsOf(target).forEach((offset, i) => bytes.copy(file, offset, from[i], from[i]! + itemsize));
}

/** A file in memory that notices writes of other bytes than it is told. */
function fileOf(bytes: Buffer, isOwn: (offset: number) => boolean = () => true) {
  const file = {
    bytes,
    isOutside: false,
    calls: [] as number[],
    alter: (offset: number, length: number, change: (span: Uint8Array) => void): boolean => {
      const span = Buffer.from(bytes.subarray(offset, offset + length));
      change(span);
      file.write(offset, span);
      return true;
    },
    write: (offset: number, run: Uint8Array): void => {
      for (let i = 0; i < run.byteLength; i++) file.isOutside ||= !isOwn(offset + i);
      file.calls.push(run.byteLength);
      bytes.set(run, offset);
    },
  };
  return file;
}

t.test('1,500 random targets receive what the model gives them, and no other byte is written', async t => {
  const faults: string[] = [];
  const random = seededRandom(2);
  for (let i = 0; i < 1500; i++) {
    const itemsize = random.pick([1, 2, 4, 8]);
    const { view: target, fileBytes } = randomView(random, itemsize);
    // Any source that broadcasts: some axes of length one, leading axes missing, C or F order.
    const kept = target.shape.map(length => (random.next() < 0.2 ? 1 : length)).slice(random.next() < 0.2 ? 1 : 0);
    const packed = packedView(kept, itemsize, random.pick(['C', 'F'] as const), 0);
    const source = broadcastTo(packed, target.shape)!;
    const bytes = randomBytes(Math.max(itemsize, sizeOf(kept) * itemsize));
    const before = randomBytes(fileBytes);
    const expected = Buffer.from(before);
    modelScatter(expected, target, itemsize, bytes, source);
    const where = `case ${i}: ${JSON.stringify({ target, source, itemsize })}`;
    const own = new Set(
      offsetsOf(target).flatMap(offset => Array.from({ length: itemsize }, (_, byte) => offset + byte)),
    );
    const exact = fileOf(Buffer.from(before), offset => own.has(offset));
    scatter({ target, source }, itemsize, bytes, { write: exact.write });
    if (!exact.bytes.equals(expected) || exact.isOutside) faults.push(`runs of ${where}`);
    const whole = fileOf(Buffer.from(before));
    scatter({ target, source }, itemsize, bytes, whole);
    if (!whole.bytes.equals(expected)) faults.push(`stretches of ${where}`);
    const parted = fileOf(Buffer.from(before));
    const bytesMax = random.integer(1, 200);
    for (const part of partsOf({ target, source, itemsize, bytes }, bytesMax)) scatter(part, itemsize, bytes, parted);
    if (!parted.bytes.equals(expected)) faults.push(`parts of at most ${bytesMax} of ${where}`);
  }
  t.strictSame(faults.slice(0, 5), [], 'all equal');
});

t.test('a contiguous target is written in runs of a piece, a column item by item', async t => {
  const bytes = Buffer.alloc(MiB);
  const file = fileOf(Buffer.alloc(8 * MiB));
  const calls = (target: View, isAlone: boolean): number[] => {
    file.calls.length = 0;
    const source = broadcastTo(packedView([], 4, 'C', 0), target.shape)!;
    scatter({ target, source }, 4, bytes, isAlone ? file : { write: file.write });
    return file.calls;
  };
  const whole = packedView([1024, 1024], 4, 'C', 16);
  for (const isAlone of [true, false]) t.strictSame(calls(whole, isAlone), [MiB, MiB, MiB, MiB]);
  const column = { shape: [3], strides: [400], offset: 0 };
  t.strictSame(calls(column, false), [4, 4, 4], 'its bytes alone');
  t.strictSame(calls(column, true), [804], 'its bytes and what lies between');
  const everySecond = { shape: [400_000], strides: [8], offset: 0 };
  t.strictSame(calls(everySecond, true), [MiB - 4, MiB - 4, MiB - 4, 54_268]);
  const farApart = { shape: [3], strides: [20_000], offset: 0 };
  t.strictSame(calls(farApart, true), [4, 4, 4], 'over more than a page');
});

t.test('shapes that do not broadcast are told apart', async t => {
  const fits = (from: number[], to: number[]): boolean => broadcastTo(packedView(from, 1, 'C', 0), to) !== undefined;
  t.ok(fits([], [2, 3]));
  t.ok(fits([3], [2, 3]));
  t.ok(fits([1, 1, 3], [3]), 'leading ones are dropped, as in assignment');
  t.ok(fits([2, 1], [2, 3]));
  t.ok(fits([0], [0]));
  t.ok(fits([1], [0]));
  t.notOk(fits([2], [3]));
  t.notOk(fits([2, 3], [3]));
  t.notOk(fits([0], [1]));
});

import { randomBytes } from 'node:crypto';
import t from 'tap';
import { scatter } from '../../src/layout/scatter.js';
import { broadcastTo } from '../../src/layout/select.js';
import { packedView, sizeOf, type View } from '../../src/layout/view.js';
import { seededRandom } from '../helpers/random.js';
import { offsetsOf, randomView } from './model.js';

/** Assigns element by element. */
function modelScatter(file: Buffer, target: View, itemsize: number, bytes: Buffer, source: View): void {
  const from = offsetsOf(source);
  offsetsOf(target).forEach((offset, i) => bytes.copy(file, offset, from[i], from[i]! + itemsize));
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
    const written = Buffer.from(before);
    scatter(target, itemsize, bytes, source, (offset, run) => written.set(run, offset));
    if (!written.equals(expected)) faults.push(`case ${i} differs: ${JSON.stringify({ target, source, itemsize })}`);
  }
  t.strictSame(faults.slice(0, 5), [], 'all equal');
});

t.test('a contiguous target is written in runs of a piece, a column item by item', async t => {
  const runs: number[] = [];
  const bytes = Buffer.alloc(4 * 1024 * 1024);
  const target = packedView([1024, 1024], 4, 'C', 16);
  scatter(target, 4, bytes, packedView([1024, 1024], 4, 'C', 0), (_, run) => runs.push(run.byteLength));
  t.strictSame(
    runs,
    [1, 1, 1, 1].map(() => 1024 * 1024),
  );
  runs.length = 0;
  scatter({ shape: [3], strides: [400], offset: 0 }, 4, bytes, packedView([3], 4, 'C', 0), (_, run) =>
    runs.push(run.byteLength),
  );
  t.strictSame(runs, [4, 4, 4]);
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

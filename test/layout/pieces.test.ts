import t from 'tap';
import { PieceCursor, piecesOf } from '../../src/layout/pieces.js';
import { coalesce, extentOf, isContiguous, packedView, sizeOf, stridesOf } from '../../src/layout/view.js';
import { seededRandom } from '../helpers/random.js';
import { offsetsOf, randomView } from './model.js';

t.test('pieces hold all elements, in C order, each within its bytes', async t => {
  const random = seededRandom(3);
  for (let i = 0; i < 1000; i++) {
    const itemsize = random.pick([1, 2, 4, 8]);
    const { view } = randomView(random, itemsize);
    const bytesMax = random.integer(1, 200);
    const pieces = [...piecesOf(view, itemsize, bytesMax)];
    t.strictSame(pieces.flatMap(offsetsOf), sizeOf(view.shape) === 0 ? [] : offsetsOf(view));
    t.ok(pieces.every(piece => sizeOf(piece.shape) * itemsize <= Math.max(bytesMax, itemsize)));
  }
});

t.test('pieces of changing sizes hold all elements in C order, and it is known which bytes are left', async t => {
  const random = seededRandom(31);
  for (let i = 0; i < 1000; i++) {
    const itemsize = random.pick([1, 2, 4, 8]);
    const { view } = randomView(random, itemsize);
    const all = sizeOf(view.shape) === 0 ? [] : offsetsOf(view);
    const cursor = new PieceCursor(view, itemsize);
    let done = 0;
    for (;;) {
      const left = all.slice(done);
      const extent = { start: Math.min(...left), end: Math.max(...left) + itemsize };
      t.strictSame(cursor.remaining(), left.length === 0 ? { start: 0, end: 0 } : extent, JSON.stringify(view));
      const bytesMax = random.integer(1, 200);
      const piece = cursor.next(bytesMax);
      if (!piece) break;
      const offsets = offsetsOf(piece);
      if (offsets.length * itemsize > Math.max(bytesMax, itemsize)) t.fail('a piece is too large');
      t.strictSame(offsets, all.slice(done, (done += offsets.length)));
    }
    t.equal(done, all.length);
  }
});

t.test('a cursor over one run of bytes gives exactly the sizes that are asked for', async t => {
  const cursor = new PieceCursor(packedView([300, 7], 4, 'C', 100), 4);
  const sizes = [64, 128, 7, 3, 8000, 8000].map(bytes => {
    const piece = cursor.next(bytes);
    return piece && extentOf(piece, 4);
  });
  t.strictSame(sizes, [
    { start: 100, end: 164 },
    { start: 164, end: 292 },
    { start: 292, end: 296 },
    { start: 296, end: 300 },
    { start: 300, end: 8300 },
    { start: 8300, end: 8500 },
  ]);
  t.equal(cursor.next(8000), undefined);
});

t.test('the pieces of an immense view are made one at a time', async t => {
  const [first] = piecesOf(packedView([10 ** 6, 10 ** 6], 8, 'C', 0), 8, 1024 * 1024);
  t.strictSame(first, { shape: [131_072], strides: [8], offset: 0 });
});

t.test('coalescing keeps the elements and their order', async t => {
  const random = seededRandom(4);
  for (let i = 0; i < 500; i++) {
    const { view } = randomView(random, 4);
    t.strictSame(offsetsOf(coalesce(view)), sizeOf(view.shape) === 0 ? [] : offsetsOf(view));
  }
});

t.test('contiguous means one run of bytes', async t => {
  const random = seededRandom(5);
  for (let i = 0; i < 1000; i++) {
    const { view } = randomView(random, 2);
    const offsets = offsetsOf(view);
    const oneRun = offsets.every((offset, at) => offset === offsets[0]! + 2 * at);
    t.equal(isContiguous(view, 2), oneRun, JSON.stringify(view));
  }
});

t.test('strides are those of numpy, also around axes of length zero', async t => {
  t.strictSame(stridesOf([2, 3, 4], 8, 'C'), [96, 32, 8]);
  t.strictSame(stridesOf([2, 3, 4], 8, 'F'), [8, 16, 48]);
  t.strictSame(stridesOf([2, 0, 4], 8, 'C'), [32, 32, 8]);
  t.strictSame(stridesOf([], 8, 'C'), []);
});

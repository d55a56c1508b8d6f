import t from 'tap';
import { piecesOf } from '../../src/layout/pieces.js';
import { coalesce, isContiguous, packedView, sizeOf, stridesOf } from '../../src/layout/view.js';
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

import { test } from 'tap';
import { numberDType } from '../../src/dtype/index.js';
import { packedView, sizeOf, type Order, type View } from '../../src/layout/view.js';
import { LIMITS } from '../../src/limits.js';
import { chunkAt, parseQuery, planStatistics, type Plan, type QueryInput } from '../../src/statistics/index.js';

function planOf(input: QueryInput, typestr: string, view: View): Plan {
  return planStatistics(parseQuery(input, view.shape.length), numberDType(typestr), view);
}

function packed(typestr: string, shape: readonly number[], order: Order = 'C'): View {
  return packedView(shape, numberDType(typestr).itemsize, order, 0);
}

test('chunks cover the selection once, in the order of the file, within their bounds', async t => {
  for (const order of ['C', 'F'] as const) {
    const view = packed('<f4', [5000, 2000], order);
    for (const axis of [null, 0, 1]) {
      const plan = planOf({ ops: ['mean'], axis }, '<f4', view);
      let bytes = 0;
      let reached = -1;
      for (let i = 0; i < plan.scan.chunkCount; i++) {
        const chunk = chunkAt(plan.scan, i);
        t.ok(chunk.bytes <= LIMITS.chunkBytesMax && chunk.bytes === sizeOf(chunk.view.shape) * 4);
        t.ok(chunk.view.offset > reached, 'starts behind the chunk before');
        reached = chunk.view.offset;
        bytes += chunk.bytes;
      }
      t.equal(bytes, 5000 * 2000 * 4);
      t.equal(plan.scan.bytes, bytes);
    }
  }
});

test('reversed and transposed whole arrays are read as one forward run', async t => {
  const reversed = { shape: [30, 40], strides: [-160, -4], offset: 4796 };
  t.same(chunkAt(planOf({ ops: ['sum'] }, '<f4', reversed).scan, 0).view, { shape: [1200], strides: [4], offset: 0 });
  t.same(chunkAt(planOf({ ops: ['sum'] }, '<f4', packed('<f4', [30, 40], 'F')).scan, 0).view, {
    shape: [1200],
    strides: [4],
    offset: 0,
  });
});

test('axes of the same kind that continue each other are combined', async t => {
  const plan = planOf({ ops: ['sum'], axis: [2, 3] }, '<f8', packed('<f8', [2, 3, 4, 5]));
  t.same(chunkAt(plan.scan, 0).view.shape, [6, 20]);
});

test('a count alone reads no data, unless NaN matter to it', async t => {
  const view = packed('<f8', [500, 1000]);
  t.equal(planOf({ ops: ['count'] }, '<f8', view).scan.chunkCount, 0);
  t.equal(planOf({ ops: ['count'], nan: 'omit' }, '<f8', view).scan.chunkCount, 1);
  t.equal(planOf({ ops: ['count'], nan: 'raise' }, '<f8', view).scan.chunkCount, 1);
  t.equal(planOf({ ops: ['count'], nan: 'omit' }, '<i8', view).scan.chunkCount, 0, 'integers have none');
});

test('enormous selections are planned at once', async t => {
  const length = 10 ** 15;
  const started = performance.now();
  const plan = planOf({ ops: ['mean', 'argmax'] }, '<f8', packed('<f8', [length]));
  t.equal(plan.scan.chunkCount, Math.ceil(length / (LIMITS.chunkBytesMax / 8)));
  t.equal(
    chunkAt(plan.scan, plan.scan.chunkCount - 1).box.index,
    (plan.scan.chunkCount - 1) * (LIMITS.chunkBytesMax / 8),
  );
  t.equal(planOf({ ops: ['sum'] }, '<f8', packed('<f8', [10 ** 15, 0])).scan.chunkCount, 0);
  t.same(planOf({ ops: ['sum'], axis: 0 }, '<f8', packed('<f8', [10 ** 15, 0])).shape, [0]);
  t.ok(performance.now() - started < 50);
});

test('an answer with too many cells is refused with both numbers', async t => {
  const cells = LIMITS.cellsMax + 1;
  const refused = { code: 'too_large', values: { limit: LIMITS.cellsMax, asked: cells } };
  t.throws(() => planOf({ ops: ['sum'], axis: 1 }, '<f8', packed('<f8', [cells, 2])), refused);
  t.throws(() => planOf({ ops: ['sum'], axis: [] }, '<f8', packed('<f8', [cells])), refused);
  t.throws(() => planOf({ ops: ['sum'], axis: 1 }, '<f8', packed('<f8', [cells, 7, 0])), refused);
  t.equal(planOf({ ops: ['sum'], axis: 1 }, '<f8', packed('<f8', [LIMITS.cellsMax, 2])).cells, LIMITS.cellsMax);
});

test('a wide answer is cut into strips, so that partials stay small against the data', async t => {
  const plan = planOf({ ops: ['std'], axis: 0 }, '<f4', packed('<f4', [1000, 1_000_000]));
  const chunk = chunkAt(plan.scan, 1);
  t.ok(chunk.cellCount <= 16_384);
  t.ok(chunk.bytes / chunk.cellCount >= 60 * 4, 'sixty rows under each cell');
  t.equal(chunk.cellStart, chunkAt(plan.scan, 0).cellCount);
});

test('plans and tasks are plain data', async t => {
  const plan = planOf({ ops: ['argmin', 'std'], axis: 0, nan: 'omit' }, '>f4', packed('>f4', [10, 10], 'F'));
  t.same(structuredClone(plan), plan);
  t.same(structuredClone(chunkAt(plan.scan, 0)), chunkAt(plan.scan, 0));
});

/** Memory for partials: nobody is given what another one still has, and what waits is bounded. */
import t from 'tap';
import { BufferPool } from '../../src/jobs/buffer-pool.js';
import { LIMITS } from '../../src/limits.js';
import { PartialBuffer } from '../../src/statistics/index.js';

t.test('a buffer is given to one at a time, and again when it is given back', async t => {
  const buffers = new BufferPool();
  const first = buffers.take(1000);
  const second = buffers.take(1000);
  t.ok(first.byteLength >= 1000);
  t.not(first, second);
  buffers.giveBack(first);
  t.equal(buffers.take(500), first, 'a smaller one is not made');
  t.not(buffers.take(500), first);
  buffers.giveBack(second);
  t.ok(buffers.take(2000).byteLength >= 2000, 'one that is too small is left');
});

t.test('what waits to be used is bounded', async t => {
  const buffers = new BufferPool();
  const bytes = LIMITS.partialBufferBytesMax;
  const taken = Array.from({ length: LIMITS.partialBuffersBytes / bytes + 3 }, () => buffers.take(bytes));
  for (const buffer of taken) buffers.giveBack(buffer);
  const again = new Set(taken.map(() => buffers.take(bytes)));
  t.equal(taken.filter(buffer => again.has(buffer)).length, LIMITS.partialBuffersBytes / bytes);
});

t.test('what does not fit into a buffer has memory of its own', async t => {
  const buffer = new SharedArrayBuffer(32);
  const partials = new PartialBuffer(buffer);
  const arrays = [partials.f64(3), partials.f64(2), partials.f64(1), partials.f64(1)];
  t.same(
    arrays.map(array => array.buffer === buffer),
    [true, false, true, false],
  );
  for (const [i, array] of arrays.entries()) array.fill(i);
  t.same(
    arrays.map(array => Array.from(array)),
    [[0, 0, 0], [1, 1], [2], [3]],
  );
});

import { randomBytes } from 'node:crypto';
import t from 'tap';
import { gather, gatherParts, type ByteSource } from '../../src/layout/gather.js';
import { packedView, sizeOf, type View } from '../../src/layout/view.js';
import { seededRandom } from '../helpers/random.js';
import { packedBytes, randomView } from './model.js';

interface Counted extends ByteSource {
  spans: number;
  reads: number;
}

function memorySource(file: Uint8Array): Counted {
  return {
    spans: 0,
    reads: 0,
    span(start, length) {
      this.spans++;
      if (start < 0 || start + length > file.byteLength) throw new Error('outside the file');
      return file.subarray(start, start + length);
    },
    read(start, into) {
      this.reads++;
      if (start < 0 || start + into.byteLength > file.byteLength) throw new Error('outside the file');
      into.set(file.subarray(start, start + into.byteLength));
    },
  };
}

t.test('2,000 random views gather what the model gathers', async t => {
  const faults: string[] = [];
  const random = seededRandom(1);
  for (let i = 0; i < 2000; i++) {
    const itemsize = random.pick([1, 2, 4, 8]);
    const { view, fileBytes } = randomView(random, itemsize);
    const file = randomBytes(fileBytes);
    const out = new Uint8Array(sizeOf(view.shape) * itemsize);
    gather(memorySource(file), view, itemsize, out);
    if (!packedBytes(file, view, itemsize).equals(out))
      faults.push(`case ${i} differs: ${JSON.stringify({ view, itemsize })}`);
  }
  t.strictSame(faults.slice(0, 5), [], 'all equal');
});

t.test('parts of any size, begun anew behind any of them, gather the same', async t => {
  const faults: string[] = [];
  const random = seededRandom(2);
  let most = 0;
  for (let i = 0; i < 1000; i++) {
    const itemsize = random.pick([1, 2, 4, 8]);
    const { view, fileBytes } = randomView(random, itemsize);
    const file = randomBytes(fileBytes);
    const out = new Uint8Array(sizeOf(view.shape) * itemsize);
    const costMax = random.pick([1, 64, 4096, 10_000, 1e9]);
    let done = 0;
    for (let isAtEnd = false; !isAtEnd;) {
      const parts = gatherParts(memorySource(file), view, itemsize, out, costMax, done);
      for (let left = random.integer(1, 5); left > 0 && !isAtEnd; left--) {
        if (parts.next().done) isAtEnd = true;
        else done++;
      }
    }
    most = Math.max(most, done);
    if (!packedBytes(file, view, itemsize).equals(out)) faults.push(JSON.stringify({ i, view, itemsize, costMax }));
  }
  t.strictSame(faults.slice(0, 5), [], 'all equal');
  t.ok(most > 50, `up to ${most} parts`);
});

t.test('elements far apart are read alone, and in the order of the file', async t => {
  const file = randomBytes(1024 * 1024);
  const views: View[] = [
    { shape: [8], strides: [128 * 1024], offset: 5 },
    { shape: [8, 16], strides: [128 * 1024, 4], offset: 64 },
    { shape: [16, 8], strides: [4, 128 * 1024], offset: 64 },
    { shape: [4, 2, 3], strides: [200 * 1024, 12, 4], offset: 0 },
  ];
  for (const view of views) {
    const out = new Uint8Array(sizeOf(view.shape) * 4);
    gather(memorySource(file), view, 4, out);
    t.ok(packedBytes(file, view, 4).equals(out), JSON.stringify(view));
  }
});

t.test('one row of a C-order array costs one read, a block one span', async t => {
  const source = memorySource(randomBytes(100 * 400));
  gather(source, { shape: [100], strides: [4], offset: 400 }, 4, new Uint8Array(400));
  t.strictSame([source.reads, source.spans], [1, 0]);
  gather(source, { shape: [20, 10], strides: [400, 4], offset: 40 }, 4, new Uint8Array(800));
  t.strictSame([source.reads, source.spans], [1, 1]);
});

t.test('a whole F-order array transposes', async t => {
  const view = packedView([300, 70], 2, 'F', 0);
  const file = randomBytes(300 * 70 * 2);
  const out = new Uint8Array(file.byteLength);
  gather(memorySource(file), view, 2, out);
  t.ok(packedBytes(file, view, 2).equals(out));
});

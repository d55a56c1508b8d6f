/** Patches that are packed for another thread replace the same bytes as before. */
import t from 'tap';
import type { Patch } from '../../src/descriptor.js';
import { packPatches } from '../../src/file/packed-patches.js';
import { overlay } from '../../src/file/sources.js';
import { LIMITS } from '../../src/limits.js';
import { seededRandom } from '../helpers/random.js';

t.test('random ranges, touching and apart, small and large, say the same when they are packed', t => {
  const random = seededRandom(12);
  for (let round = 0; round < 200; round++) {
    const patches: Patch[] = [];
    let at = random.integer(0, 10);
    for (let count = random.integer(0, 80); count > 0; count--) {
      const length = random.next() < 0.1 ? LIMITS.patchBytesPackedMax + random.integer(0, 2) : random.integer(1, 20);
      const bytes = new Uint8Array(new SharedArrayBuffer(length)).fill(random.integer(1, 255));
      patches.push({ start: at, bytes });
      at += length + (random.next() < 0.5 ? 0 : random.integer(1, 9));
    }
    const packed = packPatches(patches);
    const [before, after] = [patches, packed].map(each => {
      const file = new Uint8Array(at + 10);
      overlay(each, 0, file);
      return Buffer.from(file);
    });
    if (!before!.equals(after!)) t.fail(`round ${round}`);
    for (const [i, patch] of packed.entries()) {
      const last = packed[i - 1];
      if (last && last.start + last.bytes.byteLength > patch.start) t.fail(`round ${round}: patch ${i} overlaps`);
    }
    const large = patches.filter(({ bytes }) => bytes.byteLength > LIMITS.patchBytesPackedMax).length;
    const buffers = new Set(packed.map(({ bytes }) => bytes.buffer)).size;
    if (patches.length >= 16 && buffers > large + 1) t.fail(`round ${round}: ${buffers} buffers`);
  }
  t.end();
});

t.test('neighbours become one', t => {
  const patches = Array.from({ length: 100 }, (_, i) => ({ start: 1000 + 8 * i, bytes: new Uint8Array(8).fill(i) }));
  t.match(packPatches(patches), [{ start: 1000, bytes: { byteLength: 800 } }]);
  t.end();
});

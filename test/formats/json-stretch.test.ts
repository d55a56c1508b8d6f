/** Stretches of numbers as JSON, one behind the other, are the text of the whole, wherever it is cut. */
import t from 'tap';
import { numberDType } from '../../src/dtype/index.js';
import { encodeJsonDataNow, encodeJsonStretch, jsonStretchBytesMax } from '../../src/formats/index.js';
import { sizeOf } from '../../src/layout/view.js';
import { seededRandom } from '../helpers/random.js';
import { startHere } from '../helpers/service-here.js';
import { json } from '../system/calls.js';

const SHAPES = [[7], [3, 5], [1, 4, 1], [2, 3, 4], [4, 1, 1, 1], [1], [2, 1, 2, 1, 3], Array<number>(64).fill(1)];
const DTYPES = ['<f4', '>f4', '<f8', '<f2', '<i8', '>i2', '|u1', '|b1'];

t.test('cut anywhere', async t => {
  const random = seededRandom(7);
  for (const shape of SHAPES) {
    for (const dtype of DTYPES) {
      const { itemsize } = numberDType(dtype);
      const size = sizeOf(shape);
      const bytes = Uint8Array.from({ length: size * itemsize }, () => random.below(256));
      for (const int64 of ['number', 'string'] as const) {
        const whole = encodeJsonDataNow({ dtype: numberDType(dtype), shape, bytes }, { int64 });
        const parts: Uint8Array[] = [];
        for (let first = 0; first < size;) {
          const count = random.integer(1, size - first);
          const source = bytes.slice(first * itemsize, (first + count) * itemsize);
          const target = new Uint8Array(jsonStretchBytesMax(count, shape));
          parts.push(target.subarray(0, encodeJsonStretch({ dtype, shape, int64, source, first, target })));
          first += count;
        }
        t.equal(Buffer.concat(parts).toString(), Buffer.from(whole).toString(), `${dtype} (${shape.join()})`);
      }
    }
  }
});

t.test('many numbers through the door are the numbers that there are', async t => {
  const server = await startHere(t);
  for (const shape of [[70_001], [300, 7, 50], [40_000, 1, 1, 2]]) {
    const name = `a${shape.length}`;
    await server.fetch('/v1/datasets', json('POST', { name, dtype: '<f4', shape }));
    const values = Float32Array.from({ length: sizeOf(shape) }, (_, i) => i / 8 - 1000);
    const headers = { 'content-type': 'application/octet-stream' };
    const put = { method: 'PUT', headers, body: new Uint8Array(values.buffer) };
    t.equal((await server.fetch(`/v1/datasets/${name}/data`, put)).status, 200);
    const { data } = (await (await server.fetch(`/v1/datasets/${name}/data.json`)).json()) as { data: unknown[] };
    const flat = data.flat(Number.POSITIVE_INFINITY) as number[];
    t.strictSame(flat.length, values.length);
    t.ok(flat.every((value, i) => value === values[i]));
    t.equal(JSON.stringify(data).split('[').length, data.length === shape[0] ? 1 + listsOf(shape) : -1);
  }
});

/** Brackets that open in lists of a shape. */
function listsOf(shape: readonly number[]): number {
  return shape.reduce((sum, _length, axis) => sum + sizeOf(shape.slice(0, axis)), 0);
}

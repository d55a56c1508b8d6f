/** Arrays whose file has another order than the answer, large enough to be sent in the largest pieces. */
import t from 'tap';
import { startHere } from '../helpers/service-here.js';
import { binary, create } from '../system/calls.js';

const ROWS = 2501;
const COLUMNS = 2001;

t.test('an F-order array of 20 MB is answered in C order, converted or not', async t => {
  const server = await startHere(t);
  await create(server, { name: 'a', dtype: '<u4', shape: [ROWS, COLUMNS], order: 'F' });
  // Each element is its own number in the file.
  const values = new Uint32Array(ROWS * COLUMNS);
  for (let row = 0, i = 0; row < ROWS; row++) {
    for (let column = 0; column < COLUMNS; column++) values[i++] = row + ROWS * column;
  }
  const put = await server.fetch('/v1/datasets/a/data', binary('PUT', Buffer.from(values.buffer)));
  t.equal(put.status, 200, await put.text());
  for (const [query, expected] of [
    ['', values],
    ['?dtype=float64', Float64Array.from(values)],
    ['?slice=::-1,::-1', values.toReversed()],
  ] as const) {
    const answer = await server.fetch(`/v1/datasets/a/data.raw${query}`);
    const bytes = Buffer.from(await answer.arrayBuffer());
    t.ok(bytes.equals(Buffer.from(expected.buffer)), query);
  }
});

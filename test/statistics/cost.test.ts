/** What a statistic is said to cost before it reads, against what it then reads. */
import t from 'tap';
import { startJob, type JobBody } from '../helpers/slow-server.js';
import { start } from '../helpers/server.js';
import { create, eventually } from '../system/calls.js';

const ROWS = 3000;
/** Every row is kept by it. */
const ALL = { column: 0, ge: 0 };
const SOME = { column: 0, gt: 1 };

/** Query, bytes and passes: the elements are 8 columns of float32, and are gone through last. */
const CASES: readonly (readonly [query: Readonly<Record<string, unknown>>, bytes: number, passes: number])[] = [
  [{ ops: ['sum'] }, 32 * ROWS, 1],
  [{ ops: ['count'] }, 0, 0],
  [{ ops: ['sum', 'std', 'argmax'], slice: '10:20,::2' }, 10 * 4 * 4, 1],
  [{ ops: ['median', 'sum'] }, 32 * ROWS, 1],
  [{ ops: ['median'], axis: 1 }, 32 * ROWS, 1],
  // The column of the filter is read with the elements.
  [{ ops: ['sum'], where: ALL }, (4 + 32) * ROWS, 1],
  [{ ops: ['mean', 'max'], axis: 0, where: { and: [ALL, { dataset: 'codes', ge: 0 }] } }, (8 + 32) * ROWS, 1],
  [{ ops: ['sum'], where: { dataset: 'codes', in: { dataset: 'list' } } }, 4 * 50 + (4 + 32) * ROWS, 2],
  // And before that, by itself, where something depends on how many rows it keeps.
  [{ ops: ['sum'], axis: 1, where: ALL }, 4 * ROWS + (4 + 32) * ROWS, 2],
  [{ ops: ['argmax'], where: ALL }, 4 * ROWS + (4 + 32) * ROWS, 2],
  [{ ops: ['sum'], group_by: { dataset: 'codes' } }, (4 + 32) * ROWS, 1],
  [{ ops: ['sum'], group_by: { dataset: 'codes' }, where: ALL }, (4 + 4 + 32) * ROWS, 1],
];

t.test('every query reads what was said, where no row is left out', async t => {
  const server = await start(t, { env: { HYPERSLAB_CACHE_BYTES: '0', HYPERSLAB_STATISTICS_BYTES_MAX: '1' } });
  await create(server, { name: 'grid', dtype: '<f4', shape: [ROWS, 8] });
  await create(server, { name: 'codes', dtype: '<i4', shape: [ROWS] });
  await create(server, { name: 'list', dtype: '<i4', shape: [50] });
  const run = async (query: Readonly<Record<string, unknown>>): Promise<[said: JobBody, done: JobBody]> => {
    const said = await startJob(server, whereOf(query));
    let done = said;
    await eventually(async () => {
      done = (await (await server.fetch(`/v1/jobs/${said.id}`)).json()) as JobBody;
      return done.state === 'done' || done.state === 'failed';
    });
    return [said, done];
  };
  for (const [query, bytes, passes] of CASES) {
    const title = JSON.stringify(query);
    const [said, done] = await run(query);
    t.equal(said.progress.bytes_total, bytes, title);
    t.match(done, { state: 'done', result: { scanned_bytes: bytes } }, title);
    // A client that waits may have one byte.
    const refused = await (await server.fetch(whereOf(query))).json();
    t.match(refused, bytes === 0 ? { count: 8 * ROWS } : { code: 'too_large', asked: bytes, passes }, title);
  }
  const [said, done] = await run({ ops: ['sum'], where: SOME });
  const { scanned_bytes: scanned } = done.result as { scanned_bytes: number };
  t.ok(scanned > 0 && scanned <= said.progress.bytes_total, 'never more where some are');
});

function whereOf(query: Readonly<Record<string, unknown>>): string {
  const parameters = Object.entries(query).map(([name, value]) => {
    const text = name === 'ops' || name === 'slice' ? String(value) : JSON.stringify(value);
    return `${name}=${encodeURIComponent(text)}`;
  });
  return `/v1/datasets/grid/statistics?${parameters.join('&')}`;
}

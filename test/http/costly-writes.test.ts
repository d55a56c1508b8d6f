/** A commit is bounded by what it costs the disk, where its bytes are few and its pages many. */
import t from 'tap';
import { LIMITS } from '../../src/limits.js';
import { startHere } from '../helpers/service-here.js';
import { create, json } from '../system/calls.js';

t.test('elements that lie a page or more apart are as many as a commit may cost', async t => {
  const server = await startHere(t);
  await create(server, { name: 'far', dtype: 'u1', shape: [300_000, 8192], sparse: true });
  const writes = ['0', '1'].map(column => ({ slice: `::2,${column}`, data: 1 }));
  for (const [where, init] of [
    ['/v1/datasets/far/data?slice=:,0', json('PUT', 1)],
    ['/v1/datasets/far/writes', json('POST', { writes })],
  ] as const) {
    const answer = await server.fetch(where, init);
    t.equal(answer.status, 413, where);
    t.match(
      await answer.json(),
      { code: 'too_large', limit: LIMITS.commitCostBytesMax, detail: /so far apart/ },
      where,
    );
  }
  const { generation } = (await (await server.fetch('/v1/datasets/far')).json()) as { generation: number };
  const answer = await server.fetch('/v1/datasets/far/data?slice=:1000,0', json('PUT', 1));
  t.match(
    await answer.json(),
    { generation: generation + 1, elements: 1000 },
    'fewer are taken, and nothing was before',
  );
});

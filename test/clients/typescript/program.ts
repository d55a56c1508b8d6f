/** What a program does with the types of openapi-typescript and the calls of openapi-fetch. */
import assert from 'node:assert/strict';
import { tableFromIPC } from 'apache-arrow';
import createClient from 'openapi-fetch';
import type { components, paths } from './hyperslab.js';

const client = createClient<paths>({ baseUrl: process.argv[2]! });
const of = (name: string) => ({ path: { name } });
const bytes = { parseAs: 'arrayBuffer', bodySerializer: (body: unknown) => body as BodyInit } as const;

/** The data of an answer that is no problem. */
function sure<T>({ data, error }: { data?: T; error?: unknown }): NonNullable<T> {
  assert.equal(error, undefined);
  return data!;
}

const made = sure(await client.POST('/v1/datasets', { body: { name: 'ts', dtype: '<f8', shape: [4, 3] } }));
assert.equal(made.nbytes, 96);
const rows = [
  [1, 2, 3],
  [4, 5, 6],
];
sure(
  await client.PUT('/v1/datasets/{name}/data.json', { params: { ...of('ts'), query: { slice: '0:2' } }, body: rows }),
);
const written = await client.PUT('/v1/datasets/{name}/data.raw', {
  params: { ...of('ts'), query: { slice: '2' } },
  body: new Float64Array([7, 8, 9]) as unknown as string,
  bodySerializer: bytes.bodySerializer,
  headers: { 'Content-Type': 'application/octet-stream' },
});
assert.equal(sure(written).bytes, 24);

const npy = sure(await client.GET('/v1/datasets/{name}/data.npy', { params: of('ts'), parseAs: 'arrayBuffer' }));
sure(
  await client.PUT('/v1/datasets/{name}', {
    params: of('ts-copy'),
    body: npy as unknown as string,
    bodySerializer: bytes.bodySerializer,
    headers: { 'Content-Type': 'application/x-npy' },
  }),
);
const json = sure(await client.GET('/v1/datasets/{name}/data.json', { params: of('ts-copy') }));
assert.deepEqual(json.data, [...rows, [7, 8, 9], [0, 0, 0]]);
const raw = sure(await client.GET('/v1/datasets/{name}/data.raw', { params: of('ts'), parseAs: 'arrayBuffer' }));
assert.equal(new Float64Array(raw)[8], 9);
const csv = sure(await client.GET('/v1/datasets/{name}/data.csv', { params: of('ts'), parseAs: 'text' }));
assert.equal(csv, 'c0,c1,c2\n1.0,2.0,3.0\n4.0,5.0,6.0\n7.0,8.0,9.0\n0.0,0.0,0.0\n');
const arrow = sure(await client.GET('/v1/datasets/{name}/data.arrow', { params: of('ts'), parseAs: 'arrayBuffer' }));
assert.deepEqual([...tableFromIPC(new Uint8Array(arrow)).getChild('c1')!], [2, 5, 8, 0]);

const sum = sure(
  await client.GET('/v1/datasets/{name}/statistics', { params: { ...of('ts'), query: { ops: 'sum' } } }),
);
assert.equal(sum.results['sum'], 45);
const query: components['schemas']['StatisticsQuery'] = {
  ops: [{ quantile: { q: 0.5 } }, { histogram: { bins: 3 } }],
};
const found = sure(await client.POST('/v1/datasets/{name}/statistics', { params: of('ts'), body: query }));
assert.equal(found.results['quantile'], 3.5);
assert.deepEqual((found.results['histogram'] as { counts: number[] }).counts, [5, 3, 4]);
const grouped = sure(
  await client.POST('/v1/datasets/{name}/statistics', {
    params: of('ts'),
    body: { ops: ['count'], group_by: [{ column: 0, bins: [0, 2, 100] }], where: { column: 0, ge: 0 } },
  }),
);
assert.equal(grouped.groups?.length, 2);
const lines = sure(
  await client.POST('/v1/statistics', {
    body: {
      queries: [
        { dataset: 'ts', ops: ['max'] },
        { dataset: 'nobody', ops: ['max'] },
      ],
    },
    parseAs: 'text',
  }),
);
const batch = lines
  .trim()
  .split('\n')
  .map(line => JSON.parse(line) as components['schemas']['BatchLine']);
assert.equal(batch[0]!.results?.['max'], 9);
assert.equal(batch[1]!.error?.code, 'unknown_dataset');

let job = sure(await client.POST('/v1/jobs', { body: { dataset: 'ts', ops: ['mean'] } }));
while (job.state === 'queued' || job.state === 'running') {
  await new Promise(resolve => setTimeout(resolve, 20));
  job = sure(await client.GET('/v1/jobs/{id}', { params: { path: { id: job.id } } }));
}
assert.equal((job.result as components['schemas']['StatisticsAnswer']).results['mean'], 3.75);

const { error } = await client.GET('/v1/datasets/{name}', { params: of('nobody') });
assert.equal(error?.code, 'unknown_dataset');
const { datasets } = sure(await client.GET('/v1/datasets', { params: { query: { prefix: 'huge' } } }));
assert.equal(datasets[0]!.nbytes, 3 * 2 ** 30);
const far = sure(
  await client.POST('/v1/datasets', {
    body: { name: 'ts-far', path: 'far.bin', format: 'raw', dtype: '<i4', offset: 100000004, shape: [2] },
  }),
);
assert.equal(far.offset, 100000004);
assert.deepEqual(sure(await client.GET('/v1/datasets/{name}/data.json', { params: of('ts-far') })).data, [7, 8]);

sure(await client.POST('/v1/datasets/{name}/flush', { params: of('ts') }));
const gone = await client.DELETE('/v1/datasets/{name}', { params: { ...of('ts'), query: { data: 'delete' } } });
assert.equal(gone.response.status, 204);
console.log(
  `sum ${String(sum.results['sum'])}, batch of ${batch.length}, job ${job.state}, ${error.code}, offset ${far.offset}`,
);

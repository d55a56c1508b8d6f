/**
 * `{"self": true}` is the array that a call asks about: with `field=` that field or column, in reads, writes, statistics,
 * keys, and in the values that `in` takes from another dataset.
 */
import t from 'tap';
import { startHere } from '../helpers/service-here.js';

const SCORES = [5, 80, 90.5, 12, 80];

t.test('self is the field or the column that is asked about', async t => {
  const service = await startHere(t);
  const send = async (method: string, path: string, body?: unknown): Promise<[number, Record<string, unknown>]> => {
    const answer = await service.fetch(path, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return [answer.status, (await answer.json()) as Record<string, unknown>];
  };
  const dataOf = async (path: string, body: object): Promise<unknown> => {
    const [status, answer] = await send('POST', path, body);
    return status === 200 ? ((answer as { data?: unknown }).data ?? answer) : answer;
  };
  const dtype = [['name', 'S3'], ['score', '>f8'], ['pos', '<i4', [2]]]; // prettier-ignore
  await send('POST', '/v1/datasets', { name: 'table', dtype, shape: [5] });
  await send('POST', '/v1/datasets', { name: 'grid', dtype: 'f4', shape: [5, 3], attrs: { columns: ['x', 'y', 'z'] } });
  await send('POST', '/v1/datasets', { name: 'codes', dtype: 'f8', shape: [3] });
  await send('PUT', '/v1/datasets/table/data?field=score', SCORES);
  await send('PUT', '/v1/datasets/grid/data?field=y', [3, 1, 4, 1, 5]);
  await send('PUT', '/v1/datasets/codes/data', [12, 80, 7]);

  const where = { self: true, ge: 80 };
  t.strictSame(await dataOf('/v1/datasets/table/select?field=score', { where }), [80, 90.5, 80]);
  t.strictSame(await dataOf('/v1/datasets/table/select?field=score', { where, return: 'indices' }), [1, 2, 4]);
  t.strictSame(await dataOf('/v1/datasets/grid/select?field=y', { where: { not: { self: true, eq: 1 } } }), [3, 4, 5]);
  const many = await dataOf('/v1/select', {
    reads: [
      { dataset: 'table', field: 'score', where, limit: 1 },
      { dataset: 'grid', field: 'y', where: { self: true, gt: 3 }, return: 'indices' },
      {
        dataset: 'codes',
        where: { self: true, in: { dataset: 'table', field: 'score', where: { self: true, lt: 80 } } },
      },
    ],
  });
  t.strictSame(
    (many as { data: unknown }[]).map(({ data }) => data),
    [[80], [2, 4], [12]],
  );

  const computed = async (path: string): Promise<unknown> => {
    const [, { results, groups }] = await send('GET', path);
    return groups ?? results;
  };
  const filter = encodeURIComponent(JSON.stringify(where));
  t.strictSame(await computed(`/v1/datasets/table/statistics?ops=sum&field=score&where=${filter}`), { sum: 250.5 });
  const self = encodeURIComponent(JSON.stringify({ self: true }));
  t.strictSame(await computed(`/v1/datasets/grid/statistics?ops=count&field=y&group_by=${self}`), [
    { key: 1, count: 2, results: { count: 2 } },
    { key: 3, count: 1, results: { count: 1 } },
    { key: 4, count: 1, results: { count: 1 } },
    { key: 5, count: 1, results: { count: 1 } },
  ]);
  const written = await send('POST', '/v1/datasets/table/writes', { writes: [{ field: 'score', where, data: -1 }] });
  t.equal(written[0], 200);
  t.strictSame((await send('GET', '/v1/datasets/table/data?field=score'))[1]['data'], [5, -1, -1, 12, -1]);

  for (const [path, code, word] of [
    ['/v1/datasets/table/select?field=pos', 'bad_operation', 'what field= takes of table has the shape [5, 2]'],
    ['/v1/datasets/table/select', 'unsupported_dtype', 'Name one of its fields'],
    ['/v1/datasets/table/select?field=score,pos', 'unsupported_dtype', 'Name one of its fields'],
    ['/v1/datasets/grid/select?field=x,y', 'bad_operation', 'name a column'],
    ['/v1/datasets/grid/select', 'bad_operation', 'grid has the shape [5, 3]'],
  ] as const) {
    const [status, problem] = await send('POST', path, { where }); // oxlint-disable-line no-await-in-loop
    t.strictSame([status, problem['code']], [422, code], path);
    t.match(problem['detail'], word, path);
  }
});

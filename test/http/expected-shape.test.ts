/** `expected_shape=` on every call of a dataset: the shape as it is described, compared before anything else is done. */
import fs from 'node:fs';
import t from 'tap';
import { DOCUMENT_PATH } from '../../src/openapi-document.js';
import { startHere } from '../helpers/service-here.js';

type Service = Awaited<ReturnType<typeof startHere>>;

interface Problem {
  readonly code: string;
  readonly shape?: readonly number[];
}

const JSON_TYPE = { 'content-type': 'application/json' };

async function make(service: Service, name: string, shape: readonly number[]): Promise<void> {
  const body = JSON.stringify({ name, dtype: '<f4', shape });
  const made = await service.fetch('/v1/datasets', { method: 'POST', headers: JSON_TYPE, body });
  if (made.status !== 201) throw new Error(await made.text());
}

/** Calls of a dataset `a` of shape (3, 2): what is sent, and what it answers where the shape is the one. */
const CALLS: readonly {
  readonly method: string;
  readonly path: string;
  readonly body?: string;
  readonly status: number;
}[] = [
  { method: 'GET', path: '', status: 200 },
  { method: 'HEAD', path: '/data', status: 200 },
  { method: 'GET', path: '/data', status: 200 },
  { method: 'GET', path: '/data.csv', status: 200 },
  { method: 'GET', path: '/data?slice=0&format=npy', status: 200 },
  { method: 'GET', path: '/data?coarsen=2,2', status: 200 },
  { method: 'GET', path: '/rows/0', status: 200 },
  { method: 'GET', path: '/rows', status: 200 },
  { method: 'POST', path: '/select', body: '{"index":[[0]]}', status: 200 },
  { method: 'GET', path: '/statistics?ops=sum', status: 200 },
  { method: 'POST', path: '/statistics', body: '{"ops":["sum"]}', status: 200 },
  { method: 'PUT', path: '/data?slice=0', body: '7', status: 200 },
  { method: 'PUT', path: '/data.json?slice=0&durability=none', body: '8', status: 200 },
  { method: 'POST', path: '/writes', body: '{"writes":[{"slice":"0","data":9}]}', status: 200 },
  { method: 'POST', path: '/flush', status: 200 },
  { method: 'PATCH', path: '', body: '{"attrs":{"x":1}}', status: 200 },
  { method: 'DELETE', path: '', status: 204 },
];

t.test('each call is answered where the shape is the one, and 409 with the present one where it is not', async t => {
  const service = await startHere(t);
  await make(service, 'a', [3, 2]);
  for (const { method, path, body, status } of CALLS) {
    const ask = async (shape: string): Promise<Response> => {
      const url = `/v1/datasets/a${path}${path.includes('?') ? '&' : '?'}expected_shape=${shape}`;
      return service.fetch(url, { method, ...(body !== undefined && { body, headers: JSON_TYPE }) });
    };
    const what = `${method} ${path}`;
    for (const shape of ['3', '', '2,3', '3,2,1', '-3,2', '99999999999999999999999,2']) {
      const refused = await ask(shape);
      t.equal(refused.status, 409, `${what} of ${shape}`);
      if (method !== 'HEAD') t.match(await refused.json(), { code: 'moved', shape: [3, 2] }, what);
    }
    for (const shape of ['x', '3,x', '3;2', '3,,2', '3.0,2', '%D9%A3,2']) {
      const refused = await ask(shape);
      t.equal(refused.status, 400, `${what} of ${shape}`);
      await refused.arrayBuffer();
    }
    const answered = await ask('3,2');
    t.equal(answered.status, status, `${what}: ${await answered.text()}`);
  }
});

t.test('a refused write changes nothing, and a moved shape comes before 304', async t => {
  const service = await startHere(t);
  await make(service, 'a', [2]);
  const first = await service.fetch('/v1/datasets/a/data');
  const etag = first.headers.get('etag')!;
  const { generation } = (await first.json()) as { generation: number };
  const unchanged = { headers: { 'if-none-match': etag } };
  t.equal((await service.fetch('/v1/datasets/a/data?expected_shape=2', unchanged)).status, 304);
  const moved = await service.fetch('/v1/datasets/a/data?expected_shape=3', unchanged);
  t.equal(moved.status, 409);
  const refused = await service.fetch('/v1/datasets/a/data?expected_shape=3', {
    method: 'PUT',
    headers: JSON_TYPE,
    body: '5',
  });
  t.equal(refused.status, 409);
  t.match(await (await service.fetch('/v1/datasets/a/data')).json(), { generation, data: [0, 0] });
});

t.test(
  'a scalar has a blank shape, a name that nobody has is unknown, and an import may expect what it replaces',
  async t => {
    const service = await startHere(t);
    await make(service, 's', []);
    t.equal((await service.fetch('/v1/datasets/s/data?expected_shape=')).status, 200);
    t.match(await (await service.fetch('/v1/datasets/s/data?expected_shape=1')).json(), { code: 'moved', shape: [] });
    t.equal((await service.fetch('/v1/datasets/nobody?expected_shape=1')).status, 404);
    const put = (path: string): Promise<Response> =>
      service.fetch(`/v1/datasets/${path}`, { method: 'PUT', headers: { 'content-type': 'text/csv' }, body: 'a\n1\n' });
    t.match(await (await put('new?expected_shape=1')).json(), { code: 'moved', shape: null });
    t.match(await (await put('s?overwrite=true&expected_shape=1')).json(), { code: 'moved', shape: [] });
    t.equal((await put('s?overwrite=true&expected_shape=')).status, 200);
  },
);

t.test('in bodies that name datasets each has its own, as text or as a list', async t => {
  const service = await startHere(t);
  await make(service, 'a', [3, 2]);
  await make(service, 's', []);
  const post = (path: string, body: object): Promise<Response> =>
    service.fetch(path, { method: 'POST', headers: JSON_TYPE, body: JSON.stringify(body) });
  for (const right of ['3,2', [3, 2]]) {
    const query = { dataset: 'a', ops: ['sum'], expected_shape: right };
    const lines = (await (await post('/v1/statistics', { queries: [query, { ...query, expected_shape: '3' }] })).text())
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as { error?: Problem });
    t.notOk(lines[0]!.error);
    t.match(lines[1]!.error, { code: 'moved', shape: [3, 2] });
    t.equal((await post('/v1/jobs', query)).status, 202);
    t.equal((await post('/v1/jobs', { ...query, expected_shape: [3] })).status, 409);
    t.equal((await post('/v1/select', { reads: [{ dataset: 'a', expected_shape: right }] })).status, 200);
    t.equal((await post('/v1/select', { reads: [{ dataset: 'a', expected_shape: [2, 3] }] })).status, 409);
  }
  t.equal((await post('/v1/jobs?expected_shape=3,2', { dataset: 'a', ops: ['sum'] })).status, 202);
  t.equal((await post('/v1/jobs?expected_shape=3', { dataset: 'a', ops: ['sum'] })).status, 409);
  t.equal((await post('/v1/select', { reads: [{ dataset: 's', expected_shape: '' }] })).status, 200);
});

t.test('the API document tells it of every call of a dataset', t => {
  const { paths } = JSON.parse(fs.readFileSync(DOCUMENT_PATH, 'utf8')) as {
    paths: Record<string, Record<string, { parameters?: readonly { name: string }[] }>>;
  };
  for (const [path, methods] of Object.entries(paths)) {
    if (!path.startsWith('/v1/datasets/{name}')) continue;
    for (const [method, { parameters = [] }] of Object.entries(methods)) {
      t.ok(
        parameters.some(({ name }) => name === 'expected_shape'),
        `${method} ${path}`,
      );
    }
  }
  t.end();
});

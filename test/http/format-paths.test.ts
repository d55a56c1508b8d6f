/** Paths of one format each, and jobs as a call of their own. */
import t from 'tap';
import { FORMATS } from '../../src/formats/index.js';
import { binary, json } from '../system/calls.js';
import type { Service } from '../helpers/server.js';
import { startHere } from '../helpers/service-here.js';

t.test('each format has a path of its own, which answers as data does with that format=', async t => {
  const server = await startHere(t);
  await server.fetch('/v1/datasets', json('POST', { name: 'a', dtype: '<f4', shape: [2, 3], fill: 1.5 }));
  for (const { name, mediaTypes, disposition, isTaken } of FORMATS) {
    const path = `/v1/datasets/a/data.${name}`;
    // What Accept says does not matter.
    const answer = await server.fetch(`${path}?slice=:1`, { headers: { accept: 'image/webp' } });
    t.equal(answer.status, 200, name);
    t.equal(answer.headers.get('content-type')?.split(';')[0], mediaTypes[0], name);
    t.equal(answer.headers.get('content-disposition'), `${disposition}; filename="a.${name}"`);
    const bytes = Buffer.from(await answer.arrayBuffer());
    const other = await server.fetch(`/v1/datasets/a/data?slice=:1&format=${name}`);
    t.strictSame(bytes, Buffer.from(await other.arrayBuffer()), name);
    t.equal((await server.fetch(`${path}?format=${name}`)).status, 400, `${name} takes no format=`);
    const missing = await server.fetch(path.replace('/a/', '/b/'));
    t.equal(missing.status, 404);
    t.equal(missing.headers.get('content-disposition'), null, 'a problem is no file');
    if (!isTaken) continue;
    const body = name === 'json' ? Buffer.from('[[1,2,3],[4,5,6]]') : await bytesOf(server, path);
    for (const type of [mediaTypes[0], 'application/octet-stream']) {
      t.equal((await server.fetch(path, binary('PUT', body, type))).status, 200, `${name} as ${type}`);
    }
  }
});

t.test('one operation is answered as bytes, and a job is started by a call of its own', async t => {
  const server = await startHere(t);
  await server.fetch('/v1/datasets', json('POST', { name: 'a', dtype: '<f8', shape: [4], fill: 1.5 }));
  for (const init of [undefined, json('POST', { ops: ['sum'] })]) {
    const raw = await server.fetch(`/v1/datasets/a/statistics.raw${init ? '' : '?ops=sum'}`, init);
    t.equal(raw.headers.get('content-disposition'), 'attachment; filename="a.raw"');
    t.strictSame([...new Float64Array(await raw.arrayBuffer())], [6]);
    const npy = await server.fetch(`/v1/datasets/a/statistics.npy${init ? '' : '?ops=sum'}`, init);
    t.equal(npy.headers.get('content-type'), 'application/x-npy');
  }
  const two = await server.fetch('/v1/datasets/a/statistics.npy?ops=sum,max');
  t.match(await two.json(), { code: 'bad_operation' });
  const started = await server.fetch('/v1/jobs', json('POST', { dataset: 'a', ops: ['mean'] }));
  t.equal(started.status, 202);
  t.equal(started.headers.get('preference-applied'), null);
  const { id } = (await started.json()) as { id: string };
  const where = new URL(started.headers.get('location') ?? '', started.url);
  t.equal(where.pathname, `/v1/jobs/${id}`, 'relative to the call');
  const unknown = await server.fetch('/v1/jobs', json('POST', { dataset: 'b', ops: ['mean'] }));
  t.equal(unknown.status, 404);
});

t.test('only an answer that Accept decides varies by it, and each keeps its conditions', async t => {
  const server = await startHere(t, { env: { HYPERSLAB_CORS_ORIGINS: 'https://page.example' } });
  await server.fetch('/v1/datasets', json('POST', { name: 'a', dtype: '<f4', shape: [2, 3] }));
  const rows: readonly (readonly [path: string, varies: boolean])[] = [
    ['data', true],
    ['rows', true],
    ['rows/0', true],
    ...FORMATS.map(({ name }) => [`data.${name}`, false] as const),
  ];
  for (const [path, varies] of rows) {
    for (const method of ['GET', 'HEAD']) {
      const ask = async (headers: Record<string, string>): Promise<Response> => {
        const answer = await server.fetch(`/v1/datasets/a/${path}`, { method, headers });
        await answer.arrayBuffer();
        return answer;
      };
      const whole = await ask({});
      const isCoded = !['data.png', 'data.npz', 'data.parquet'].includes(path);
      const vary = `Origin${varies ? ', Accept' : ''}${isCoded ? ', Accept-Encoding' : ''}`;
      t.equal(whole.headers.get('vary'), vary, `${method} ${path}`);
      const same = await ask({ 'if-none-match': whole.headers.get('etag') ?? '' });
      t.equal(same.status, 304, `${method} ${path}`);
      t.equal(same.headers.get('vary'), whole.headers.get('vary'), `${method} ${path} unchanged`);
      t.equal((await ask({ 'if-match': '"x.1"' })).status, 412, `${method} ${path}`);
    }
  }
});

async function bytesOf(server: Service, path: string): Promise<Buffer> {
  return Buffer.from(await (await server.fetch(path)).arrayBuffer());
}

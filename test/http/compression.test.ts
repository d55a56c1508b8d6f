/**
 * Content codings through the door: which answers are coded for whom, what that does to tags, lengths, ranges and
 * conditions, and that what comes out is what there would be without.
 */
import { once } from 'node:events';
import http from 'node:http';
import { buffer } from 'node:stream/consumers';
import zlib from 'node:zlib';
import t from 'tap';
import { LIMITS } from '../../src/limits.js';
import { startServiceHere, startHere, type ServiceHere } from '../helpers/service-here.js';
import { metricOf } from '../helpers/slow-server.js';
import { eventually, json } from '../system/calls.js';

interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  /** As it was sent. */
  readonly bytes: Buffer;
  /** Without its coding. */
  readonly plain: Buffer;
}

type Headers = Readonly<Record<string, string>>;

const HAS_ZSTD = 'createZstdCompress' in zlib;
const DECODE: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  gzip: bytes => zlib.gunzipSync(bytes),
  br: bytes => zlib.brotliDecompressSync(bytes),
  zstd: bytes => (zlib as unknown as { zstdDecompressSync: (bytes: Buffer) => Buffer }).zstdDecompressSync(bytes),
};
const CODINGS = ['gzip', 'br', ...(HAS_ZSTD ? ['zstd'] : [])];
/** What there is no room for in one packet, and what is coded in each of the ways: at once, whole, as it comes. */
const ROWS = [300, 9000, 60_000];

async function ask(
  service: Pick<ServiceHere, 'url'>,
  path: string,
  headers: Headers = {},
  method = 'GET',
  body?: string,
) {
  const request = http.request(`${service.url}${path}`, { method, headers, agent: false });
  request.end(body);
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  const bytes = await buffer(response);
  const coding = response.headers['content-encoding'];
  const plain = coding === undefined || bytes.length === 0 ? bytes : DECODE[coding]!(bytes);
  return { status: response.statusCode!, headers: response.headers, bytes, plain } satisfies Answer;
}

let service: ServiceHere;
t.before(async () => {
  service = await startServiceHere({ env: { HYPERSLAB_WHOLE_BYTES_MAX: '2000000' } });
  for (const rows of ROWS) {
    const name = `a${rows}`;
    await service.fetch('/v1/datasets', json('POST', { name, dtype: '<f4', shape: [rows, 4] }));
    const body = new Uint8Array(Float32Array.from({ length: 4 * rows }, (_, i) => (i % 251) / 8).buffer);
    const put = { method: 'PUT', headers: { 'content-type': 'application/octet-stream' }, body };
    t.equal((await service.fetch(`/v1/datasets/${name}/data`, put)).status, 200);
  }
  await service.fetch('/v1/datasets', json('POST', { name: 'tiny', dtype: '<f4', shape: [2] }));
});
t.teardown(() => service.stop());

const TEXTS = ['json', 'csv', 'ndjson'];
const BYTES = ['raw', 'npy', 'arrow'];
const NEVER = ['npz', 'png', 'parquet'];

t.test('text is coded where a coding is taken, and is what it would be without', async t => {
  for (const rows of ROWS) {
    for (const format of TEXTS) {
      const path = `/v1/datasets/a${rows}/data.${format}`;
      const plain = await ask(service, path);
      t.equal(plain.headers['content-encoding'], undefined, path);
      t.match(plain.headers.vary, /\bAccept-Encoding\b/, path);
      for (const coding of CODINGS) {
        const coded = await ask(service, path, { 'accept-encoding': coding });
        t.equal(coded.headers['content-encoding'], coding, path);
        t.ok(coded.plain.equals(plain.bytes), `${path} ${coding}`);
        t.ok(coded.bytes.length < plain.bytes.length / 2, `${path} ${coding}: ${coded.bytes.length}`);
        t.equal(coded.headers.etag, plain.headers.etag!.replace(/"$/, `.${coding}"`));
        t.equal(coded.headers['accept-ranges'], undefined);
        t.equal(coded.headers.vary, plain.headers.vary);
        const told = coded.headers['content-length'];
        t.ok(told === undefined || Number(told) === coded.bytes.length);
      }
    }
  }
});

t.test('bytes of arrays are coded where nothing else is taken; pictures and archives are 406 then', async t => {
  const only = { 'accept-encoding': 'gzip, identity;q=0' };
  for (const rows of ROWS) {
    for (const format of BYTES) {
      const path = `/v1/datasets/a${rows}/data.${format}`;
      const plain = await ask(service, path, { 'accept-encoding': 'gzip, br, zstd, *' });
      t.equal(plain.headers['content-encoding'], undefined, path);
      const coded = await ask(service, path, { ...only, range: 'bytes=0-9' });
      t.equal(coded.status, 200, 'a range is of the plain answer');
      t.equal(coded.headers['content-encoding'], 'gzip', path);
      t.ok(coded.plain.equals(plain.bytes), path);
      t.not(coded.headers.etag, plain.headers.etag);
    }
  }
  for (const format of NEVER) {
    const path = `/v1/datasets/a300/data.${format}`;
    const refused = await ask(service, path, only);
    t.equal(refused.status, 406, path);
    t.match(JSON.parse(refused.plain.toString()), { code: 'not_acceptable', available: ['identity'] });
    const coded = await ask(service, path, { 'accept-encoding': 'gzip' });
    t.equal(coded.headers['content-encoding'], undefined, path);
  }
  const chunk = '/zarr/a300/c/0/0';
  t.equal((await ask(service, chunk, { 'accept-encoding': 'gzip' })).headers['content-encoding'], undefined);
  const coded = await ask(service, chunk, only);
  t.equal(coded.headers['content-encoding'], 'gzip');
  t.ok(coded.plain.equals((await ask(service, chunk)).bytes));
  const short = await ask(service, '/v1/datasets/tiny/data.json', only);
  t.equal(short.headers['content-encoding'], 'gzip', 'a short answer, too');
});

t.test('everything else that is text', async t => {
  for (const path of [
    '/openapi.json',
    '/metrics',
    '/',
    '/v1/datasets',
    '/zarr/zarr.json',
    '/docs/',
    '/docs/static/swagger-ui.css',
  ]) {
    const headers: Headers = path === '/' ? { accept: 'text/html' } : {};
    const plain = await ask(service, path, headers);
    const coded = await ask(service, path, { ...headers, 'accept-encoding': 'gzip' });
    const isLong = plain.bytes.length >= LIMITS.codedBytesMin;
    t.equal(coded.headers['content-encoding'], isLong ? 'gzip' : undefined, path);
    t.match(coded.headers.vary, /\bAccept-Encoding\b/, path);
    if (path !== '/metrics') t.ok(coded.plain.equals(plain.bytes), path);
  }
  const long = `/v1/datasets/a300/data?slice=${'1'.repeat(1500)},x`;
  const problem = await ask(service, long, { 'accept-encoding': 'gzip' });
  t.equal(problem.status, 400);
  t.match(problem.plain.toString(), '"code":"bad_slice"');
});

t.test('which coding it is', async t => {
  const best = HAS_ZSTD ? 'zstd' : 'br';
  const rows: readonly (readonly [accepted: string, coding: string | undefined])[] = [
    ['gzip, deflate', 'gzip'],
    ['gzip, deflate, br, zstd', best],
    ['x-gzip', 'gzip'],
    ['GZIP', 'gzip'],
    ['br;q=0.5, gzip;q=0.9', 'gzip'],
    ['gzip;q=0.1,br;q=0.2', 'br'],
    ['*', 'gzip'],
    ['br, *;q=0.1', 'br'],
    ['*, gzip;q=0', 'br'],
    ['gzip;q=0', undefined],
    ['', undefined],
    ['identity', undefined],
    ['identity, gzip;q=0.5', undefined],
    ['identity;q=0.5, gzip', 'gzip'],
    ['identity;q=0, gzip;q=0.001', 'gzip'],
    ['*;q=0, br', 'br'],
    ['deflate, compress', undefined],
    ['gzip;q=nonsense', undefined],
    ['gzip ; q=0.8', 'gzip'],
    [',,gzip,', 'gzip'],
  ];
  for (const [accepted, coding] of rows) {
    const answer = await ask(service, '/v1/datasets/a300/data.csv', { 'accept-encoding': accepted });
    t.equal(answer.headers['content-encoding'], coding, accepted);
  }
});

t.test('where nothing is left that is taken, nothing is done', async t => {
  const csv = await ask(service, '/v1/datasets/a300/data.csv');
  for (const refused of ['identity;q=0', '*;q=0', 'gzip;q=0, *;q=0', 'deflate, identity;q=0']) {
    const headers = { 'accept-encoding': refused, 'content-type': 'application/json' };
    for (const [method, path, body] of [
      ['GET', '/v1/datasets/a300/data.csv', undefined],
      ['PUT', '/v1/datasets/a300/data', '9'],
      ['DELETE', '/v1/datasets/a300', undefined],
    ] as const) {
      const answer = await ask(service, path, headers, method, body);
      t.equal(answer.status, 406, `${method} ${refused}`);
      t.match(answer.bytes.toString(), 'identity');
    }
  }
  t.ok((await ask(service, '/v1/datasets/a300/data.csv')).bytes.equals(csv.bytes));
});

t.test('conditions: a tag holds for who takes its coding, and for every change', async t => {
  const path = '/v1/datasets/a300/data.json';
  const plain = (await ask(service, path)).headers.etag!;
  const gzip = plain.replace(/"$/, '.gzip"');
  const rows: readonly (readonly [listed: string, accepted: string | undefined, status: number, tag: string])[] = [
    [plain, undefined, 304, plain],
    [gzip, 'gzip', 304, gzip],
    [gzip, 'gzip, br', 304, gzip],
    [`W/${gzip}`, 'gzip', 304, gzip],
    [`"x", ${gzip}`, 'gzip', 304, gzip],
    [plain, 'gzip', 304, plain],
    [plain, 'gzip, identity;q=0', 200, gzip],
    [gzip, undefined, 200, plain],
    [gzip, 'br', 200, plain.replace(/"$/, '.br"')],
    [gzip, 'gzip;q=0', 200, plain],
    [plain.replace(/"$/, '.deflate"'), 'gzip, deflate', 200, gzip],
  ];
  for (const method of ['GET', 'HEAD']) {
    for (const [listed, accepted, status, tag] of rows) {
      const headers = { 'if-none-match': listed, ...(accepted !== undefined && { 'accept-encoding': accepted }) };
      const answer = await ask(service, path, headers, method);
      t.equal(answer.status, status, `${method} ${listed} ${accepted}`);
      t.equal(answer.headers.etag, tag, `${method} ${listed} ${accepted}`);
      t.equal(answer.headers.vary, 'Accept-Encoding');
      t.equal(answer.headers['content-type'], status === 304 ? undefined : 'application/json; charset=utf-8');
    }
  }
  for (const document of ['/openapi.json', '/zarr/a300/zarr.json', '/zarr/zarr.json']) {
    const { headers } = await ask(service, document, { 'accept-encoding': 'br' });
    const again = { 'accept-encoding': 'br', 'if-none-match': headers.etag! };
    t.equal((await ask(service, document, again)).status, 304, document);
    t.equal((await ask(service, document, { 'if-match': headers.etag! })).status, 200, document);
  }
  const match = (tag: string) => ({ 'if-match': tag, 'content-type': 'application/json' });
  const write = (tag: string): Promise<Answer> =>
    ask(service, '/v1/datasets/a300/data?slice=0', match(tag), 'PUT', '1');
  t.equal((await ask(service, path, { 'if-match': gzip })).status, 200);
  t.equal((await write(`W/${gzip}`)).status, 412, 'a weak tag never matches');
  t.equal((await write(gzip)).status, 200);
  t.equal((await write(gzip)).status, 412, 'it has moved');
  t.equal((await ask(service, path, { 'if-none-match': gzip, 'accept-encoding': 'gzip' })).status, 200);
  const now = (await ask(service, '/v1/datasets/a300/data.csv', { 'accept-encoding': 'br' })).headers.etag!;
  t.match(now, /\.csv.*\.br"$/);
  t.equal((await write(now)).status, 200, 'that of any format and coding');
});

t.test('a range is one of the plain answer', async t => {
  for (const path of ['/v1/datasets/a300/data.csv', '/v1/datasets/a300/data.npy', '/zarr/a300/zarr.json']) {
    const plain = await ask(service, path);
    const tag = plain.headers.etag!;
    const headers = { range: 'bytes=10-59', 'accept-encoding': 'gzip' };
    for (const [ifRange, status] of [
      [undefined, 206],
      [tag, 206],
      [tag.replace(/"$/, '.gzip"'), 200],
    ] as const) {
      const part = await ask(service, path, { ...headers, ...(ifRange !== undefined && { 'if-range': ifRange }) });
      t.equal(part.status, status, `${path} ${ifRange}`);
      t.ok(part.plain.equals(status === 206 ? plain.bytes.subarray(10, 60) : plain.bytes), path);
      t.equal(
        part.headers['content-encoding'],
        status === 206 || path.endsWith('.npy') ? undefined : part.headers['content-encoding'],
      );
      if (status === 206) t.equal(part.headers.etag, tag);
    }
  }
});

t.test('HEAD tells what GET does', async t => {
  const paths = ['/openapi.json', '/v1/datasets', '/zarr/a300/zarr.json', '/v1/datasets/a300/rows/7'];
  for (const rows of ROWS) {
    for (const format of [...TEXTS, ...BYTES, ...NEVER]) paths.push(`/v1/datasets/a${rows}/data.${format}`);
  }
  for (const path of paths) {
    for (const accepted of ['gzip', 'br', 'gzip, identity;q=0', 'identity']) {
      const headers = { 'accept-encoding': accepted };
      const get = await ask(service, path, headers);
      const head = await ask(service, path, headers, 'HEAD');
      t.equal(head.status, get.status, path);
      t.equal(head.bytes.length, 0);
      for (const name of ['content-encoding', 'etag', 'vary', 'content-type', 'accept-ranges']) {
        t.equal(head.headers[name], get.headers[name], `${path} ${accepted}: ${name}`);
      }
      const told = head.headers['content-length'];
      t.ok(told === undefined || get.status === 406 || Number(told) === get.bytes.length, `${path} ${accepted}`);
    }
  }
});

t.test('events and lines of a batch are never coded', async t => {
  const started = await service.fetch('/v1/jobs', json('POST', { dataset: 'a300', ops: ['mean'] }));
  const { id } = (await started.json()) as { id: string };
  const events = await ask(service, `/v1/jobs/${id}/events`, { 'accept-encoding': 'gzip, br, zstd' });
  t.equal(events.headers['content-encoding'], undefined);
  t.match(events.bytes.toString(), 'event: end');
  t.equal((await ask(service, `/v1/jobs/${id}/events`, { 'accept-encoding': 'gzip, identity;q=0' })).status, 406);
  const queries = Array.from({ length: 5 }, () => ({ dataset: 'a300', ops: ['mean'] }));
  const headers = { 'accept-encoding': 'gzip', 'content-type': 'application/json' };
  const lines = await ask(service, '/v1/statistics', headers, 'POST', JSON.stringify({ queries }));
  t.equal(lines.headers['content-encoding'], undefined);
  t.equal(lines.plain.toString().trim().split('\n').length, 5);
});

t.test('who hangs up, and who reads slowly, gives everything back', async t => {
  const large = await startHere(t);
  const array = { name: 'large', dtype: '<f4', shape: [3_000_000, 4], sparse: true };
  await large.fetch('/v1/datasets', json('POST', array));
  const held = (): Promise<number> => metricOf(large, 'hyperslab_held_bytes');
  for (const coding of CODINGS) {
    const request = http.get(`${large.url}/v1/datasets/large/data.ndjson`, {
      agent: false,
      headers: { 'accept-encoding': coding },
    });
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    t.equal(response.headers['content-encoding'], coding);
    await once(response, 'readable');
    t.ok((await held()) > 0, 'its stream is counted');
    response.on('error', () => undefined);
    response.destroy();
    t.ok(await eventually(async () => (await held()) === 0), coding);
  }
});

t.test('without memory to spare answers go as they are, but to who takes nothing else', async t => {
  const small = await startHere(t, { env: { HYPERSLAB_MEMORY_BYTES: String(4 << 20) } });
  await small.fetch('/v1/datasets', json('POST', { name: 'a', dtype: '<f4', shape: [20_000, 2] }));
  const path = '/v1/datasets/a/data.json';
  t.equal((await ask(small, path, { 'accept-encoding': 'gzip' })).headers['content-encoding'], undefined);
  const only = { 'accept-encoding': 'gzip, identity;q=0' };
  t.equal((await ask(small, path, only)).headers['content-encoding'], 'gzip');
});

/**
 * Conditional requests, ranges and HEAD (RFC 9110, 9.3.2, 13 and 14) as tables. `{own}` in a header stands for the id and
 * generation of the service's own array, `{ext}` for those of the external one.
 */
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import t from 'tap';
import { startServer, temporaryFolder, type TestServer } from '../helpers/server.js';

interface Row {
  readonly title: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly method?: 'GET' | 'HEAD';
  readonly status: number;
  /** What the body holds; absent where the status says it all. */
  readonly body?: Buffer;
  /** Headers that must be so; null must be absent. */
  readonly told?: Readonly<Record<string, string | null>>;
}

const OWN = '/v1/datasets/own/data';
const EXT = '/v1/datasets/ext/data';
const VALUES = Float64Array.from({ length: 12 }, (_, i) => i + 0.25);
const BYTES = Buffer.from(VALUES.buffer);
const SPARSE_BYTES = 256 << 20;
const RAW = `${OWN}?format=raw`;
const NPY = `${OWN}?format=npy`;

let server: TestServer;
let root: string;
let npyBytes: Buffer;

t.before(async () => {
  root = temporaryFolder();
  fs.writeFileSync(path.join(root, 'ext.bin'), BYTES);
  server = await startServer({ env: { HYPERSLAB_ROOTS: root } });
  await post({ name: 'own', dtype: '<f8', shape: [4, 3] });
  await post({ name: 'ext', path: 'ext.bin', dtype: '<f8', shape: [4, 3], mode: 'r+' });
  await post({ name: 'sparse', dtype: 'u1', shape: [256, 1 << 20], sparse: true });
  const put = await server.fetch(OWN, { method: 'PUT', headers: RAW_BODY, body: new Uint8Array(BYTES) });
  t.equal(put.status, 200);
  npyBytes = Buffer.from(await (await server.fetch(NPY)).arrayBuffer());
  t.ok(npyBytes.subarray(-96).equals(BYTES));
});
t.teardown(async () => {
  await server.stop();
  fs.rmSync(server.dataDir, { recursive: true, force: true });
  fs.rmSync(root, { recursive: true, force: true });
});

const RAW_BODY = { 'content-type': 'application/octet-stream' };
const JSON_BODY = { 'content-type': 'application/json' };

const state = (format: string): Record<string, string> => ({
  etag: `"{own}.${format}"`,
  vary: 'Accept, Accept-Encoding',
  'cache-control': 'no-cache',
  'x-dataset-generation': '{own-generation}',
});

t.test('entity tags name id, generation and format; If-None-Match answers 304', async t => {
  const ifNone = (tag: string): Record<string, string> => ({ 'if-none-match': tag });
  await check(t, [
    { title: 'json is tagged', url: OWN, status: 200, told: state('json') },
    { title: 'raw is tagged', url: RAW, status: 200, body: BYTES, told: state('raw') },
    { title: 'npy is tagged', url: NPY, status: 200, told: state('npy') },
    {
      title: 'raw by Accept',
      url: OWN,
      headers: { accept: 'application/octet-stream' },
      status: 200,
      told: state('raw'),
    },
    { title: 'the tag itself', url: OWN, headers: ifNone('"{own}.json"'), status: 304, told: state('json') },
    { title: 'the tag of raw', url: RAW, headers: ifNone('"{own}.raw"'), status: 304, told: state('raw') },
    { title: 'the tag of npy', url: NPY, headers: ifNone('"{own}.npy"'), status: 304, told: state('npy') },
    { title: 'a list with it', url: OWN, headers: ifNone('"a", "b,c" , "{own}.json"'), status: 304 },
    { title: 'a list without it', url: OWN, headers: ifNone('"a", "{own}.raw"'), status: 200 },
    { title: 'its weak form', url: OWN, headers: ifNone('W/"{own}.json"'), status: 304 },
    { title: 'any', url: OWN, headers: ifNone('*'), status: 304 },
    { title: 'another format', url: OWN, headers: ifNone('"{own}.raw"'), status: 200 },
    { title: 'another generation', url: OWN, headers: ifNone('"{own}0.json"'), status: 200 },
    { title: 'no format', url: OWN, headers: ifNone('"{own}"'), status: 200 },
    { title: 'no quotes', url: OWN, headers: ifNone('{own}.json'), status: 200 },
    { title: 'a row', url: '/v1/datasets/own/rows/1', headers: ifNone('"{own}.json"'), status: 304 },
    { title: 'rows', url: '/v1/datasets/own/rows?stop=2', headers: ifNone('"{own}.json"'), status: 304 },
    { title: 'HEAD', method: 'HEAD', url: OWN, headers: ifNone('"{own}.json"'), status: 304, told: state('json') },
    { title: 'with a range', url: RAW, headers: { ...ifNone('"{own}.raw"'), range: 'bytes=0-3' }, status: 304 },
    {
      title: 'of a slice that does not fit',
      url: `${OWN}?slice=9`,
      headers: ifNone('*'),
      status: 422,
      told: { etag: null },
    },
  ]);
});

t.test('If-Match compares the generation, whatever the format, and comes first', async t => {
  const ifMatch = (tag: string): Record<string, string> => ({ 'if-match': tag });
  await check(t, [
    { title: 'no format', url: OWN, headers: ifMatch('"{own}"'), status: 200 },
    { title: 'the same format', url: OWN, headers: ifMatch('"{own}.json"'), status: 200 },
    { title: 'another format', url: OWN, headers: ifMatch('"{own}.raw"'), status: 200 },
    { title: 'a list', url: OWN, headers: ifMatch('"x.1", "{own}"'), status: 200 },
    { title: 'any', url: OWN, headers: ifMatch('*'), status: 200 },
    { title: 'a longer number', url: OWN, headers: ifMatch('"{own}0"'), status: 412, told: { etag: null } },
    { title: 'another id', url: OWN, headers: ifMatch('"{ext}"'), status: 412 },
    { title: 'a weak tag, which never matches', url: OWN, headers: ifMatch('W/"{own}"'), status: 412 },
    { title: 'no quotes', url: OWN, headers: ifMatch('{own}'), status: 412 },
    { title: 'raw', url: RAW, headers: ifMatch('"x.1"'), status: 412 },
    { title: 'HEAD', method: 'HEAD', url: RAW, headers: ifMatch('"x.1"'), status: 412 },
    { title: 'external, right', url: EXT, headers: ifMatch('"{ext}"'), status: 200 },
    { title: 'external, wrong', url: EXT, headers: ifMatch('"{own}"'), status: 412 },
    {
      title: 'before If-None-Match',
      url: OWN,
      headers: { ...ifMatch('"x.1"'), 'if-none-match': '"{own}.json"' },
      status: 412,
    },
  ]);

  const put = (tag: string, body = '0.5'): Promise<Response> =>
    server.fetch(`${EXT}?slice=0,0`, { method: 'PUT', headers: { ...JSON_BODY, 'if-match': tag }, body });
  const current = async (): Promise<string> => {
    const { id, generation } = await describe('ext');
    return `${id}.${generation}`;
  };
  const first = await current();
  t.equal((await put(`"${first}.npy"`)).status, 200, 'a write with the right tag of any format');
  const second = await current();
  t.not(second, first);
  const stale = await put(`"${first}"`, '99');
  t.match([stale.status, await stale.json()], [412, { code: 'generation_moved', current: `"${second}"` }]);
  t.equal(fs.readFileSync(path.join(root, 'ext.bin')).readDoubleLE(), 0.5, 'a write with a stale tag writes nothing');
  t.equal(await current(), second);
  t.equal((await put(`W/"${second}"`, '99')).status, 412);
  t.equal((await put('*', '0.25')).status, 200);
  t.ok(fs.readFileSync(path.join(root, 'ext.bin')).equals(BYTES));
});

t.test('external datasets have no tag and are not stored', async t => {
  const told = { etag: null, 'cache-control': 'no-store', 'last-modified': null };
  const tag = { 'if-none-match': '"{ext}.json"' };
  const rows: Row[] = ['', '?format=raw', '?format=npy'].map(query => ({
    title: `GET ${query}`,
    url: `${EXT}${query}`,
    status: 200,
    told,
  }));
  await check(t, [
    ...rows,
    { title: 'If-None-Match is not looked at', url: EXT, headers: tag, status: 200, told },
    { title: 'HEAD', method: 'HEAD', url: EXT, status: 200, told },
    {
      title: 'a range',
      url: `${EXT}?format=raw`,
      headers: { range: 'bytes=8-15' },
      status: 206,
      body: BYTES.subarray(8, 16),
      told,
    },
  ]);
  const patched = await server.fetch('/v1/datasets/ext', {
    method: 'PATCH',
    headers: JSON_BODY,
    body: '{"external":false}',
  });
  t.equal(patched.status, 200);
  await check(t, [
    {
      title: 'promised to be ours alone',
      url: EXT,
      status: 200,
      told: { etag: '"{ext}.json"', vary: 'Accept, Accept-Encoding' },
    },
    { title: 'and then not modified', url: EXT, headers: tag, status: 304 },
  ]);
  await server.fetch('/v1/datasets/ext', { method: 'PATCH', headers: JSON_BODY, body: '{"external":true}' });
});

t.test('ranges are bytes of the body, where the answer is contiguous', async t => {
  const range = (text: string, more: Record<string, string> = {}): Record<string, string> => ({ range: text, ...more });
  const part = (title: string, text: string, start: number, end: number): Row => ({
    title,
    url: RAW,
    headers: range(text),
    status: 206,
    body: BYTES.subarray(start, end),
    told: {
      ...state('raw'),
      'content-range': `bytes ${start}-${end - 1}/96`,
      'content-type': 'application/octet-stream',
    },
  });
  const whole = (title: string, headers: Record<string, string>): Row => ({
    title,
    url: RAW,
    headers,
    status: 200,
    body: BYTES,
    told: { 'content-range': null, 'accept-ranges': 'bytes' },
  });
  const none = (text: string): Row => ({
    title: `${text} is not there`,
    url: RAW,
    headers: range(text),
    status: 416,
    told: { 'content-range': 'bytes */96', etag: null },
  });
  const head = npyBytes.length - 96;
  const ofNpy = (text: string, start: number, end: number): Row => ({
    title: `npy ${text}`,
    url: NPY,
    headers: range(text),
    status: 206,
    body: npyBytes.subarray(start, end),
    told: { ...state('npy'), 'content-range': `bytes ${start}-${end - 1}/${npyBytes.length}` },
  });
  await check(t, [
    part('first to last', 'bytes=0-9', 0, 10),
    part('across elements', 'bytes=13-50', 13, 51),
    part('open', 'bytes=90-', 90, 96),
    part('suffix', 'bytes=-5', 91, 96),
    part('a suffix longer than the body', 'bytes=-1000', 0, 96),
    part('a last byte behind the end', 'bytes=5-100000', 5, 96),
    part('one byte', 'bytes=95-95', 95, 96),
    part('what Java sends', 'bytes=90-9223372036854775807', 90, 96),
    part('a last byte of any number of digits', `bytes=5-${'9'.repeat(400)}`, 5, 96),
    part('a suffix of any number of digits', `bytes=-${'9'.repeat(400)}`, 0, 96),
    part('leading zeros', `bytes=${'0'.repeat(30)}1-000000000000000000000000000002`, 1, 3),
    part('the unit in any case', 'BYTES=0-9', 0, 10),
    part('blanks and empty elements', 'bytes= ,\t0-9 ,', 0, 10),
    none(`bytes=${'9'.repeat(400)}-`),
    none(`bytes=9223372036854775807-${'9'.repeat(30)}`),
    whole('inverted, of any number of digits', range(`bytes=${'9'.repeat(400)}-${'9'.repeat(399)}`)),
    none('bytes=96-'),
    none('bytes=96-100'),
    none('bytes=-0'),
    whole('several ranges are ignored', range('bytes=0-1,4-5')),
    whole('another unit is ignored', range('rows=0-1')),
    whole('an inverted range is ignored', range('bytes=9-3')),
    whole('nonsense is ignored', range('bytes=a-b')),
    whole('no numbers are ignored', range('bytes=-')),
    whole('a sign is ignored', range('bytes=+1-2')),
    whole('blanks inside are ignored', range('bytes=1 - 2')),
    ofNpy('bytes=0-5', 0, 6),
    ofNpy(`bytes=${head - 4}-${head + 11}`, head - 4, head + 12),
    ofNpy('bytes=-16', npyBytes.length - 16, npyBytes.length),
    ofNpy(`bytes=${head}-`, head, npyBytes.length),
    {
      title: 'a contiguous slice',
      url: `${RAW}&slice=1:3`,
      headers: range('bytes=40-'),
      status: 206,
      body: BYTES.subarray(64, 72),
      told: { 'content-range': 'bytes 40-47/48' },
    },
    {
      title: 'a slice with gaps ignores it',
      url: `${RAW}&slice=:,1`,
      headers: range('bytes=0-7'),
      status: 200,
      body: Buffer.concat([1, 4, 7, 10].map(i => BYTES.subarray(8 * i, 8 * i + 8))),
      told: { 'content-range': null, 'accept-ranges': null },
    },
    {
      title: 'another byte order ignores it',
      url: `${RAW}&endian=big`,
      headers: range('bytes=0-7'),
      status: 200,
      body: Buffer.from(BYTES).swap64(),
    },
    { title: 'json ignores it', url: OWN, headers: range('bytes=0-7'), status: 200, told: { 'content-range': null } },
    {
      title: 'HEAD ignores it',
      method: 'HEAD',
      url: RAW,
      headers: range('bytes=0-7'),
      status: 200,
      told: { 'content-length': '96' },
    },
    {
      ...part('If-Range with the tag', 'bytes=0-9', 0, 10),
      headers: range('bytes=0-9', { 'if-range': '"{own}.raw"' }),
    },
    whole('If-Range with another tag', range('bytes=0-9', { 'if-range': '"{own}0.raw"' })),
    whole('If-Range with the tag of another format', range('bytes=0-9', { 'if-range': '"{own}.npy"' })),
    whole('If-Range with a weak tag', range('bytes=0-9', { 'if-range': 'W/"{own}.raw"' })),
    whole('If-Range with a date', range('bytes=0-9', { 'if-range': 'Fri, 20 Nov 2026 00:00:00 GMT' })),
    whole('If-Range that fails, with a range that is not there', range('bytes=96-', { 'if-range': '"x"' })),
    {
      title: 'If-Range on an external dataset, which has no tag',
      url: `${EXT}?format=raw`,
      headers: range('bytes=0-9', { 'if-range': '"{ext}.raw"' }),
      status: 200,
      body: BYTES,
    },
    {
      title: 'far inside a large array',
      url: '/v1/datasets/sparse/data?format=raw',
      headers: range('bytes=200000000-200000099'),
      status: 206,
      body: Buffer.alloc(100),
      told: { 'content-range': `bytes 200000000-200000099/${SPARSE_BYTES}` },
    },
    {
      title: 'more of a large array than is held at once',
      url: '/v1/datasets/sparse/data?format=raw',
      headers: range('bytes=-9000001'),
      status: 206,
      body: Buffer.alloc(9_000_001),
      told: { 'content-length': '9000001' },
    },
  ]);
});

t.test('HEAD answers with the headers of GET and nothing else', async t => {
  const urls = [OWN, RAW, NPY, EXT, `${EXT}?format=raw`, `${OWN}?slice=0:0`, `${RAW}&slice=:,::2`];
  for (const url of [...urls, `${OWN}?slice=9`, '/v1/datasets/own/rows/1', '/v1/datasets/own/rows?step=2&format=npy']) {
    const got = await onTheWire('GET', url);
    const headed = await onTheWire('HEAD', url);
    t.equal(headed.status, got.status, url);
    t.strictSame(headed.headers, got.headers, `headers of ${url}`);
    t.equal(Number(got.headers['content-length']), got.body.length);
    t.equal(headed.body.length, 0, `HEAD ${url} has no body`);
  }
  const large = await onTheWire('HEAD', '/v1/datasets/sparse/data?format=raw');
  t.match(large, { status: 200, headers: { 'content-length': String(SPARSE_BYTES) } });
});

/**
 * The data can be read in two ways only: by read calls, which `rchar` counts for all threads of the process, page cache
 * or not, or through a mapping, whose touched pages are in `RssFile` (windows stay mapped). Both stay far below the
 * 256 MiB that were asked for; the last two requests show that each of the measures sees what it is there for.
 */
t.test('304, 412, 416 and HEAD read no data', { skip: !fs.existsSync('/proc/self/io') && 'needs /proc' }, async t => {
  const url = '/v1/datasets/sparse/data?format=raw';
  const { id, generation } = await describe('sparse');
  const tag = `"${id}.${generation}.raw"`;
  await (await server.fetch(url, { headers: { range: 'bytes=0-0' } })).arrayBuffer();
  const costOf = async (
    where: string,
    init: RequestInit,
    status: number,
  ): Promise<{ read: number; mapped: number }> => {
    const before = readingOf(server.pid);
    const answer = await server.fetch(where, init);
    t.equal(answer.status, status);
    for await (const _ of answer.body ?? []);
    const after = readingOf(server.pid);
    return { read: after.read - before.read, mapped: after.mapped - before.mapped };
  };
  const cheap: [title: string, init: RequestInit, status: number][] = [
    ['304', { headers: { 'if-none-match': tag } }, 304],
    ['412', { headers: { 'if-match': `"${id}.${generation + 1}"` } }, 412],
    ['412 of a write', { method: 'PUT', headers: { ...RAW_BODY, 'if-match': '"x.1"' }, body: '7' }, 412],
    ['416', { headers: { range: `bytes=${SPARSE_BYTES}-` } }, 416],
    ['HEAD', { method: 'HEAD' }, 200],
  ];
  for (const [title, init, status] of cheap) {
    for (const slice of ['', '&slice=:,::2']) {
      // A range has no meaning, and is ignored, where there are gaps.
      if (status === 416 && slice !== '') continue;
      const target = init.method === 'PUT' ? `/v1/datasets/sparse/data?durability=none${slice}` : `${url}${slice}`;
      const { read, mapped } = await costOf(target, init, status);
      t.ok(read < 64 << 10, `${title} ${slice} read ${read} bytes`);
      t.ok(mapped < 4 << 20, `${title} ${slice} touched ${mapped} mapped bytes`);
    }
  }
  t.equal((await describe('sparse')).generation, generation);
  const whole = await costOf(url, {}, 200);
  const strided = await costOf(`${url}&slice=:,::2`, {}, 200);
  for (const { read, mapped } of [whole, strided]) {
    t.ok(Math.max(read, mapped) > SPARSE_BYTES / 2, `a full answer read ${read} and touched ${mapped} bytes`);
  }
});

async function check(t: Tap, rows: readonly Row[]): Promise<void> {
  const tags = await Promise.all(['own', 'ext'].map(describe));
  const fill = (text: string): string =>
    ['own', 'ext'].reduce(
      (filled, name, i) =>
        filled
          .replaceAll(`{${name}}`, `${tags[i]!.id}.${tags[i]!.generation}`)
          .replaceAll(`{${name}-generation}`, String(tags[i]!.generation)),
      text,
    );
  for (const { title, url, method = 'GET', headers = {}, status, body, told = {} } of rows) {
    const filled = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, fill(value)]));
    const answer = await server.fetch(url, { method, headers: filled });
    const bytes = Buffer.from(await answer.arrayBuffer());
    const faults: string[] = [];
    if (answer.status !== status) faults.push(`status ${answer.status}, not ${status}`);
    if (body && !bytes.equals(body)) faults.push(`the body has other bytes (${bytes.length}, not ${body.length})`);
    const length = answer.headers.get('content-length');
    if (status === 304 && bytes.length > 0) faults.push('304 with a body');
    if (status !== 304 && method === 'GET' && length !== String(bytes.length)) faults.push(`content-length ${length}`);
    for (const [name, wanted] of Object.entries(told)) {
      const found = answer.headers.get(name);
      const due = wanted === null ? null : fill(wanted);
      if (found !== due) faults.push(`${name}: ${found}, not ${due}`);
    }
    t.strictSame(faults, [], `${title}: ${status}`);
  }
}

type Tap = Pick<typeof t, 'strictSame'>;

async function describe(name: string): Promise<{ id: string; generation: number }> {
  return (await (await server.fetch(`/v1/datasets/${name}`)).json()) as { id: string; generation: number };
}

async function post(body: object): Promise<void> {
  const answer = await server.fetch('/v1/datasets', { method: 'POST', headers: JSON_BODY, body: JSON.stringify(body) });
  if (answer.status !== 201) throw new Error(await answer.text());
}

/** One request on a connection of its own, and every byte that comes back. */
async function onTheWire(
  method: string,
  url: string,
): Promise<{ status: number; headers: Record<string, string>; body: Buffer }> {
  const { hostname, port } = new URL(server.url);
  const socket = net.connect(Number(port), hostname);
  socket.write(`${method} ${url} HTTP/1.1\r\nHost: ${hostname}\r\nConnection: close\r\n\r\n`);
  const parts: Buffer[] = [];
  for await (const part of socket) parts.push(part as Buffer);
  const bytes = Buffer.concat(parts);
  const end = bytes.indexOf('\r\n\r\n');
  const [first, ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const headers = Object.fromEntries(
    lines.map(line => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  // These differ from one request to the next.
  delete headers['date'];
  delete headers['x-request-id'];
  return { status: Number(first!.split(' ')[1]), headers, body: bytes.subarray(end + 4) };
}

/** Bytes that a process has read by calls so far, and bytes of files that it has mapped and touched. */
function readingOf(pid: number): { read: number; mapped: number } {
  const io = fs.readFileSync(`/proc/${pid}/io`, 'utf8');
  const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
  return {
    read: Number(/^rchar: (\d+)/m.exec(io)![1]),
    mapped: Number(/^RssFile:\s+(\d+) kB/m.exec(status)![1]) * 1024,
  };
}

/** Readers and writers of one array at the same time: one answer, one generation, and nobody waits for a slow reader. */
import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import t from 'tap';
import { LIMITS } from '../../src/limits.js';
import { caseCount } from '../helpers/cases.js';
import { start } from '../helpers/server.js';
import { binary, create, eventually, get, KiB, MiB, rest, upload, metric } from './calls.js';

const WRITES = caseCount(15, 40);
const CONTINUED = caseCount(30, 100);

const server = await start(t);

/** 40 MiB of float64: much more than the kernel takes off the service's hands. */
const SHAPE = [2560, 2048];

/** An answer of which some bytes were taken, and then no more. */
interface Stalled {
  readonly response: IncomingMessage;
  readonly first: Buffer;
  readonly generation: number;
}

async function stall(name: string, query: string): Promise<Stalled> {
  const response = await get(`${server.url}/v1/datasets/${name}/data?format=raw${query}`);
  const parts: Buffer[] = [];
  for (let taken = 0; taken < 64 * KiB;) {
    const part = response.read() as Buffer | null;
    if (part) taken += parts.push(part) && part.byteLength;
    else await once(response, 'readable');
  }
  return { response, first: Buffer.concat(parts), generation: Number(response.headers['x-dataset-generation']) };
}

/** The one value that a whole answer is made of; undefined for a mixture, 'cut' where its end did not come. */
async function valueOf({ response, first }: Stalled, bigEndian = false): Promise<number | 'cut' | undefined> {
  const { bytes, whole } = await rest(response);
  return whole ? constantOf(Buffer.concat([first, bytes]), bigEndian) : 'cut';
}

function constantOf(bytes: Buffer, bigEndian = false): number | undefined {
  const value = bigEndian ? bytes.readDoubleBE(0) : bytes.readDoubleLE(0);
  return bytes.equals(Buffer.alloc(bytes.byteLength, bytes.subarray(0, 8))) ? value : undefined;
}

/** Fills the array, or a slice of it, with a value; resolves with the generation and how long it took. */
async function fill(name: string, value: number, slice = ''): Promise<{ generation: number; ms: number }> {
  const item = Buffer.alloc(8);
  item.writeDoubleLE(value);
  const started = performance.now();
  const response = await server.fetch(
    `/v1/datasets/${name}/data?slice=${encodeURIComponent(slice === '' ? '...' : slice)}`,
    binary('PUT', item),
  );
  const { generation } = (await response.json()) as { generation: number };
  if (response.status !== 200) throw new Error(`not written: ${response.status}`);
  return { generation, ms: performance.now() - started };
}

function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

t.test('stalled readers, contiguous and strided, get the generation that they began with, whole', async t => {
  await create(server, { name: 'rewritten', dtype: '<f8', shape: SHAPE });
  const alone: number[] = [];
  for (let i = 1; i <= 8; i++) alone.push((await fill('rewritten', i)).ms);
  const readers: { query: string; value: number; stalled: Stalled }[] = [];
  const beside: number[] = [];
  let value = 8;
  // Three generations of old bytes fit the bound.
  for (const queries of [['', '&slice=::-1'], ['&slice=:,::-1'], ['&slice=:,::2', '&endian=big']]) {
    const { generation, ms } = await fill('rewritten', ++value);
    beside.push(ms);
    for (const query of queries) {
      const stalled = await stall('rewritten', query);
      t.equal(stalled.generation, generation);
      readers.push({ query, value, stalled });
    }
  }
  for (let i = 0; i < 5; i++) beside.push((await fill('rewritten', ++value)).ms);
  for (const slice of ['5:9', ':,7', '::-3,::5', '2559']) beside.push((await fill('rewritten', ++value, slice)).ms);
  t.comment(`figure: write of 40 MiB, median ms: ${medianOf(alone).toFixed(1)}`);
  t.comment(`figure: the same beside stalled readers: ${medianOf(beside).toFixed(1)}`);
  const held = await metric(server, 'hyperslab_pre_image_bytes');
  t.ok(held > 2 * MiB && held <= LIMITS.preImageBytesMax, `${held} bytes are kept for them`);
  for (const { query, value: expected, stalled } of readers) {
    t.equal(await valueOf(stalled, query.includes('big')), expected, `data?format=raw${query}`);
  }
  t.ok(
    await eventually(async () => (await metric(server, 'hyperslab_pre_image_bytes')) === 0),
    'and nothing afterwards',
  );
});

t.test('past the bound the oldest readers are cut visibly, and the writer goes on', async t => {
  await create(server, { name: 'crowded', dtype: '<f8', shape: SHAPE });
  const readers: Stalled[] = [];
  for (let value = 1; value <= 8; value++) {
    await fill('crowded', value);
    readers.push(await stall('crowded', value % 2 === 0 ? '' : '&slice=::-1'));
    t.ok((await metric(server, 'hyperslab_pre_image_bytes')) <= LIMITS.preImageBytesMax);
  }
  await fill('crowded', 9);
  const answers: (number | 'cut' | undefined)[] = [];
  for (const reader of readers) answers.push(await valueOf(reader));
  const cut = answers.lastIndexOf('cut') + 1;
  t.ok(cut > 0 && cut < readers.length, `${cut} of ${readers.length} were cut`);
  t.strictSame(
    answers,
    readers.map((_, i) => (i < cut ? 'cut' : i + 1)),
    'the oldest',
  );
  t.ok(await eventually(async () => (await metric(server, 'hyperslab_pre_image_bytes')) === 0));
});

t.test('a stream without a commit cuts the readers of its file', async t => {
  const bytes = LIMITS.commitBytesMax + 8 * MiB;
  await create(server, { name: 'streamed', dtype: '<f8', shape: [bytes / 8], sparse: true });
  const reader = await stall('streamed', '');
  const sent = upload('PUT', `${server.url}/v1/datasets/streamed/data?durability=none`, {
    'content-type': 'application/octet-stream',
    'content-length': bytes,
  });
  await sent.send(Buffer.alloc(bytes / 2, 1));
  t.equal(await valueOf(reader), 'cut', 'before the stream has ended');
  await sent.send(Buffer.alloc(bytes / 2, 1));
  t.equal((await sent.finish()).status, 200);
});

/** One request on a kept connection. */
function ask(agent: http.Agent, path: string): Promise<{ status: number; generation: number; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const asked = http.get(`${server.url}${path}`, { agent }, response => {
      const { statusCode: status = 0, headers } = response;
      const answered = async (): Promise<{ status: number; generation: number; body: Buffer }> => {
        const { bytes: body, whole } = await rest(response);
        if (!whole) throw new Error('cut');
        return { status, generation: Number(headers['x-dataset-generation']), body };
      };
      resolve(answered());
    });
    asked.on('error', reject);
  });
}

t.test('generations never go back on a connection, and every answer is that of its generation', async t => {
  await create(server, { name: 'followed', dtype: '<f8', shape: [1024, 512] });
  const valueAt = new Map<number, number>([[(await fill('followed', 0)).generation, 0]]);
  const progress = { isWriting: true };
  const writers = Array.from({ length: 2 }, async (_, writer) => {
    for (let i = 0; i < WRITES; i++) {
      const value = 1 + 2 * i + writer;
      valueAt.set((await fill('followed', value)).generation, value);
    }
  });
  const seen: { call: string; generation: number; value: number | undefined }[] = [];
  let cuts = 0;
  let busy = 0;
  const calls = [
    'data?format=raw',
    'data?format=raw&slice=::-1',
    'data?slice=3,:5',
    'rows/7',
    'statistics?ops=min,max',
  ];
  const readers = Array.from({ length: 6 }, async (_, reader) => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    let last = 0;
    for (let turn = reader; progress.isWriting; turn++) {
      const call = calls[turn % calls.length]!;
      const answer = await ask(agent, `/v1/datasets/followed/${call}`).catch(() => undefined);
      if (answer?.status === 503) busy++;
      else if (answer) {
        if (answer.generation < last) t.fail(`${call}: generation ${answer.generation} after ${last}`);
        last = answer.generation;
        seen.push({ call, generation: last, value: valueIn(call, answer.body) });
      } else cuts++;
    }
    agent.destroy();
  });
  await Promise.all(writers);
  progress.isWriting = false;
  await Promise.all(readers);
  t.equal(cuts, 0, 'none was cut');
  t.comment(`${seen.length} answers, ${busy} statistics gave up`);
  t.strictSame(
    seen.filter(({ generation, value }) => value === undefined || valueAt.get(generation) !== value),
    [],
  );
  for (const call of calls)
    t.ok(
      seen.some(each => each.call === call),
      call,
    );

  function valueIn(call: string, body: Buffer): number | undefined {
    if (call.includes('raw')) return constantOf(body);
    const { data, results } = JSON.parse(body.toString()) as { data: number[]; results: Record<string, number> };
    const values = call.startsWith('statistics') ? Object.values(results) : data;
    return values.every(value => value === values[0]) ? values[0] : undefined;
  }
});

t.test('a byte range that continues a download is of the state that If-Range names', async t => {
  await create(server, { name: 'resumed', dtype: '<f8', shape: [1024, 512] });
  const progress = { isWriting: true };
  const writer = (async () => {
    for (let value = 1; progress.isWriting; value++) await fill('resumed', value);
  })();
  const url = '/v1/datasets/resumed/data?format=raw';
  let partial = 0;
  for (let i = 0; i < CONTINUED; i++) {
    const head = await server.fetch(url, { method: 'HEAD' });
    const tag = head.headers.get('etag')!;
    const answer = await server.fetch(url, { headers: { range: 'bytes=100-', 'if-range': tag } });
    const { byteLength } = await answer.arrayBuffer();
    const isWhole = answer.status === 200;
    if (byteLength !== 1024 * 512 * 8 - (isWhole ? 0 : 100)) t.fail(`${byteLength} bytes under ${answer.status}`);
    if (isWhole) continue;
    partial++;
    if (answer.headers.get('etag') !== tag) t.fail(`${tag} was continued by ${answer.headers.get('etag')}`);
  }
  progress.isWriting = false;
  await writer;
  t.ok(partial > 0, `${partial} of ${CONTINUED} were continued`);
});

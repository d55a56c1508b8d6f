/**
 * Writes of selections that hold nothing: one that starts behind the end is a mistake, and is told; any other writes
 * nothing, as in numpy, and moves nothing.
 */
import t from 'tap';
import { npyHeader } from '../../src/formats/index.js';
import { parseDType } from '../../src/dtype/index.js';
import { startHere } from '../helpers/service-here.js';

type Body = 'scalar' | 'rows' | 'nothing';
type Outcome = 'outside' | 'nothing' | 'written';

/** Slices of an array of 10 × 3, what they are answered with a body that has elements, and the shape that they select. */
const SLICES: readonly [slice: string, outcome: Outcome, shape: number[]][] = [
  ['10:12', 'outside', [0, 3]],
  ['10:', 'outside', [0, 3]],
  ['10:,', 'outside', [0, 3]],
  ['10:-1', 'outside', [0, 3]],
  ['12:11:-1', 'outside', [0, 3]],
  ['10:9:-1', 'outside', [0, 3]],
  ['..., 3:4', 'outside', [10, 0]],
  ['2:5, 7:8', 'outside', [3, 0]],
  ['5:5, 3:4', 'outside', [0, 0]],
  ['newaxis, 10:11', 'outside', [1, 0, 3]],
  ['5:5', 'nothing', [0, 3]],
  ['10:10', 'nothing', [0, 3]],
  ['12:11', 'nothing', [0, 3]],
  ['7:3', 'nothing', [0, 3]],
  ['3:7:-1', 'nothing', [0, 3]],
  [':-10', 'nothing', [0, 3]],
  ['0, 1:1', 'nothing', [0]],
  ['10::-1', 'written', [10, 3]],
  ['99:8:-1', 'written', [1, 3]],
  ['8:12', 'written', [2, 3]],
];

const WAYS: readonly [format: string, query: string, chunked: boolean][] = [
  ['json', '', false],
  ['raw', '', false],
  ['raw', '&durability=none', true],
  ['npy', '&durability=none', false],
];

const DTYPE = parseDType('<i4');

/** A body of each format: one item, rows that would have been appended, or as many elements as the selection has. */
function bodyOf(format: string, body: Body, shape: readonly number[]): { type: string; bytes: Buffer } {
  const rows = body === 'scalar' ? [] : body === 'rows' ? [2, 3] : shape;
  const size = rows.reduce((product, length) => product * length, 1);
  const data = Buffer.from(Int32Array.from({ length: size }, (_, i) => i + 1).buffer);
  if (format === 'raw') return { type: 'application/octet-stream', bytes: data };
  if (format === 'npy') {
    return {
      type: 'application/x-npy',
      bytes: Buffer.concat([npyHeader({ dtype: DTYPE, shape: rows, order: 'C' }), data]),
    };
  }
  return { type: 'application/json', bytes: Buffer.from(JSON.stringify(nested(rows))) };
}

function nested([length, ...rest]: readonly number[]): unknown {
  return length === undefined ? 1 : Array.from({ length }, () => nested(rest));
}

t.test('a write behind the end is told so, other empty ones write and move nothing', async t => {
  const server = await startHere(t);
  const made = await server.fetch('/v1/datasets', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'm', dtype: '<i4', shape: [10, 3] }),
  });
  t.equal(made.status, 201);
  const state = async (): Promise<[string | null, string]> => {
    const answer = await server.fetch('/v1/datasets/m/data?format=raw');
    return [answer.headers.get('etag'), Buffer.from(await answer.arrayBuffer()).toString('hex')];
  };
  const write = async (
    slice: string,
    query: string,
    { type, bytes }: { type: string; bytes: Buffer },
    chunked = false,
  ) =>
    server.fetch(`/v1/datasets/m/data?slice=${encodeURIComponent(slice)}${query}`, {
      method: 'PUT',
      headers: { 'content-type': type },
      ...(chunked ? { body: new Blob([new Uint8Array(bytes)]).stream(), duplex: 'half' } : { body: bytes }),
    });
  for (const [slice, outcome, shape] of SLICES) {
    if (outcome === 'written') {
      t.equal((await write(slice, '', bodyOf('json', 'scalar', shape))).status, 200, slice);
      continue;
    }
    const before = await state();
    for (const [format, query, chunked] of WAYS) {
      const title = `${slice} ${format}${query}${chunked ? ' chunked' : ''}`;
      const scalar = await write(slice, query, bodyOf(format, 'scalar', shape), chunked);
      const problem = (await scalar.json()) as Record<string, unknown>;
      if (outcome === 'outside')
        t.match({ status: scalar.status, problem }, { status: 422, problem: { code: 'outside' } }, title);
      else t.match({ status: scalar.status, problem }, { status: 200, problem: { elements: 0, bytes: 0 } }, title);
      const rows = await write(slice, query, bodyOf(format, 'rows', shape), chunked);
      const { code } = (await rows.json()) as { code: string };
      t.equal(rows.status, 422, `${title}, rows`);
      if (outcome === 'outside') t.equal(code, 'outside', `${title}, rows`);
      else t.match(code, /^(shape|body_size)_mismatch$/, `${title}, rows`);
      const nothing = await write(slice, query, bodyOf(format, 'nothing', shape), chunked);
      // JSON has no lists of nothing that know how long their lists are: [] is of shape [0].
      const fits = format !== 'json' || shape.at(-1) === 0;
      const due = fits ? [200, { elements: 0 }] : [422, { code: 'shape_mismatch' }];
      t.match([nothing.status, await nothing.json()], due, `${title}, no elements`);
    }
    t.strictSame(await state(), before, `${slice} moved nothing`);
  }
});

t.test('a batch with one write behind the end is refused whole; one of nothing moves nothing', async t => {
  const server = await startHere(t);
  const create = (name: string, shape: number[]): Promise<Response> =>
    server.fetch('/v1/datasets', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name, dtype: '<i4', shape }),
    });
  await create('m', [10]);
  await create('none', [0, 3]);
  const batch = async (name: string, ...slices: string[]): Promise<[number, Record<string, unknown>]> => {
    const answer = await server.fetch(`/v1/datasets/${name}/writes`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ writes: slices.map(slice => ({ slice, data: 1 })) }),
    });
    return [answer.status, (await answer.json()) as Record<string, unknown>];
  };
  const parts = async (slice: string, data: Buffer): Promise<[number, Record<string, unknown>]> => {
    const form = new FormData();
    form.append('list', new Blob([JSON.stringify({ writes: [{ slice }] })], { type: 'application/json' }));
    form.append('part', new Blob([new Uint8Array(data)], { type: 'application/octet-stream' }));
    const answer = await server.fetch('/v1/datasets/m/writes', { method: 'POST', body: form });
    return [answer.status, (await answer.json()) as Record<string, unknown>];
  };
  const stateOf = async (name: string): Promise<unknown> => (await server.fetch(`/v1/datasets/${name}/data`)).json();

  const before = await stateOf('m');
  t.match(await batch('m', '0', '10:11'), [422, { code: 'outside', index: 1, axis: 0, length: 10 }]);
  t.match(await parts('10:12', Buffer.alloc(8)), [422, { code: 'outside', index: 0 }]);
  t.match(await parts('10:12', Buffer.alloc(4)), [422, { code: 'outside', index: 0 }]);
  t.match(await parts('10:12', Buffer.alloc(0)), [200, { elements: 0 }]);
  t.match(await batch('m', '5:5', '7:2'), [200, { elements: 0, writes: 2, generation: 1 }]);
  t.strictSame(await stateOf('m'), before, 'nothing was written, and no generation made');
  t.match(await batch('m', '5:5', '3'), [200, { elements: 1, writes: 2, generation: 2 }]);

  t.match(await batch('none', ':', '...'), [200, { elements: 0, generation: 1 }]);
  t.match(await batch('none', '0:'), [422, { code: 'outside' }]);
  t.match(await batch('none', '-1:'), [200, { elements: 0, generation: 1 }]);
});

t.test(
  'a write of nothing is still refused where a write is, and other calls that change nothing move nothing',
  async t => {
    const server = await startHere(t);
    const json = { 'content-type': 'application/json' };
    const send = async (
      method: string,
      where: string,
      body?: string,
      headers = json,
    ): Promise<[number, Record<string, unknown>]> => {
      const answer = await server.fetch(`/v1/datasets${where}`, {
        method,
        headers,
        ...(body !== undefined && { body }),
      });
      return [answer.status, (await answer.json()) as Record<string, unknown>];
    };
    await send('POST', '', JSON.stringify({ name: 'm', dtype: 'f8', shape: [4], attrs: { a: 1 }, dims: ['x'] }));
    t.match(await send('PUT', '/m/data?slice=1:1', '1', { ...json, 'if-match': '"00.1"' } as typeof json), [
      412,
      { code: 'generation_moved' },
    ]);
    for (const body of [
      '{}',
      '{"attrs":{}}',
      '{"attrs":{"a":1}}',
      '{"dims":["x"]}',
      '{"mode":"r+"}',
      '{"external":false}',
    ]) {
      t.match(await send('PATCH', '/m', body), [200, { generation: 1, attrs: { a: 1 }, dims: ['x'] }], body);
    }
    t.match(await send('POST', '/m/flush', '{}'), [200, { generation: 1 }]);
    await send('PATCH', '/m', '{"mode":"r"}');
    t.match(await send('PUT', '/m/data?slice=1:1', '1'), [403, { code: 'read_only' }]);
    t.match(await send('GET', '/m'), [200, { generation: 1 }]);
  },
);

/** Many slices, one commit: all of them or none, in order, in both body formats. */
import t from 'tap';
import { type Service } from '../helpers/server.js';
import { startHere } from '../helpers/service-here.js';
import { create, describe, json, outcome, readRaw } from '../system/calls.js';

const server = await startHere(t);
await create(server, { name: 'grid', dtype: '<i8', shape: [4, 5] });
const WRITES = '/v1/datasets/grid/writes';

async function grid(from: Service = server): Promise<string[]> {
  const bytes = await readRaw(from, 'grid');
  return Array.from({ length: 20 }, (_, i) => bytes.readBigInt64LE(8 * i).toString());
}

function zeros(): string[] {
  return Array.from({ length: 20 }, () => '0');
}

function form(list: unknown, parts: readonly (readonly [type: string, bytes: Uint8Array<ArrayBuffer>])[]): RequestInit {
  const body = new FormData();
  body.append('writes', new Blob([JSON.stringify(list)], { type: 'application/json' }));
  for (const [type, bytes] of parts) body.append('data', new Blob([bytes], { type }));
  return { method: 'POST', body };
}

const RAW = 'application/octet-stream';

function int64(...values: bigint[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(BigInt64Array.from(values).buffer);
}

t.test('a JSON batch is applied in order, as one generation, with all digits', async t => {
  const before = await describe(server, 'grid');
  const body =
    '{ "writes": [ {"slice": "0", "data": 7}, {"data": [1, 2], "slice": "0,1:3"}, {"slice":"3,4","data":9223372036854775807} ] }';
  const response = await server.fetch(WRITES, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  t.equal(response.status, 200);
  t.equal(response.headers.get('x-dataset-generation'), String(before.generation + 1));
  t.strictSame(await response.json(), {
    dataset: 'grid',
    generation: before.generation + 1,
    writes: 3,
    elements: 8,
    bytes: 64,
    durability: 'commit',
  });
  const expected = zeros();
  expected.splice(0, 5, '7', '1', '2', '7', '7');
  expected[19] = '9223372036854775807';
  t.strictSame(await grid(), expected);
  t.equal((await server.fetch(WRITES, json('POST', { writes: [{ data: 0 }] }))).status, 200, 'no slice is everything');
});

t.test('a multipart batch takes raw parts, npy parts and single items', async t => {
  const npyHeader = "{'descr': '<i4', 'fortran_order': False, 'shape': (2, 1), }".padEnd(117) + '\n';
  const npy = Buffer.concat([
    Buffer.from('\x93NUMPY\x01\x00v\x00', 'latin1'),
    Buffer.from(npyHeader),
    Buffer.from(Int32Array.of(-3, -4).buffer),
  ]);
  const list = { writes: [{ slice: '0' }, { slice: '1:3,::2' }, { slice: '3,-2:' }] };
  const response = await server.fetch(
    WRITES,
    form(list, [
      [RAW, int64(1n, 2n, 3n, 4n, 5n)],
      ['application/x-npy', npy],
      [RAW, int64(8n)],
    ]),
  );
  t.equal(response.status, 200, await response.clone().text());
  const expected = ['1', '2', '3', '4', '5', '-3', '0', '-3', '0', '-3', '-4', '0', '-4', '0', '-4'];
  t.strictSame(await grid(), [...expected, '0', '0', '0', '8', '8']);
  await server.fetch(WRITES, json('POST', { writes: [{ data: 0 }] }));
});

t.test('raw parts of a batch may come in the other byte order', async t => {
  const response = await server.fetch(
    `${WRITES}?endian=big`,
    form({ writes: [{ slice: '2,2' }] }, [[RAW, Buffer.of(0, 0, 0, 0, 0, 0, 1, 2)]]),
  );
  t.equal(response.status, 200);
  t.equal((await grid())[12], '258');
  await server.fetch(WRITES, json('POST', { writes: [{ data: 0 }] }));
});

t.test('one write that is wrong leaves nothing written, and is named', async t => {
  const { generation, id } = await describe(server, 'grid');
  const good = { slice: '0', data: 1 };
  const cases: readonly [string, RequestInit, string, Record<string, unknown>][] = [
    [
      'out of bounds',
      json('POST', { writes: [good, { slice: '4', data: 1 }] }),
      '422 index_out_of_bounds',
      { index: 1 },
    ],
    ['shape', json('POST', { writes: [good, { slice: '1', data: [1, 2] }] }), '422 shape_mismatch', { index: 1 }],
    ['value', json('POST', { writes: [good, good, { slice: '1', data: 0.5 }] }), '422 would_lose', { index: 2 }],
    ['slice', json('POST', { writes: [{ slice: 'x', data: 1 }] }), '400 bad_slice', { index: 0 }],
    ['no data', json('POST', { writes: [{ slice: '0' }] }), '400 bad_json', { index: 0 }],
    ['member', json('POST', { writes: [{ slice: '0', data: 1, here: 2 }] }), '400 bad_json', {}],
    ['two selections', json('POST', { writes: [{ slice: '0', data: 1, where: 2 }] }), '400 bad_request', {}],
    ['empty', json('POST', { writes: [] }), '400 bad_json', {}],
    ['no list', json('POST', {}), '400 bad_json', {}],
    ['a list', json('POST', [good]), '400 bad_json', {}],
    ['an object as a value', json('POST', { writes: [{ slice: '0', data: { a: 1 } }] }), '400 bad_json', { index: 0 }],
    ['too many', json('POST', { writes: Array.from({ length: 10_001 }, () => good) }), '413 too_large', {}],
    [
      'too few parts',
      form({ writes: [{ slice: '0' }, { slice: '1' }] }, [[RAW, int64(1n)]]),
      '422 body_size_mismatch',
      {},
    ],
    ['part size', form({ writes: [{ slice: '0' }] }, [[RAW, int64(1n, 2n)]]), '422 body_size_mismatch', { index: 0 }],
    [
      'part type',
      form({ writes: [{ slice: '0' }] }, [['text/csv', int64(1n)]]),
      '415 unsupported_media_type',
      { index: 0 },
    ],
    ['cut npy', form({ writes: [{ slice: '0' }] }, [['application/x-npy', int64(1n)]]), '400 bad_npy', { index: 0 }],
    ['data twice', form({ writes: [good] }, [[RAW, int64(1n)]]), '400 bad_request', { index: 0 }],
    [
      'no boundary',
      { method: 'POST', headers: { 'content-type': 'multipart/form-data' }, body: 'x' },
      '400 bad_request',
      {},
    ],
    [
      'cut multipart',
      { method: 'POST', headers: { 'content-type': 'multipart/form-data; boundary=b' }, body: '--b\r\nContent-' },
      '400 bad_request',
      {},
    ],
    ['raw', { method: 'POST', headers: { 'content-type': RAW }, body: 'x' }, '415 unsupported_media_type', {}],
    [
      'an old generation',
      {
        ...json('POST', { writes: [good] }),
        headers: { 'content-type': 'application/json', 'if-match': `"${id}.${generation - 1}"` },
      },
      '412 generation_moved',
      {},
    ],
  ];
  for (const [title, init, expected, values] of cases) {
    const response = await server.fetch(WRITES, init);
    t.equal(await outcome(response.clone()), expected, title);
    t.match(await response.json(), values, title);
  }
  t.strictSame(await grid(), zeros());
  t.equal((await describe(server, 'grid')).generation, generation);
});

t.test('a batch larger than a commit may be is refused before it is read', async t => {
  const small = await startHere(t, { env: { HYPERSLAB_COMMIT_BYTES_MAX: '64' } });
  await create(small, { name: 'grid', dtype: '<i8', shape: [4, 5] });
  const two = {
    writes: [
      { slice: '0', data: 1 },
      { slice: '1', data: 1 },
    ],
  };
  t.equal(await outcome(small.fetch(WRITES, json('POST', two))), '413 too_large');
  t.equal(await outcome(small.fetch(WRITES, json('POST', { writes: [two.writes[0]] }))), '200');
  t.equal((await grid(small))[5], '0');
});

t.test('a dataset of mode r refuses a batch', async t => {
  await create(server, { name: 'reader', path: 'arrays/grid.npy' });
  const answer = server.fetch('/v1/datasets/reader/writes', json('POST', { writes: [{ data: 0 }] }));
  t.equal(await outcome(answer), '403 read_only');
});

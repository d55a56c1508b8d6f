/** JSON of every kind of dtype through the door: made, written, read, refused; the file is numpy's to look at. */
import fs from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { startHere } from '../helpers/service-here.js';
import { json } from '../system/calls.js';

type Answer = Record<string, unknown>;

/** Padding before, between and behind; fields out of order; a field of fields, in a sub-array. */
const RECORD = {
  names: ['t', 'tag', 'z', 'parts'],
  formats: [
    '<M8[s]',
    '|S3',
    '>c8',
    [
      [
        ['n', '<i8'],
        ['u', '<U2'],
      ],
      [2],
    ],
  ],
  offsets: [21, 1, 5, 30],
  itemsize: 64,
};
const FILL = {
  t: '2024-05-01T12:00:00',
  tag: 'ab',
  z: [1, 'NaN'],
  parts: [
    { n: '9007199254740993', u: '😀' },
    { n: -1, u: '' },
  ],
};

t.test('every kind goes in and comes out as the table says', async t => {
  const service = await startHere(t);
  const call = async (where: string, init?: RequestInit): Promise<Answer> =>
    (await (await service.fetch(where, init)).json()) as Answer;
  const rows: readonly (readonly [dtype: unknown, fill: unknown, written: unknown, read: unknown])[] = [
    [
      '<c16',
      [0, 1],
      [
        [1.5, 'Infinity'],
        [-0.5, 2],
      ],
      [
        [1.5, 'Infinity'],
        [-0.5, 2],
      ],
    ],
    [
      '>M8[ms]',
      '1999-12-31',
      ['2024-05-01T01:02:03.5+01:30', 7],
      ['2024-04-30T23:32:03.500', '1970-01-01T00:00:00.007'],
    ],
    ['<M8[3Y]', 'NaT', ['1973', 'nat'], ['1973', 'NaT']],
    ['<M8', 5, [7, '8'], [7, 8]],
    ['<m8[h]', '-3', [7, 'NaT'], [7, 'NaT']],
    ['|S4', 'é', ['a\u0000b', 'abcd'], ['a\u0000b', 'abcd']],
    ['>U3', 'ü', ['😀\u0000!', ''], ['😀\u0000!', '']],
    ['|V3', 'AQID', ['/w==', ''], ['/wAA', 'AAAA']],
  ];
  for (const [i, [dtype, fill, written, read]] of rows.entries()) {
    const name = `kind${i}`;
    const made = await service.fetch('/v1/datasets', json('POST', { name, dtype, shape: [3], fill }));
    t.equal(made.status, 201, String(dtype));
    const put = await service.fetch(`/v1/datasets/${name}/data?slice=1:`, json('PUT', written));
    t.equal(put.status, 200, String(dtype));
    const { data } = await call(`/v1/datasets/${name}/data`);
    t.strictSame((data as unknown[]).slice(1), read, String(dtype));
    // What is read can be written, and is the same again.
    await service.fetch(`/v1/datasets/${name}/data`, json('PUT', data));
    t.strictSame((await call(`/v1/datasets/${name}/data`))['data'], data, String(dtype));
  }
});

t.test('structures: fill, one item, a batch, and the padding that stays', async t => {
  const service = await startHere(t);
  const call = async (where: string, init?: RequestInit): Promise<Answer> =>
    (await (await service.fetch(where, init)).json()) as Answer;
  const file = path.join(service.dataDir, 'arrays', 'records.raw');
  await call('/v1/datasets', json('POST', { name: 'records', dtype: RECORD, shape: [4], format: 'raw', fill: FILL }));
  const quoted = {
    ...FILL,
    parts: [
      { n: '9007199254740993', u: '😀' },
      { n: '-1', u: '' },
    ],
  };
  const read = async (slice: string): Promise<unknown> =>
    (await call(`/v1/datasets/records/data?int64=string&slice=${slice}`))['data'];
  t.strictSame(await read(':'), [quoted, quoted, quoted, quoted]);

  const noise = Buffer.from(Array.from({ length: 4 * 64 }, (_, i) => 200 - (i % 50)));
  const raw = { method: 'PUT', body: noise, headers: { 'content-type': 'application/octet-stream' } };
  t.equal((await service.fetch('/v1/datasets/records/data', raw)).status, 200);
  const item = { parts: FILL.parts, z: [0, 0], tag: '', t: 'NaT' };
  t.equal((await service.fetch('/v1/datasets/records/data?slice=1', json('PUT', item))).status, 200);
  const writes = [
    { slice: '2', data: { ...item, tag: 'abc' } },
    { slice: '3', data: { ...item, tag: 'x' } },
  ];
  t.equal((await service.fetch('/v1/datasets/records/writes', json('POST', { writes }))).status, 200);
  t.strictSame(await read('1'), { ...quoted, z: [0, 0], tag: '', t: 'NaT' });
  t.strictSame(Object.keys((await read('1')) as object), RECORD.names, 'in the order of the dtype');
  t.equal(((await read('2')) as Answer)['tag'], 'abc');
  t.equal(((await read('3')) as Answer)['tag'], 'x');
  t.equal((await service.fetch('/v1/datasets/records/flush', { method: 'POST' })).status, 200);
  const bytes = fs.readFileSync(file);
  for (const row of [1, 2]) {
    const places = [0, 4, 13, 20, 29, 62, 63].map(at => 64 * row + at);
    t.strictSame(
      places.map(at => bytes[at]),
      places.map(at => noise[at]),
      `the padding of row ${row}`,
    );
  }
});

t.test('a refusal names the element, the field and the position, and changes nothing', async t => {
  const service = await startHere(t);
  await service.fetch(
    '/v1/datasets',
    json('POST', {
      name: 'r',
      dtype: [
        ['d', '<M8[D]'],
        ['x', '<f4'],
      ],
      shape: [2],
    }),
  );
  const put = async (body: unknown): Promise<Answer> =>
    (await (await service.fetch('/v1/datasets/r/data', json('PUT', body))).json()) as Answer;
  const good = { d: '2024-05-01', x: 1 };
  const bad = await put([good, { ...good, d: 'soon' }]);
  t.match(bad, { status: 422, code: 'bad_value', index: 1, field: 'd', position: 31, value: '"soon"' });
  t.match(await put([good, { ...good, d: '2024-05-01T23:59' }]), { status: 422, code: 'would_lose', field: 'd' });
  t.match(await put([good, { ...good, y: 1 }]), { status: 422, code: 'unknown_field', field: 'y', fields: ['d', 'x'] });
  t.match(await put([good, { d: 'NaT' }]), { status: 422, code: 'bad_value', missing: 'x' });
  const { data } = (await (await service.fetch('/v1/datasets/r/data')).json()) as Answer;
  const untouched = { d: '1970-01-01', x: 0 };
  t.strictSame(data, [untouched, untouched]);
});

t.test('what JSON cannot hold, or would become too much, is refused before it is read', async t => {
  const service = await startHere(t);
  const make = (name: string, dtype: unknown, shape: number[]): Promise<Response> =>
    service.fetch('/v1/datasets', json('POST', { name, dtype, shape, sparse: true }));
  const problem = async (name: string, query = ''): Promise<Answer> =>
    (await (await service.fetch(`/v1/datasets/${name}/data${query}`)).json()) as Answer;
  await make('long', '<f16', [3]);
  t.match(await problem('long'), { status: 422, code: 'unsupported_dtype', instead: ['raw', 'npy'] });
  t.match(await problem('long', '?slice=0'), { status: 422, code: 'unsupported_dtype' });
  t.equal((await service.fetch('/v1/datasets/long/data?format=raw')).status, 200);

  await make('texts', '<U100', [250_000]);
  t.match(await problem('texts'), { status: 413, code: 'too_large', shape: [250_000] });
  t.equal(((await problem('texts', '?slice=:50000'))['data'] as unknown[]).length, 50_000);
  await make(
    'wide',
    [
      ['a', '<f4', [1000]],
      ['b', '<f4'],
    ],
    [1000],
  );
  t.match(await problem('wide'), { status: 413, code: 'too_large', asked: 1_001_000 });
  await make('huge', '|S15000000', [2]);
  t.match(await problem('huge', '?slice=0'), { status: 413, code: 'too_large' });
  await make('padded', { names: ['a'], formats: ['<f4'], offsets: [0], itemsize: 1_000_000 }, [1000]);
  t.match(await problem('padded'), { status: 413, code: 'too_large' }, 'whole items are read');
});

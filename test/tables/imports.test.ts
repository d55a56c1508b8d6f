/** Tables that are taken, through the door: what is sent comes back, what pandas writes is read, and what is no table is told. */
import fs from 'node:fs';
import t from 'tap';
import { caseCount } from '../helpers/cases.js';
import { NO_NUMPY, PYTHON, runPythonBeside } from '../helpers/python.js';
import { temporaryFolder, type Service } from '../helpers/server.js';
import { startHere } from '../helpers/service-here.js';
import { binary, json } from '../system/calls.js';

t.test('what is sent comes back, and what pandas writes', { skip: PYTHON === undefined && NO_NUMPY }, async t => {
  const root = temporaryFolder();
  t.teardown(() => fs.rmSync(root, { recursive: true }));
  const server = await startHere(t, { env: { HYPERSLAB_ROOTS: root } });
  const args = [server.url, root, '1', String(caseCount(12, 1000))];
  t.equal(await runPythonBeside('tables/imports.py', args), '');
});

const TYPES = { csv: 'text/csv', ndjson: 'application/x-ndjson' } as const;

/** What a body becomes, in short: dtype, shape, values, and the names of columns. */
async function imported(
  server: Service,
  body: string | Buffer,
  query = '',
  type: string = TYPES.csv,
): Promise<unknown[]> {
  const init = binary('PUT', Buffer.from(body), type);
  const answer = await server.fetch(`/v1/datasets/x?overwrite=true&${query}`, init);
  const told = (await answer.json()) as Record<string, unknown>;
  if (!answer.ok) return [answer.status, told['code'], told['line'], told['column']].filter(each => each !== undefined);
  const { data } = (await (await server.fetch('/v1/datasets/x/data')).json()) as { data: unknown };
  const { columns } = told['attrs'] as { columns?: string[] };
  return [told['dtype'], data, ...(columns ? [columns] : [])];
}

t.test('all rows decide what a column is', async t => {
  const server = await startHere(t);
  const column: readonly (readonly [cells: string, dtype: string, data: unknown])[] = [
    ['1\n-2\n', '<i8', [1, -2]],
    ['1\n \n', '<f8', [1, 'NaN']],
    ['007\n+5\n 6 \n', '<i8', [7, 5, 6]],
    ['1\n2.5e1\n.5\n5.\n', '<f8', [1, 25, 0.5, 5]],
    ['NaN\nnull\nNA\n""\n-1\n', '<f8', ['NaN', 'NaN', 'NaN', 'NaN', -1]],
    ['inf\n-Infinity\n+INF\n1e5\n', '<f8', ['Infinity', '-Infinity', 'Infinity', 100_000]],
    ['""\n""\n', '<f8', ['NaN', 'NaN']],
    ['true\nFalse\nTRUE\n', '|b1', [true, false, true]],
    ['true\n""\n', '<U4', ['true', '']],
    ['1\ntrue\n', '<U4', ['1', 'true']],
    ['9223372036854775807\n0\n', '<i8', ['9223372036854775807', '0']],
    ['9223372036854775808\n0\n', '<u8', ['9223372036854775808', '0']],
    ['9223372036854775808\n-1\n', '<U19', ['9223372036854775808', '-1']],
    ['18446744073709551616\n1.5\n', '<U20', ['18446744073709551616', '1.5']],
    ['9223372036854775808\n""\n', '<U19', ['9223372036854775808', '']],
    ['9007199254740993\n0.5\n', '<f8', [9_007_199_254_740_992, 0.5]],
    [
      '1.5-2.0j\nNaN+infj\n""\n3\n',
      '<c16',
      [
        [1.5, -2],
        ['NaN', 'Infinity'],
        ['NaN', 'NaN'],
        [3, 0],
      ],
    ],
    ['(1+2j)\n', '<c16', [[1, 2]]],
    ['2024-05-01\n\n2024-05-02\n', '<U10', ['2024-05-01', '2024-05-02']],
    ['"a ""b"""\n"c\r\nd"\n"é,😀"\n', '<U5', ['a "b"', 'c\r\nd', 'é,😀']],
    ['1-2\n', '<U3', ['1-2']],
    ['1e\n', '<U2', ['1e']],
    ['0x10\n', '<U4', ['0x10']],
    ['-\n', '<U1', ['-']],
  ];
  for (const [cells, dtype, data] of column) {
    const found = await imported(server, `x\n${cells}`);
    // 64-bit integers lose their last digits on the way through JSON here.
    const exact = ['<i8', '<u8'].includes(dtype) ? [dtype, (data as (string | number)[]).map(Number)] : [dtype, data];
    t.strictSame(found, exact, JSON.stringify(cells));
  }
});

t.test('columns of one dtype are an axis, others are fields', async t => {
  const server = await startHere(t);
  t.strictSame(await imported(server, '\u{feff}a,b\r\n1,2\r\n3,4'), ['<i8', [[1, 2], [3, 4]], ['a', 'b']]); // prettier-ignore
  t.strictSame(await imported(server, '1,2\n3,4\n', 'header=false'), ['<i8', [[1, 2], [3, 4]]]); // prettier-ignore
  t.strictSame(await imported(server, '1,2\n', '', 'Text/CSV; Header="absent"; charset=UTF-8'), ['<i8', [[1, 2]]]);
  t.strictSame(await imported(server, ',a\n1,x\n'), [[['c0', '<i8'], ['a', '<U1']], [{ c0: 1, a: 'x' }]]); // prettier-ignore
  t.strictSame(await imported(server, 'a,b\nx,yy\n'), ['<U2', [['x', 'yy']], ['a', 'b']]);
  t.strictSame(await imported(server, 'a,b\n1,18446744073709551615\n'), ['<u8', [[1, 2 ** 64]], ['a', 'b']]); // prettier-ignore
  t.strictSame(await imported(server, 'a,b\n'), ['<f8', [], ['a', 'b']]);
  const fields = encodeURIComponent('[["d","<M8[s]"],["p","<f4",[2]]]');
  const rows = 'p.1,d,p.0\n2,2024-05-01T12:00:00+02:00,1\n,NaT,inf\n';
  const data = [{ d: '2024-05-01T10:00:00', p: [1, 2] }, { d: 'NaT', p: ['Infinity', 'NaN'] }]; // prettier-ignore
  t.strictSame((await imported(server, rows, `dtype=${fields}`))[1], data, 'by name, in any order');
  const lists = '["2024-05-01",[1,2]]\n';
  t.strictSame((await imported(server, lists, `dtype=${fields}`, TYPES.ndjson))[1], [{ d: '2024-05-01T00:00:00', p: [1, 2] }]); // prettier-ignore
  const objects = '{"p":[1,null],"d":null}\n\n{"d":"2024-05-01"}\r\n{"p":null,"d":5}';
  t.strictSame((await imported(server, objects, `dtype=${fields}`, TYPES.ndjson))[1], [
    { d: 'NaT', p: [1, 'NaN'] },
    { d: '2024-05-01T00:00:00', p: ['NaN', 'NaN'] },
    { d: '1970-01-01T00:00:05', p: ['NaN', 'NaN'] },
  ]);
  const quoted = '{"n":"1","f":NaN,"i":-Infinity,"e":"\\ud83d\\ude00\\u0000x"}\n';
  t.strictSame((await imported(server, quoted, '', TYPES.ndjson)).slice(1), [[{ n: '1', f: 'NaN', i: '-Infinity', e: '😀\0x' }]]); // prettier-ignore
});

t.test('what cannot be read is told with its line and column', async t => {
  const server = await startHere(t);
  const rows: readonly (readonly [body: string | Buffer, query: string, type: keyof typeof TYPES, told: unknown[]])[] =
    [
      ['a,b\n1,2\n3\n', '', 'csv', [422, 'shape_mismatch', 3]],
      ['a,b\n"x\ny",2\n3,4,5\n', '', 'csv', [422, 'shape_mismatch', 4]],
      ['a\n"x\n', '', 'csv', [400, 'bad_table', 2, 1]],
      ['a,b\n1,x"y"\n', '', 'csv', [400, 'bad_table', 2, 2]],
      ['a\n"x"y\n', '', 'csv', [400, 'bad_table', 2, 2]],
      ['a\nb\rc\n', '', 'csv', [400, 'bad_table', 2, 2]],
      [Buffer.from('a\nb\n\xe9\n', 'latin1'), '', 'csv', [400, 'bad_table', 3]],
      ['', '', 'csv', [400, 'bad_table', 1]],
      ['a,a\n1,x\n', '', 'csv', [400, 'bad_table', 'a']],
      ['a,b\n1,2\n3,x\n', 'dtype=f4', 'csv', [422, 'bad_value', 3, 'b']],
      ['a,b\n1,2\n3,\n', 'dtype=i4', 'csv', [422, 'would_lose', 3, 'b']],
      ['a\n1.5\n', 'dtype=i4', 'csv', [422, 'would_lose', 2, 'a']],
      ['a\n300\n', 'dtype=u1', 'csv', [422, 'would_lose', 2, 'a']],
      ['a\n1e39\n', 'dtype=f4', 'csv', [422, 'would_lose', 2, 'a']],
      ['a\n1e400+0j\n', 'dtype=c16', 'csv', [422, 'would_lose', 2, 'a']],
      ['a\n-1-1e400j\n', 'dtype=c16', 'csv', [422, 'would_lose', 2, 'a']],
      ['a\n1e400\n', 'dtype=c16', 'csv', [422, 'would_lose', 2, 'a']],
      ['a\n1e39j\n', 'dtype=c8', 'csv', [422, 'would_lose', 2, 'a']],
      ['a\n"1"""\n', 'dtype=f4', 'csv', [422, 'bad_value', 2, 'a']],
      ['a\n2024-05-01T12:30\n', 'dtype=M8[D]', 'csv', [422, 'would_lose', 2, 'a']],
      ['a\n2024-13-01\n', 'dtype=M8[D]', 'csv', [422, 'bad_value', 2, 'a']],
      ['a\nabc\n', 'dtype=S2', 'csv', [422, 'would_lose', 2, 'a']],
      ['a\nπ\n', 'dtype=S2', 'csv', [422, 'bad_value', 2, 'a']],
      ['a\n1\n', 'dtype=f16', 'csv', [422, 'unsupported_dtype']],
      ['a\n1\n', 'dtype=[["b","<f4"]]', 'csv', [422, 'unknown_field']],
      ['1,2\n', 'header=false&dtype=[["b","<f4"]]', 'csv', [422, 'shape_mismatch']],
      ['{"a":1}\n{"b":1}\n', '', 'ndjson', [422, 'unknown_field', 2]],
      ['{"a":1}\n{"a":[1]}\n', '', 'ndjson', [422, 'shape_mismatch', 2]],
      ['[1,2]\n[1]\n', '', 'ndjson', [422, 'shape_mismatch', 2]],
      ['[1,2]\n[1,2,3]\n', '', 'ndjson', [422, 'shape_mismatch', 2]],
      ['[1,2]\n{"a":1}\n', '', 'ndjson', [422, 'shape_mismatch', 2]],
      ['{"a":1}\n\n{"a":1} {"a":2}\n', '', 'ndjson', [400, 'bad_table', 3]],
      ['{"a":1,"a":2}\n', '', 'ndjson', [400, 'bad_table', 1]],
      ['{"a":1}\n{"a":2,"a":2}\n', '', 'ndjson', [400, 'bad_table', 2]],
      ['{"a":01}\n', '', 'ndjson', [400, 'bad_table', 1]],
      ['{"a":1\n', '', 'ndjson', [400, 'bad_table', 1]],
      ['{"a":"x\n"}\n', '', 'ndjson', [400, 'bad_table', 1]],
      ['1\n', '', 'ndjson', [400, 'bad_table', 1]],
      [`${'['.repeat(100)}\n`, '', 'ndjson', [400, 'bad_table', 1]],
      ['{}\n', '', 'ndjson', [400, 'bad_table', 1]],
      ['', '', 'ndjson', [400, 'bad_table', 1]],
      ['{"a":null}\n', 'dtype=i4', 'ndjson', [422, 'would_lose', 1, 'a']],
      ['{"a":"\\ud800"}\n', '', 'ndjson', [422, 'bad_value']],
    ];
  for (const [body, query, type, told] of rows) {
    const found = await imported(server, body, encodeURI(query), TYPES[type]);
    t.strictSame(found.slice(0, told.length), told, `${JSON.stringify(String(body))} ${query}`);
  }
  t.equal((await server.fetch('/v1/datasets/x')).status, 404, 'nothing has come of any of them');
  t.strictSame(await imported(server, 'a\n1\n', '', 'text/csv; charset=latin1'), [415, 'unsupported_media_type']);
  t.strictSame(await imported(server, 'a\n1\n', 'dtype=f4', 'application/x-npy'), [400, 'bad_request']);
  t.strictSame(await imported(server, 'a\n1\n', 'dtype=f5'), [422, 'unsupported_dtype']);
});

t.test('columns are written by their place, fields by name, and names of others are refused', async t => {
  const server = await startHere(t);
  const attrs = { columns: ['day', 'wind', 'rain'] };
  await server.fetch('/v1/datasets', json('POST', { name: 'a', dtype: '>f4', shape: [4, 3], attrs }));
  const put = async (query: string, body: string, type: string = TYPES.csv): Promise<unknown> => {
    const answer = await server.fetch(`/v1/datasets/a/data?${query}`, binary('PUT', Buffer.from(body), type));
    return answer.ok ? answer.status : ((await answer.json()) as { code: string }).code;
  };
  t.equal(await put('slice=:2', 'day,wind,rain\n1,2,3\n4,5,6\n'), 200);
  t.equal(await put('slice=2:', 'x,y,z\n7,8,9\n'), 200, 'one row for two, under names that the dataset does not know');
  t.equal(await put('slice=:2', 'wind,day,rain\n1,2,3\n4,5,6\n'), 'unknown_field');
  t.equal(await put('slice=:2&header=false', '1,2,3\n'), 200);
  t.equal(await put('field=rain', 'rain\n1\n2\n3\n4\n'), 200);
  t.equal(await put('field=rain', 'wind\n1\n2\n3\n4\n'), 200, 'which is no other column of what is written');
  t.equal(await put('slice=0', '[5]\n[6]\n[7]\n', TYPES.ndjson), 200);
  t.equal(await put('slice=:2', 'a,b\n1,2\n'), 'shape_mismatch');
  t.equal(await put('slice=0,0', 'x\n9\n'), 200);
  t.equal(await put('', ''), 'shape_mismatch');
  const { data } = (await (await server.fetch('/v1/datasets/a/data')).json()) as { data: unknown };
  t.strictSame(data, [[9, 6, 7], [1, 2, 2], [7, 8, 3], [7, 8, 4]]); // prettier-ignore
  const none = { ...binary('PUT', Buffer.from('day,wind,rain\n1,2,3\n'), TYPES.csv) };
  const moved = { ...none, headers: { ...(none.headers as object), 'if-match': '"x.1"' } };
  t.equal((await server.fetch('/v1/datasets/a/data', moved)).status, 412);
  await server.fetch('/v1/datasets/a', { ...json('PATCH', { mode: 'r' }) });
});

t.test('rows that are longer than a piece, and bodies of many pieces, in chunks of any size', async t => {
  const server = await startHere(t);
  const long = 'x'.repeat(70_000);
  t.strictSame((await imported(server, `a\n"${long}\n"\ny\n`))[0], '<U70001');
  const wide = Array.from({ length: 120_000 }, (_, i) => i);
  const rows = `${wide.join(',')}\n${wide.join(',')}\n`;
  t.equal(
    (await server.fetch('/v1/datasets/x?overwrite=true&header=false', binary('PUT', Buffer.from(rows), TYPES.csv)))
      .status,
    200,
  );
  const { shape } = (await (await server.fetch('/v1/datasets/x')).json()) as { shape: number[] };
  t.strictSame(shape, [2, 120_000]);
  const row = await (await server.fetch('/v1/datasets/x/data?slice=1')).json();
  t.strictSame((row as { data: number[] }).data, wide);
  t.strictSame(await imported(server, `a\n${'\n'.repeat(1_500_000)}1\n\n`), ['<i8', [1]], 'megabytes of empty lines');
  const many = Array.from({ length: 6000 }, (_, i) => `column ${i}`);
  const mixed = many.map((_, i) => (i % 2 === 0 ? '1' : '1.5'));
  t.strictSame(await imported(server, `${many.join(',')}\n${mixed.join(',')}\n`), [413, 'too_large'], 'fields');
  const ones = many.map(() => '1').join(',');
  t.strictSame(await imported(server, `${many.join(',')}\n${ones}\n`), [413, 'too_large'], 'names');
  t.strictSame(
    await imported(server, `a\n"${'1\n'.repeat(9_000_000)}`),
    [413, 'too_large', 2],
    'a quote that is not closed',
  );
  const count = 200_000;
  const text = Array.from({ length: count }, (_, i) => `${i},"q ${i}"\r\n`).join('');
  async function* chunks(): AsyncGenerator<Buffer> {
    const body = Buffer.from(text);
    for (let at = 0; at < body.length; at += 77_777) yield body.subarray(at, at + 77_777);
  }
  const init = { method: 'PUT', headers: { 'content-type': TYPES.csv }, body: chunks(), duplex: 'half' } as RequestInit;
  const answer = await server.fetch('/v1/datasets/x?overwrite=true&header=false', init);
  t.match(await answer.json(), {
    dtype: [
      ['c0', '<i8'],
      ['c1', '<U8'],
    ],
    shape: [count],
  });
  const last = (await (await server.fetch(`/v1/datasets/x/data?slice=-1`)).json()) as { data: unknown };
  t.strictSame(last.data, { c0: count - 1, c1: `q ${count - 1}` });
});

t.test('a write is committed, or streamed, or stays in memory, as that of any other format', async t => {
  const server = await startHere(t, { env: { HYPERSLAB_COMMIT_BYTES_MAX: '100000' } });
  const count = 400_000;
  const csv = (add: number): Buffer => Buffer.from(`x\n${Array.from({ length: count }, (_, i) => i + add).join('\n')}`);
  await server.fetch(
    '/v1/datasets',
    json('POST', { name: 'long', dtype: '<u4', shape: [100, count / 100], order: 'F' }),
  );
  const put = async (query: string, body: Buffer): Promise<unknown> => {
    const answer = await server.fetch(`/v1/datasets/long/data.csv?${query}`, binary('PUT', body, TYPES.csv));
    const { code, durability } = (await answer.json()) as { code?: string; durability?: string };
    return code ?? durability;
  };
  t.equal(await put('', csv(0)), 'too_large');
  const row = Buffer.from(`x\n${'5\n'.repeat(100)}`);
  t.equal(await put('slice=:,7', row), 'commit');
  const rows = Array.from({ length: 100 }, (_, i) =>
    Array.from({ length: count / 100 }, (_, j) => 4000 * i + j).join(),
  );
  t.equal(await put('durability=none&header=false', Buffer.from(rows.join('\n'))), 'none');
  const found = await (await server.fetch('/v1/datasets/long/data?format=raw')).arrayBuffer();
  t.ok(new Uint32Array(found).every((value, i) => value === i));
  const broken = Buffer.from(rows.join('\n').replace(/,399999$/, ',x'));
  t.equal(await put('durability=none&header=false', broken), 'bad_value');
  const made = { name: 'what-if', path: 'arrays/long.npy', mode: 'c' };
  t.equal((await server.fetch('/v1/datasets', json('POST', made))).status, 201);
  const init = binary('PUT', Buffer.from('[9]\n'), TYPES.ndjson);
  t.match(await (await server.fetch('/v1/datasets/what-if/data?slice=0,:3', init)).json(), {
    durability: 'none',
    elements: 3,
  });
  const near = async (name: string): Promise<unknown> =>
    ((await (await server.fetch(`/v1/datasets/${name}/data?slice=0,2:4`)).json()) as { data: unknown }).data;
  t.strictSame([await near('what-if'), await near('long')], [[9, 3], [2, 3]]); // prettier-ignore
});

/** What a file is, its content says: names are compared without case, contradict at their peril, and containers are told. */
import fs from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { parseDType } from '../../src/dtype/index.js';
import { CONTAINERS } from '../../src/containers.js';
import { npyHeader } from '../../src/formats/index.js';
import { serveRoot } from '../helpers/root.js';

type Json = Record<string, unknown>;

const { server, root, send, create } = await serveRoot(t);
const put = (name: string, bytes: Buffer | string): void => fs.writeFileSync(path.join(root, name), bytes, 'latin1');

const DATA = Buffer.from(Float32Array.of(1, 2, 3).buffer);
const HEADER = Buffer.from(npyHeader({ dtype: parseDType('<f4'), shape: [3], order: 'C' }));
const NPY = Buffer.concat([HEADER, DATA]);

t.test('a .npy is served as one under any name, unless raw is asked for', async t => {
  for (const name of ['a.npy', 'B.NPY', 'c.Npy', 'd.dat', 'e.bin', 'f.raw', 'g', 'h.foo', '.hidden', 'i.v2']) {
    put(name, NPY);
    const due = { dtype: '<f4', shape: [3], offset: HEADER.byteLength, format: 'npy', path: name, root: 1 };
    t.match(await create({ path: name }), [201, due], name);
    t.match(
      await create({ path: name, dtype: 'f8' }),
      [422, { code: 'header_mismatch', detail: /"format": "raw"/ }],
      name,
    );
    const raw = { dtype: '|u1', shape: [NPY.byteLength], offset: 0, format: 'raw' };
    t.match(await create({ path: name, format: 'raw' }), [201, raw], `${name} as raw`);
  }
});

t.test('raw writes do not reach the header of what others read', async t => {
  put('whole.npy', NPY);
  const refused = [422, { code: 'format_mismatch', header_bytes: HEADER.byteLength }];
  for (const offset of [0, 10, HEADER.byteLength - 1]) {
    t.match(await create({ path: 'whole.npy', format: 'raw', mode: 'r+', offset }), refused, `at ${offset}`);
  }
  const [status, { name }] = await create({ path: 'whole.npy', format: 'raw' });
  t.equal(status, 201);
  t.match(await send('PATCH', `/v1/datasets/${String(name)}`, { mode: 'r+' }), refused, 'by PATCH');
  const behind = { path: 'whole.npy', format: 'raw', mode: 'r+', dtype: '<f4', offset: HEADER.byteLength };
  const [, found] = await create({ ...behind, name: 'behind' });
  t.match(found, { shape: [3], mode: 'r+' });
  t.match(await send('PUT', '/v1/datasets/behind/data?slice=1', 9), [200, { elements: 1 }]);
  t.strictSame(fs.readFileSync(path.join(root, 'whole.npy')).subarray(0, HEADER.byteLength), HEADER);
  put('zip.bin', 'PK\x03\x04........');
  t.match(await create({ path: 'zip.bin', format: 'raw', mode: 'r+' }), [422, { code: 'format_mismatch' }]);
});

/** Where HDF5 may begin, too. */
const OTHERS: readonly [title: string, bytes: string][] = [
  ['HDF5 behind a user block', `${'\0'.repeat(512)}\x89HDF\r\n\x1a\n`],
];

t.test('a container is told, under any name, with the way to an array', async t => {
  const rows = CONTAINERS.filter(({ suffixes, holds }) => !suffixes.includes('.npy') && holds === undefined);
  const samples = rows.flatMap(({ title, magics }) => magics.map(magic => [title, magic] as const));
  t.ok(samples.length > 20);
  for (const [title, bytes] of [...samples, ...OTHERS]) {
    for (const name of ['sample', 'sample.dat', 'sample.npy']) {
      put(name, `${bytes}${'\x01'.repeat(40)}`);
      for (const format of [undefined, 'npy']) {
        const [status, problem] = await create({ path: name, ...(format && { format }) });
        t.match([status, problem], [422, { code: 'not_an_array', detail: /Save|Decompress/ }], `${title} as ${name}`);
      }
    }
    t.match(await create({ path: 'sample.dat', format: 'raw' }), [201, { dtype: '|u1', offset: 0 }], `${title}, raw`);
  }
  const npz = 'PK\x03\x04';
  const imported = await server.fetch('/v1/datasets/imported', {
    method: 'PUT',
    headers: { 'content-type': 'application/x-npy' },
    body: Buffer.from(`${npz}${'\0'.repeat(100)}`, 'latin1'),
  });
  t.match([imported.status, await imported.json()], [422, { code: 'not_an_array', detail: /np\.load/ }]);
});

t.test('a name that contradicts the content is an error with a hint', async t => {
  const plain = Buffer.alloc(24, 1);
  const cases: [name: string, bytes: Buffer, status: number, code: string][] = [
    ['none.npy', plain, 400, 'bad_npy'],
    ['none.NPY', plain, 400, 'bad_npy'],
    ['empty.npy', Buffer.alloc(0), 400, 'bad_npy'],
    ['none.npz', plain, 422, 'format_mismatch'],
    ['none.H5', plain, 422, 'format_mismatch'],
    ['none.gz', plain, 422, 'format_mismatch'],
    ['array.npz', NPY, 422, 'format_mismatch'],
    ['array.HDF5', NPY, 422, 'format_mismatch'],
  ];
  for (const [name, bytes, status, code] of cases) {
    put(name, bytes);
    t.match(await create({ path: name }), [status, { code, detail: /"format": "(raw|npy)"/ }], name);
    t.match(await create({ path: name, format: 'raw' }), [201, { format: 'raw' }], `${name}, raw`);
  }
  put('array.npz', NPY);
  t.match(await create({ path: 'array.npz', format: 'npy' }), [201, { format: 'npy', shape: [3] }]);
  for (const name of ['plain', 'plain.dat', 'plain.foo', 'plain.csv']) {
    put(name, plain);
    t.match(await create({ path: name }), [201, { format: 'raw', shape: [24] }], name);
  }
});

t.test('what is made by path is what its name says, and the answer says where', async t => {
  const cases: [name: string, format: string | undefined, due: 'npy' | 'raw' | 'refused'][] = [
    ['n.npy', undefined, 'npy'],
    ['n.NPY', undefined, 'npy'],
    ['n1.npy', 'npy', 'npy'],
    ['n2.npy', 'raw', 'refused'],
    ['n.raw', undefined, 'raw'],
    ['n.DAT', undefined, 'raw'],
    ['n.bin', undefined, 'raw'],
    ['n.memmap', 'raw', 'raw'],
    ['n1.raw', 'npy', 'refused'],
    ['n', undefined, 'npy'],
    ['n.foo', 'raw', 'raw'],
    ['n.npz', undefined, 'refused'],
    ['n.h5', 'raw', 'refused'],
    ['n.HDF5', 'npy', 'refused'],
  ];
  fs.mkdirSync(path.join(root, 'only-here'));
  for (const [name, format, due] of cases) {
    const wanted = { path: `only-here/${name}`, mode: 'w+', dtype: '<i2', shape: [2], ...(format && { format }) };
    const [status, answer] = await create(wanted);
    const file = path.join(root, 'only-here', name);
    if (due === 'refused') {
      t.match([status, answer], [422, { code: 'format_mismatch' }], name);
      t.notOk(fs.existsSync(file), name);
    } else {
      t.match([status, answer], [201, { format: due, path: wanted.path, root: 1 }], name);
      t.equal(fs.readFileSync(file).toString('latin1', 1, 6) === 'NUMPY', due === 'npy', name);
      t.notMatch(JSON.stringify(answer), root);
    }
  }
  t.match(await create({ path: 'first.npy', mode: 'w+', dtype: 'u1', shape: [1] }), [
    201,
    { path: 'first.npy', root: 0 },
  ]);
  t.match(await create({ name: 'ours', dtype: 'u1', shape: [1] }), [201, { path: 'arrays/ours.npy', root: 0 }]);
});

t.test('w+ takes an offset as numpy.memmap does', async t => {
  const ways: Json[] = [{}, { sparse: true }, { fill: 7 }];
  for (const [i, way] of ways.entries()) {
    for (const offset of [0, 3, 5000]) {
      const name = `o${i}-${offset}.dat`;
      const wanted = { name: `o${i}-${offset}`, path: name, mode: 'w+', dtype: '<i2', shape: [2, 2], offset, ...way };
      t.match(await create(wanted), [201, { offset, format: 'raw' }], name);
      await send('PUT', `/v1/datasets/${wanted.name}/data?slice=1,1`, 258);
      const file = fs.readFileSync(path.join(server.dataDir, name));
      const each = i === 2 ? [7, 0] : [0, 0];
      t.strictSame(file, Buffer.concat([Buffer.alloc(offset), Buffer.of(...each, ...each, ...each, 2, 1)]), name);
    }
  }
  t.match(await create({ path: 'o.npy', mode: 'w+', dtype: 'u1', shape: [1], offset: 1 }), [
    400,
    { code: 'bad_request' },
  ]);
  t.match(await create({ path: 'o.dat', mode: 'w+', dtype: 'u1', shape: [8], offset: 2 ** 53 - 2 }), [
    413,
    { code: 'too_large' },
  ]);
});

t.test('a dtype that is not served names the way to its bytes, wherever it comes up', async t => {
  const header = (descr: string): Buffer => {
    const dict = `{'descr': ${descr}, 'fortran_order': False, 'shape': (2,), }`;
    const text = `${dict.padEnd(Math.ceil((dict.length + 11) / 64) * 64 - 11)}\n`;
    return Buffer.concat([
      Buffer.from('\x93NUMPY\x01\0', 'latin1'),
      Buffer.of(text.length & 255, text.length >> 8),
      Buffer.from(text),
    ]);
  };
  await create({ name: 'target', dtype: 'f4', shape: [2] });
  const cases: [descr: string, dtype: Json | string, itemsize: number][] = [
    [`'|O'`, '|O', 8],
    [`'|S0'`, '|S0', 1],
    [
      `[('a', '<f4'), ('b', '|O')]`,
      [
        ['a', '<f4'],
        ['b', '|O'],
      ] as unknown as Json,
      12,
    ],
    [`[(('title', 'a'), '<f4')]`, [[['title', 'a'], '<f4']] as unknown as Json, 4],
    [
      `[('a', '<f4'), ('a', '<i4')]`,
      [
        ['a', '<f4'],
        ['a', '<i4'],
      ] as unknown as Json,
      8,
    ],
  ];
  for (const [descr, dtype, itemsize] of cases) {
    const instead = '|u1';
    const shape = [2, itemsize];
    const bytes = Buffer.concat([header(descr), Buffer.alloc(2 * itemsize, 1)]);
    const offset = header(descr).byteLength;
    const due = [
      422,
      { code: 'unsupported_dtype', detail: /"format": "raw"/, instead: { format: 'raw', dtype: instead } },
    ];
    put('other.npy', bytes);
    const [status, problem] = await create({ path: 'other.npy' });
    t.match([status, problem], due, `${descr} in a file`);
    t.match(problem, { instead: { offset } });
    t.match(
      await create({ path: 'other.npy', ...(problem['instead'] as Json), shape }),
      [201, { shape }],
      `${descr}, raw`,
    );
    t.match(await create({ dtype, shape: [2] }), due, `${descr}, new`);
    for (const where of ['/v1/datasets/imported2', '/v1/datasets/target/data']) {
      const answer = await server.fetch(where, {
        method: 'PUT',
        headers: { 'content-type': 'application/x-npy' },
        body: bytes,
      });
      t.match([answer.status, await answer.json()], due, `${descr} to ${where}`);
    }
  }
});

t.test('shapes at the edge are right, or refused with a reason', async t => {
  const cases: [shape: string, status: number | RegExp, more?: string][] = [
    ['[9007199254740991]', /^(413|422|507)$/],
    ['[9007199254740991]', /^(413|422|507)$/, ',"sparse":true'],
    ['[9007199254740991]', /^(413|422|507)$/, ',"format":"raw","sparse":true'],
    ['[9007199254740992]', 422],
    ['[0,9007199254740991]', 201],
    ['[9007199254740991,0]', 201],
    ['[-0]', 201],
    ['[-0,3]', 201],
    ['[1e3]', 201],
    ['[1.0e1,2E0]', 201],
    ['[1e-1]', 400],
    ['[-1]', 422],
    ['[1e400]', 422],
    [`[${Array.from({ length: 64 }, () => '1').join()}]`, 201],
    [`[${Array.from({ length: 65 }, () => '1').join()}]`, 400],
    [`[${Array.from({ length: 100_000 }, () => '1').join()}]`, 400],
  ];
  for (const [i, [shape, due, more = '']] of cases.entries()) {
    const title = `${shape.slice(0, 30)}${more}`;
    const made = await server.fetch('/v1/datasets', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: `{"name":"edge${i}","dtype":"u1","shape":${shape}${more}}`,
    });
    const text = await made.text();
    t.match(String(made.status), typeof due === 'number' ? String(due) : due, `${title}: ${text.slice(0, 200)}`);
    if (made.status !== 201) continue;
    t.strictSame(
      (JSON.parse(text) as Json)['shape'],
      (JSON.parse(shape) as number[]).map(length => length + 0),
      title,
    );
    for (const query of ['/data', '/data?format=npy', '/statistics?ops=sum,count', '/data?slice=...,:1']) {
      const answer = await server.fetch(`/v1/datasets/edge${i}${query}`);
      await answer.arrayBuffer();
      t.match(String(answer.status), /^(200|413|422)$/, `${title} ${query}`);
    }
  }
});

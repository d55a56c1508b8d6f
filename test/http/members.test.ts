/** Arrays inside other files: numpy and the safetensors package wrote them, and say what each holds. */
import fs from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { NO_NUMPY, PYTHON, runPython } from '../helpers/python.js';
import { serveRoot } from '../helpers/root.js';

type Json = Record<string, unknown>;

interface Told {
  readonly file: string;
  readonly member: string | null;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** In C order, as hexadecimal digits. */
  readonly data: string;
}

const { server, root, send, create } = await serveRoot(t);

async function bytesOf(name: unknown, query = ''): Promise<string> {
  const answer = await server.fetch(`/v1/datasets/${String(name)}/data?format=raw${query}`);
  return answer.status === 200
    ? Buffer.from(await answer.arrayBuffer()).toString('hex')
    : `${answer.status} ${await answer.text()}`;
}

t.test('what numpy and safetensors wrote', { skip: PYTHON === undefined && NO_NUMPY }, async t => {
  const arrays = runPython('http/members_make.py', [root])
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Told);
  t.ok(arrays.length > 15);
  for (const { file, member, dtype, shape, data } of arrays) {
    const asked = { path: file, ...(member !== null && { member }) };
    const [status, found] = await create(asked);
    const format = path.extname(file).slice(1);
    t.match(
      [status, found],
      [201, { dtype, shape, format, mode: 'r', external: true, state: 'ready' }],
      `${file}: ${member}`,
    );
    if (status !== 201) continue;
    t.equal(await bytesOf(found['name']), data, `${file}: ${member}`);
    const npy = await server.fetch(`/v1/datasets/${String(found['name'])}/data.npy`);
    t.equal(
      Buffer.from(await npy.arrayBuffer())
        .toString('hex')
        .slice(-data.length || Infinity),
      data,
    );
  }

  const refused: [asked: Json, code: string, detail: RegExp][] = [
    [{ path: 'numpy.npz' }, 'member_needed', /"little"/],
    [{ path: 'numpy.npz', member: 'Little' }, 'unknown_member', /Did you mean little/],
    [{ path: 'numpy.npz', member: 'little', mode: 'r+' }, 'format_mismatch', /checksums/],
    [{ path: 'numpy.npz', member: 'little', dtype: '<f4' }, 'header_mismatch', /dtype/],
    [{ path: 'packed.npz' }, 'compressed', /np\.savez /],
    [{ path: 'packed.npz', member: 'x' }, 'compressed', /import/],
    [{ path: 'objects.npz', member: 'x' }, 'unsupported_dtype', /O/],
    [{ path: 'kinds.safetensors', member: 'brain' }, 'unsupported_dtype', /BF16/],
    [{ path: 'kinds.safetensors', member: 'tiny' }, 'unsupported_dtype', /F8_E4M3/],
    [{ path: 'kinds.safetensors', member: '__metadata__' }, 'unknown_member', /whole/],
    [{ path: 'kinds.safetensors' }, 'member_needed', /"brain", "tiny" and "whole"/],
  ];
  for (const [asked, code, detail] of refused) {
    t.match(await create(asked), [422, { code, detail }], JSON.stringify(asked));
  }
  t.match((await create({ path: 'numpy.npz' }))[1]['members'], ['little', 'big', 'fortran'], 'names, for programs');
});

/** A .safetensors file of this header, and so many bytes behind it. */
function tensors(name: string, header: unknown, bytes: number | Buffer = 0): string {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.byteLength));
  const data = typeof bytes === 'number' ? Buffer.alloc(bytes) : bytes;
  fs.writeFileSync(path.join(root, name), Buffer.concat([length, json, data]));
  return name;
}

const tensor = (from: number, to: number, more: Json = {}): Json => ({
  dtype: 'F32',
  shape: [(to - from) / 4],
  data_offsets: [from, to],
  ...more,
});

t.test('tensors whose header lies are refused, whole', async t => {
  const a = '"dtype":"F32","shape":[2],"data_offsets":[0,8]';
  const cases: [why: string, header: unknown, bytes: number, detail: RegExp][] = [
    ['a hole before', { a: tensor(4, 8) }, 8, /leaves 4 bytes/],
    ['a hole between', { a: tensor(0, 4), b: tensor(8, 12) }, 12, /leaves 4 bytes/],
    ['a hole behind', { a: tensor(0, 4) }, 8, /end at byte/],
    ['an overlap', { a: tensor(0, 8), b: tensor(4, 12) }, 12, /lies over/],
    ['the same place twice', { a: tensor(0, 8), b: tensor(0, 8) }, 8, /lies over/],
    ['beyond the file', { a: tensor(0, 8) }, 4, /end at byte/],
    ['backwards', { a: { ...tensor(0, 0), data_offsets: [8, 0] } }, 8, /no place/],
    ['another size than its shape', { a: tensor(0, 8, { shape: [3] }) }, 8, /has 12 bytes/],
    ['a product that overflows', { a: tensor(0, 8, { shape: [2 ** 40, 2 ** 40] }) }, 8, /bytes/],
    ['a negative length', { a: tensor(0, 8, { shape: [-2] }) }, 8, /no count/],
    ['a fraction', { a: tensor(0, 8, { shape: [2.5] }) }, 8, /no count/],
    ['three offsets', { a: { ...tensor(0, 8), data_offsets: [0, 4, 8] } }, 8, /no place/],
    ['no dtype', { a: { shape: [2], data_offsets: [0, 8] } }, 8, /dtype, shape and data_offsets/],
    ['a name twice', `{"a":{${a}},"a":{${a}}}`, 8, /"a" twice/],
    ['a key twice', `{"a":{${a},"dtype":"F32"}}`, 8, /"dtype" twice/],
    ['no JSON', '{"a":{', 8, /JSON/],
    ['a list', '[]', 0, /begin/],
    ['more behind the JSON', `{"a":{${a}}} x`, 8, /behind/],
  ];
  for (const [why, header, bytes, detail] of cases) {
    tensors('bad.safetensors', header, bytes);
    t.match(await create({ path: 'bad.safetensors', member: 'a' }), [422, { code: 'bad_container', detail }], why);
    t.match(await create({ path: 'bad.safetensors', format: 'raw' }), [201, { format: 'raw' }], 'its bytes are there');
  }
  const long = Buffer.alloc(8);
  long.writeBigUInt64LE(2n ** 40n);
  fs.writeFileSync(path.join(root, 'long.safetensors'), Buffer.concat([long, Buffer.from('{}')]));
  t.match(await create({ path: 'long.safetensors' }), [422, { code: 'bad_container', limit: 16 * 1024 * 1024 }]);
  for (const bytes of ['', '\x01\0', '\x10\0\0\0\0\0\0\0{}']) {
    fs.writeFileSync(path.join(root, 'short.safetensors'), bytes, 'latin1');
    t.match(await create({ path: 'short.safetensors' }), [422, { code: 'bad_container' }], JSON.stringify(bytes));
  }
  tensors('none.safetensors', {});
  t.match(await create({ path: 'none.safetensors' }), [422, { code: 'unknown_member', members: [] }]);
  fs.writeFileSync(path.join(root, 'raw.bin'), Buffer.alloc(8));
  t.match(await create({ path: 'raw.bin', member: 'a' }), [422, { code: 'unknown_member' }]);
  t.match(await create({ path: 'raw.bin', member: 'a', format: 'raw' }), [400, { code: 'bad_request' }]);
  t.match(await create({ member: 'a', dtype: '<f4', shape: [2] }), [400, { code: 'bad_request' }]);
});

t.test('a tensor is written in place, by one dataset for the whole container', async t => {
  const data = Buffer.from(Float32Array.of(1, 2, 3, 4, 5, 6).buffer);
  tensors('written.safetensors', { a: tensor(0, 8), b: tensor(8, 24) }, data);
  const [status, { name }] = await create({ path: 'written.safetensors', member: 'b', mode: 'r+' });
  t.equal(status, 201);
  t.match(await create({ path: 'written.safetensors', member: 'a', mode: 'r+' }), [409, { code: 'file_in_use' }]);
  const [, other] = await create({ path: 'written.safetensors', member: 'a' });
  t.match(await send('PUT', `/v1/datasets/${String(name)}/data?slice=1:3`, [40, 50]), [200, { elements: 2 }]);
  t.equal((await server.fetch(`/v1/datasets/${String(name)}/flush`, { method: 'POST' })).status, 200);
  t.equal(await bytesOf(name), Buffer.from(Float32Array.of(3, 40, 50, 6).buffer).toString('hex'));
  t.equal(await bytesOf(other['name']), Buffer.from(Float32Array.of(1, 2).buffer).toString('hex'));
  const now = fs.readFileSync(path.join(root, 'written.safetensors')).subarray(-24);
  t.strictSame([...new Float32Array(Uint8Array.from(now).buffer)], [1, 2, 3, 40, 50, 6]);
});

t.test('a container that another program writes anew is told once, and then served as it is', async t => {
  const first = Buffer.from(Float32Array.of(1, 2, 3, 4).buffer);
  tensors('changed.safetensors', { a: tensor(0, 8), b: tensor(8, 16) }, first);
  const [, { name }] = await create({ path: 'changed.safetensors', member: 'b' });
  t.equal(await bytesOf(name), first.subarray(8).toString('hex'));
  // In place, and the tensor lies elsewhere in it.
  const second = Buffer.from(Float32Array.of(9, 8, 7, 6, 5).buffer);
  tensors('changed.safetensors', { b: tensor(0, 12), a: tensor(12, 20) }, second);
  t.match(await bytesOf(name), /^409 .*file_changed/);
  t.equal(await bytesOf(name), second.subarray(0, 12).toString('hex'));
  // The tensor is gone.
  tensors('changed.safetensors', { a: tensor(0, 20) }, second);
  t.match(await bytesOf(name), /^409 .*file_changed/);
  t.match(await bytesOf(name), /^409 .*file_changed/);
  fs.renameSync(
    path.join(root, tensors('new.safetensors', { b: tensor(0, 20) }, second)),
    path.join(root, 'changed.safetensors'),
  );
  t.match(await bytesOf(name), /^409 .*file_changed/);
  t.equal(await bytesOf(name), second.toString('hex'));
});

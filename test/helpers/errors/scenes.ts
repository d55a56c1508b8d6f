/** The services that the examples of errors are asked of: what they hold, and what keeps them busy meanwhile. */
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import type { Test } from 'tap';
import { header, npy } from '../npy.js';
import { addKey, bearer } from '../keys.js';
import { temporaryFolder, type Service } from '../server.js';
import { npzOf } from '../tables.js';
import { startHere } from '../service-here.js';
import { create, eventually, json } from '../../system/calls.js';
import type { SceneName } from './example.js';

export interface Scene {
  readonly url: string;
  /** Texts that stand in headers of examples, and what is sent in their place. */
  readonly secrets: Readonly<Record<string, string>>;
}

const JSON_TYPE = { 'content-type': 'application/json' };

type Env = Readonly<Record<string, string>>;

async function start(t: Test, env: Env, dataDir = temporaryFolder()): Promise<Service> {
  return startHere(t, { dataDir, env });
}

const FLOATS = { name: 'wind', dtype: 'float64', shape: [4, 3] };

export const SCENES: Readonly<Record<SceneName, (t: Test) => Promise<Scene>>> = {
  async open(t) {
    const folder = temporaryFolder();
    t.teardown(() => fs.rmSync(folder, { recursive: true }));
    fillFolder(folder);
    const served = temporaryFolder();
    t.teardown(() => fs.rmSync(served, { recursive: true }));
    fillServed(served);
    const dataDir = temporaryFolder();
    fs.mkdirSync(path.join(dataDir, 'catalog'));
    fs.writeFileSync(path.join(dataDir, 'catalog', 'damaged.json'), '{"version": 1, "name": "damaged"');
    const env = {
      HYPERSLAB_ROOTS: folder,
      HYPERSLAB_FOLDERS: `${served}/here:${served}/there`,
      HYPERSLAB_COMMIT_BYTES_MAX: String(1 << 20),
      HYPERSLAB_PRIVATE_BYTES: '8192',
    };
    const service = await start(t, env, dataDir);
    for (const each of DATASETS) await create(service, each);
    await service.fetch('/v1/datasets/trial/data', json('PUT', 1));
    await service.fetch('/v1/datasets/kept', { method: 'DELETE' });
    for (const { name } of DATASETS) await (await service.fetch(`/v1/datasets/${name}/rows/0`)).text();
    changeFiles(folder);
    await service.fetch('/v1/datasets/beyond');
    fs.renameSync(`${served}/there`, `${served}/away`);
    return { url: service.url, secrets: {} };
  },

  async busy(t) {
    const service = await start(t, {
      HYPERSLAB_JOBS_RUNNING_MAX: '1',
      HYPERSLAB_JOBS_QUEUED_MAX: '0',
      HYPERSLAB_COMMIT_BYTES_MAX: String(1 << 20),
    });
    await create(service, { name: 'large', dtype: 'uint8', shape: [2 ** 38], sparse: true });
    await create(service, { name: 'loading', dtype: 'uint8', shape: [4 << 20], sparse: true });
    const statusOf = async (where: string, method: string): Promise<number> =>
      (await service.fetch(where, { method })).status;
    const streams = [
      startBody(`${service.url}/v1/datasets/coming`, 'application/x-npy', npy(header('|u1', '(1000,)'), 100), 1128),
      startBody(
        `${service.url}/v1/datasets/loading/data?durability=none`,
        'application/octet-stream',
        Buffer.alloc(2 << 20),
        4 << 20,
      ),
    ];
    t.teardown(() => streams.forEach(each => each.destroy()));
    await eventually(async () => (await statusOf('/v1/datasets/coming', 'DELETE')) === 503);
    await eventually(async () => (await statusOf('/v1/datasets/loading/rows/0', 'GET')) === 503);
    await service.fetch('/v1/jobs', json('POST', { dataset: 'large', ops: ['sum'] }));
    return { url: service.url, secrets: {} };
  },

  async keyed(t) {
    const dataDir = temporaryFolder();
    const secrets = {
      '<key to read wind*>': await addKey(dataDir, ['read'], { datasets: ['wind*'] }),
      '<key to write wind*>': await addKey(dataDir, ['write'], { datasets: ['wind*'] }),
      '<expired key>': await addKey(dataDir, ['admin'], { expires: '2020-01-01T00:00:00Z' }),
    };
    const admin = await addKey(dataDir, ['admin']);
    const service = await start(t, {}, dataDir);
    const { headers } = bearer(admin);
    await create(
      { ...service, fetch: (where, init) => service.fetch(where, { ...init, headers: { ...JSON_TYPE, ...headers } }) },
      FLOATS,
    );
    return { url: service.url, secrets };
  },

  async tokens(t) {
    const env = { HYPERSLAB_JWKS: 'http://127.0.0.1:1/keys', HYPERSLAB_JWT_AUDIENCE: 'hyperslab' };
    const { url } = await start(t, env);
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const token = `${part({ alg: 'ES256', kid: 'k' })}.${part({ aud: 'hyperslab' })}.${'A'.repeat(86)}`;
    return { url, secrets: { '<token>': token } };
  },

  async limited(t) {
    const service = await start(t, { HYPERSLAB_RATE_LIMIT: '1' });
    await service.fetch('/v1/datasets');
    return { url: service.url, secrets: {} };
  },

  async broken(t) {
    const service = await start(t, {});
    fs.rmdirSync(path.join(service.dataDir, 'arrays'));
    return { url: service.url, secrets: {} };
  },

  async stalling(t) {
    return { url: (await start(t, { HYPERSLAB_STALL_SECONDS: '1' })).url, secrets: {} };
  },
};

/** Of the open service; `docs/errors.md` names those that its examples ask. */
const DATASETS = [
  FLOATS,
  { name: 'view', path: 'arrays/wind.npy' },
  { name: 'counts', dtype: 'int8', shape: [4] },
  { name: 'flags', dtype: 'bool', shape: [4] },
  { name: 'gaps', dtype: 'float64', shape: [4], fill: 'NaN' },
  { name: 'empty', dtype: 'float64', shape: [0, 3] },
  { name: 'days', dtype: 'float64', shape: [5] },
  {
    name: 'visits',
    dtype: [
      ['day', '<M8[D]'],
      ['who', '|S8'],
    ],
    shape: [3],
  },
  {
    name: 'halves',
    dtype: { names: ['whole', 'half'], formats: ['<u4', '<u2'], offsets: [0, 0], itemsize: 4 },
    shape: [2],
    format: 'raw',
  },
  { name: 'wide', dtype: 'uint8', shape: [4 << 20], sparse: true },
  { name: 'kept', dtype: 'float64', shape: [2] },
  { name: 'scalar', dtype: 'float64', shape: [] },
  { name: 'longer', path: 'longer.npy', mode: 'r+' },
  { name: 'station', path: 'station.bin', dtype: 'float64', mode: 'r+' },
  { name: 'trial', path: 'station.bin', dtype: 'float64', mode: 'c' },
  { name: 'sketch', path: 'arrays/wide.npy', mode: 'c' },
  { name: 'cut', path: 'cut.bin', dtype: 'float64' },
  { name: 'gone', path: 'gone.bin', dtype: 'float64' },
  { name: 'another', path: 'another.bin', dtype: 'float64' },
  { name: 'resaved', path: 'resaved.npy' },
  { name: 'spoilt', path: 'spoilt.npy' },
];

function fillFolder(folder: string): void {
  const put = (name: string, bytes: Uint8Array): void => fs.writeFileSync(path.join(folder, name), bytes);
  for (const name of ['station', 'cut', 'gone', 'another', 'plain']) put(`${name}.bin`, Buffer.alloc(96, 1));
  for (const name of ['table', 'resaved', 'spoilt']) put(`${name}.npy`, npy(header('<f8', '(2,)'), 16));
  put('notes.npy', Buffer.from('these are words, and no array'));
  put('longer.npy', npy(header('<f8', '(2,)'), 17));
  put('half.npy', npy(header('<f8', '(2,)'), 16).subarray(0, 40));
  put('objects.npy', npy(header('|O', '(2,)'), 16));
  put('archive.h5', Buffer.from('\x89HDF\r\n\x1a\n and so on', 'latin1'));
  put('archive.npz', Buffer.from('PK\x03\x04 and so on'));
  put('packed.npz', packed(npzOf(1)));
  put('model.safetensors', tensors({ a: [0, 4], b: [4, 8] }, 8));
  put('lying.safetensors', tensors({ a: [0, 4], b: [2, 6] }, 6));
  put('named.h5', Buffer.alloc(96));
  fs.mkdirSync(path.join(folder, 'folder'));
}

/** A .npz whose members are said to be deflated, in both of the places that say so. */
function packed(npz: Buffer): Buffer {
  const central = npz.indexOf('PK\x01\x02');
  npz.writeUInt16LE(8, 8);
  npz.writeUInt16LE(8, central + 10);
  return npz;
}

/** A .safetensors of float32 tensors at these places. */
function tensors(places: Readonly<Record<string, readonly [number, number]>>, bytes: number): Buffer {
  const entries = Object.entries(places).map(([name, [from, to]]) => {
    return [name, { dtype: 'F32', shape: [(to - from) / 4], data_offsets: [from, to] }];
  });
  const json = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.byteLength));
  return Buffer.concat([length, json, Buffer.alloc(bytes)]);
}

/** Two folders that are served whole. */
function fillServed(folder: string): void {
  const array = npy(header('<i4', '(2,)'), 8);
  for (const name of ['here/a', 'there']) fs.mkdirSync(path.join(folder, name), { recursive: true });
  for (const name of ['here/served', 'here/a.b', 'here/a/b', 'there/beyond']) {
    fs.writeFileSync(path.join(folder, `${name}.npy`), array);
  }
}

/** What other programs do to the files of datasets. */
function changeFiles(folder: string): void {
  const at = (name: string): string => path.join(folder, name);
  fs.truncateSync(at('cut.bin'), 50);
  fs.rmSync(at('gone.bin'));
  fs.writeFileSync(at('another.new'), Buffer.alloc(96, 2));
  fs.renameSync(at('another.new'), at('another.bin'));
  fs.writeFileSync(at('resaved.npy'), npy(header('<i4', '(3,)'), 12));
  fs.writeFileSync(at('spoilt.npy'), 'no array any more');
}

/** A request whose body begins, and does not go on. */
function startBody(url: string, type: string, begin: Uint8Array, length: number): http.ClientRequest {
  const headers = { 'content-type': type, 'content-length': length };
  const request = http.request(url, { method: 'PUT', headers, agent: false });
  request.on('error', () => undefined);
  request.write(begin);
  return request;
}

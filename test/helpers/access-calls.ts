/** The calls of the API as a table of what each needs, and how to send them with a key. */
import type { Scope } from '../../src/access/scopes.js';
import { FORMATS } from '../../src/formats/index.js';
import { binary, json } from '../system/calls.js';
import { bearer } from './keys.js';
import { arrowOf, npzOf } from './tables.js';
import type { Service } from './server.js';

export interface Call {
  readonly name: string;
  readonly path: string;
  readonly init?: RequestInit;
}

export const NPY = Buffer.concat([
  Buffer.from('\x93NUMPY\x01\x00v\x00', 'latin1'),
  Buffer.from("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }".padEnd(117)),
  Buffer.from('\n'),
  Buffer.alloc(8),
]);

export const named = (name: string): RequestInit => json('POST', { name, dtype: 'float32', shape: [4] });
export const query = { ops: ['mean'] };

/** Every call of the API on the dataset `a1`, and what it needs. `status` is its answer where that is no success. */
export const CALLS: readonly (Call & { readonly scope: Scope; readonly status?: number })[] = [
  { name: 'list', scope: 'read', path: '/v1/datasets' },
  { name: 'describe', scope: 'read', path: '/v1/datasets/a1' },
  { name: 'row', scope: 'read', path: '/v1/datasets/a1/rows/0' },
  { name: 'row HEAD', scope: 'read', path: '/v1/datasets/a1/rows/0', init: { method: 'HEAD' } },
  { name: 'rows', scope: 'read', path: '/v1/datasets/a1/rows?start=1' },
  { name: 'data', scope: 'read', path: '/v1/datasets/a1/data' },
  { name: 'statistics', scope: 'read', path: '/v1/datasets/a1/statistics?ops=mean' },
  { name: 'statistics by POST', scope: 'read', path: '/v1/datasets/a1/statistics', init: json('POST', query) },
  ...FORMATS.map(({ name }) => ({
    name: `data.${name}`,
    scope: 'read' as const,
    path: `/v1/datasets/a1/data.${name}`,
    // A picture has two axes.
    status: name === 'png' ? 422 : 200,
  })),
  ...['raw', 'npy'].flatMap(name => [
    {
      name: `statistics.${name}`,
      scope: 'read' as const,
      path: `/v1/datasets/a1/statistics.${name}?ops=mean`,
    },
    {
      name: `statistics.${name} by POST`,
      scope: 'read' as const,
      path: `/v1/datasets/a1/statistics.${name}`,
      init: json('POST', query),
    },
  ]),
  {
    name: 'batch',
    scope: 'read',
    path: '/v1/statistics',
    init: json('POST', { queries: [{ dataset: 'a1', ...query }] }),
  },
  { name: 'events', scope: 'read', path: '/v1/datasets/a1/events', init: { method: 'HEAD' } },
  { name: 'events of many', scope: 'read', path: '/v1/events?datasets=a1', init: { method: 'HEAD' } },
  { name: 'jobs', scope: 'read', path: '/v1/jobs' },
  { name: 'start of a job', scope: 'read', path: '/v1/jobs', init: json('POST', { dataset: 'a1', ...query }) },
  { name: 'job', scope: 'read', path: '/v1/jobs/x', status: 404 },
  { name: 'events of a job', scope: 'read', path: '/v1/jobs/x/events', status: 404 },
  { name: 'end of a job', scope: 'read', path: '/v1/jobs/x', init: { method: 'DELETE' }, status: 404 },
  { name: 'metrics', scope: 'read', path: '/metrics' },
  ...[
    '/zarr/zarr.json',
    '/zarr/a1/zarr.json',
    '/zarr/~a1/zarr.json',
    '/zarr/a1/c/0',
    '/zarr2/.zmetadata',
    '/zarr2/a1/.zarray',
    '/zarr2/a1/.zattrs',
    '/zarr2/a1/0',
  ].map(path => ({ name: path, scope: 'read' as const, path })),
  { name: 'write', scope: 'write', path: '/v1/datasets/a1/data', init: json('PUT', 1) },
  { name: 'write.json', scope: 'write', path: '/v1/datasets/a1/data.json', init: json('PUT', 1) },
  {
    name: 'write.raw',
    scope: 'write',
    path: '/v1/datasets/a1/data.raw?slice=0',
    init: binary('PUT', Buffer.alloc(4), 'application/octet-stream'),
  },
  {
    name: 'write.npy',
    scope: 'write',
    path: '/v1/datasets/a1/data.npy?slice=:2',
    init: binary('PUT', NPY, 'application/octet-stream'),
  },
  ...(
    [
      ['csv', Buffer.from('c0\n1\n')],
      ['ndjson', Buffer.from('[1]\n')],
      ['arrow', arrowOf(1)],
      ['npz', npzOf(1)],
    ] as const
  ).map(([format, body]) => ({
    name: `write.${format}`,
    scope: 'write' as const,
    path: `/v1/datasets/a1/data.${format}`,
    init: binary('PUT', body, 'application/octet-stream'),
  })),
  { name: 'append', scope: 'write', path: '/v1/datasets/a1/append', init: json('POST', 1) },
  { name: 'resize', scope: 'write', path: '/v1/datasets/a1/resize', init: json('POST', { shape: [4] }) },
  {
    name: 'batch of writes',
    scope: 'write',
    path: '/v1/datasets/a1/writes',
    init: json('POST', { writes: [{ slice: '0', data: 1 }] }),
  },
  {
    name: 'select',
    scope: 'read',
    path: '/v1/datasets/a1/select',
    init: json('POST', { index: [[0]] }),
  },
  {
    name: 'select of many',
    scope: 'read',
    path: '/v1/select',
    init: json('POST', { reads: [{ dataset: 'a1', slice: '0' }] }),
  },
  { name: 'discard', scope: 'write', path: '/v1/datasets/a1/discard', init: { method: 'POST' }, status: 409 },
  { name: 'flush', scope: 'write', path: '/v1/datasets/a1/flush', init: { method: 'POST' } },
  { name: 'attrs', scope: 'write', path: '/v1/datasets/a1', init: json('PATCH', { attrs: { a: 1 } }) },
  { name: 'create', scope: 'write', path: '/v1/datasets', init: named('a2') },
  { name: 'import', scope: 'write', path: '/v1/datasets/a3', init: binary('PUT', NPY, 'application/x-npy') },
  { name: 'mode', scope: 'admin', path: '/v1/datasets/a1', init: json('PATCH', { mode: 'r+' }) },
  { name: 'external', scope: 'admin', path: '/v1/datasets/a1', init: json('PATCH', { external: false }) },
  {
    name: 'register',
    scope: 'admin',
    path: '/v1/datasets',
    init: json('POST', { name: 'a4', path: 'arrays/a1.npy' }),
  },
  { name: 'forget', scope: 'admin', path: '/v1/datasets/a1', init: { method: 'DELETE' } },
];

export function send(server: Service, { path: where, init }: Call, token?: string): Promise<Response> {
  const headers = { ...(init?.headers as Record<string, string>), ...(token !== undefined && bearer(token).headers) };
  return server.fetch(where, { ...init, headers });
}

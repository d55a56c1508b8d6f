/** The collection: register or create, and list. */
import { Type } from 'typebox';
import type { CreateRequest } from '../src/registry/request.js';
import { fail } from '../src/errors.js';
import { LIMITS } from '../src/limits.js';
import { describe } from './describe.js';
import { BODY_PROBLEMS, jsonResponse, problems } from './schemas/index.js';
import type { App } from './app-type.js';

export function datasets(app: App): void {
  app.post(
    '/v1/datasets',
    {
      config: { scope: 'write' },
      schema: {
        operationId: 'createDataset',
        tags: ['datasets'],
        summary: 'Register a file, or create an array',
        description:
          'With `path` a file is registered in place; mode defaults to r. Without it an array is made under `arrays/`, ' +
          'zero-filled in real blocks unless `fill` or `sparse`; mode defaults to r+.',
        body: Type.Ref('CreateDataset'),
        response: {
          201: {
            ...jsonResponse('The dataset', 'Dataset'),
            headers: { Location: Type.String({ description: 'Relative URL of the dataset.' }) },
          },
          ...problems(
            ...BODY_PROBLEMS,
            'bad_name',
            'bad_npy',
            'path_forbidden',
            'file_not_found',
            'exists',
            'file_in_use',
            'unsupported_dtype',
            'bad_shape',
            'header_mismatch',
            'file_too_small',
            'not_a_regular_file',
            'file_system_refused',
            'would_lose',
            'too_large',
            'busy',
            'bulk_load',
            'disk_full',
          ),
        },
      },
    },
    async (request, reply) => {
      const dataset = await request.datasets.create(request.body as CreateRequest);
      return reply
        .code(201)
        .header('location', `/v1/datasets/${dataset.record.name}`)
        .send(await describe(dataset));
    },
  );

  app.get(
    '/v1/datasets',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'listDatasets',
        tags: ['datasets'],
        summary: 'List datasets, ordered by the bytes of their names',
        querystring: Type.Object(
          {
            limit: Type.Optional(Type.Integer({ minimum: 1, maximum: LIMITS.pageDatasetsMax, default: 100 })),
            cursor: Type.Optional(Type.String({ maxLength: 256, description: 'next_cursor of the page before.' })),
            prefix: Type.Optional(Type.String({ maxLength: 128 })),
          },
          { additionalProperties: false },
        ),
        response: { 200: jsonResponse('One page', 'DatasetList'), ...problems() },
      },
    },
    async (request, reply) => {
      const { limit = 100, cursor, prefix = '' } = request.query;
      const after = cursor === undefined ? undefined : decodeCursor(cursor);
      // One more than asked for tells whether there is a next page.
      const found = request.datasets.list(prefix, after, limit + 1);
      const page = found.slice(0, limit);
      const last = page.at(-1);
      return reply.send({
        datasets: await Promise.all(page.map(describe)),
        next_cursor: found.length > limit && last ? encodeCursor(last.record.name) : null,
      });
    },
  );
}

function encodeCursor(name: string): string {
  return Buffer.from(name).toString('base64url');
}

function decodeCursor(cursor: string): string {
  const name = Buffer.from(cursor, 'base64url').toString();
  if (!/^[A-Za-z0-9._-]{1,128}$/.test(name) || encodeCursor(name) !== cursor) {
    fail('bad_request', 'The cursor is not one that this service gave out. Leave it out for the first page.');
  }
  return name;
}

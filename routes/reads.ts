/** Reading elements: one row, a range of rows, any slice. */
import { Type } from 'typebox';
import type { RouteShorthandOptions } from 'fastify';
import type { Context } from '../src/context.js';
import { parseInteger, parseSlice, rangePart } from '../src/selection.js';
import { sendArray } from '../src/plugins/send-array.js';
import { BINARY, DATASET_PROBLEMS, NameParams, problems } from './schemas/index.js';
import type { App } from './app-type.js';

const FORMAT_QUERY = {
  format: Type.Optional(Type.String({ description: 'json, raw or npy; wins over Accept.' })),
  endian: Type.Optional(
    Type.Union([Type.Literal('little'), Type.Literal('big')], {
      description: "Byte order of raw; default the dataset's.",
    }),
  ),
  int64: Type.Optional(
    Type.Union([Type.Literal('number'), Type.Literal('string')], {
      description: 'string quotes 64-bit integers in JSON, for readers that would round them.',
    }),
  ),
};

const SLICE = Type.Optional(
  Type.String({ description: "The text inside numpy's brackets: 100:200,50:100 or ...,::-1. Absent: everything." }),
);

const RESPONSES = {
  200: {
    description: 'The elements. raw is packed C order; npy is what np.load reads.',
    content: {
      'application/json': { schema: Type.Ref('ArrayAnswer') },
      'application/octet-stream': { schema: BINARY },
      'application/x-npy': { schema: BINARY },
    },
  },
  206: {
    description: 'A byte range of a contiguous raw or npy answer',
    content: { 'application/octet-stream': { schema: BINARY }, 'application/x-npy': { schema: BINARY } },
  },
  304: { description: 'Not modified', type: 'null' },
  ...problems(
    ...DATASET_PROBLEMS,
    'bad_slice',
    'index_out_of_bounds',
    'too_many_indices',
    'result_rank',
    'not_acceptable',
    'range_not_satisfiable',
    'too_large',
    'bulk_load',
    'busy',
    'worker_lost',
    'no_workers',
    'busy_writing',
  ),
};

export function reads(app: App, context: Context): void {
  getAndHead(app, '/v1/datasets/:name/rows/:row', {
    schema: {
      operationId: 'readRow',
      tags: ['reads'],
      summary: 'One row, like m[row]: axis 0 is dropped',
      params: Type.Object({
        name: NameParams.properties.name,
        row: Type.String({ description: 'An integer; negative counts from the end.' }),
      }),
      querystring: Type.Object(FORMAT_QUERY, { additionalProperties: false }),
      response: RESPONSES,
    },
    handler: (request, reply) => {
      const { name, row } = request.params as { name: string; row: string };
      const parts = [{ kind: 'index', index: parseInteger(row) }] as const;
      return sendArray(context, request, reply, name, parts, request.query as object);
    },
  });

  getAndHead(app, '/v1/datasets/:name/rows', {
    schema: {
      operationId: 'readRows',
      tags: ['reads'],
      summary: 'A range of rows, like m[start:stop:step]',
      params: NameParams,
      querystring: Type.Object(
        {
          start: Type.Optional(Type.String()),
          stop: Type.Optional(Type.String()),
          step: Type.Optional(Type.String()),
          ...FORMAT_QUERY,
        },
        { additionalProperties: false },
      ),
      response: RESPONSES,
    },
    handler: (request, reply) => {
      const { start, stop, step, ...query } = request.query as Record<string, string>;
      const parts = [rangePart(start, stop, step)];
      return sendArray(context, request, reply, (request.params as { name: string }).name, parts, query);
    },
  });

  getAndHead(app, '/v1/datasets/:name/data', {
    schema: {
      operationId: 'readData',
      tags: ['reads'],
      summary: 'Any basic slice, like m[100:200, 50:100]',
      params: NameParams,
      querystring: Type.Object({ slice: SLICE, ...FORMAT_QUERY }, { additionalProperties: false }),
      response: RESPONSES,
    },
    handler: (request, reply) => {
      const { slice, ...query } = request.query as { slice?: string };
      const parts = slice === undefined ? [] : parseSlice(slice);
      return sendArray(context, request, reply, (request.params as { name: string }).name, parts, query);
    },
  });
}

type Route = Required<Pick<RouteShorthandOptions, 'schema'>> & { handler: Parameters<App['route']>[0]['handler'] };

/** HEAD runs the same handler, which knows how to answer without reading; Fastify's own HEAD routes would not. */
function getAndHead(app: App, url: string, { schema, handler }: Route): void {
  const config = { scope: 'read', asksPreconditions: true } as const;
  app.route({ method: 'GET', url, config, schema, handler, exposeHeadRoute: false });
  app.route({ method: 'HEAD', url, config, schema: { ...schema, hide: true }, handler });
}

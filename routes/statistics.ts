/** Statistics of one dataset. */
import { Type } from 'typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Context } from '../src/context.js';
import { fail, type ErrorCode } from '../src/errors.js';
import type { CachedRun } from '../src/jobs/cached.js';
import { npyHeader } from '../src/formats/index.js';
import { holdUntilSent } from '../src/plugins/hold.js';
import { mediaTypeOf, negotiate } from '../src/plugins/negotiate.js';
import { parseInteger } from '../src/selection.js';
import { BINARY, BODY_PROBLEMS, DATASET_PROBLEMS, NameParams, problems } from './schemas.js';
import {
  answerBlock,
  answerJson,
  askingOf,
  checkJsonCells,
  heldBytesOf,
  planFor,
  type StatisticsInput,
} from './statistics-answer.js';
import type { App } from './app-type.js';

const FORMAT = { format: Type.Optional(Type.String({ description: 'json, or raw or npy for one operation.' })) };

const responses = (...more: ErrorCode[]) => ({
  200: {
    description: 'The results. One operation with format=npy or raw answers as an array.',
    content: {
      'application/json': { schema: Type.Ref('StatisticsAnswer') },
      'application/octet-stream': { schema: BINARY },
      'application/x-npy': { schema: BINARY },
    },
  },
  ...problems(
    ...DATASET_PROBLEMS,
    ...more,
    'bad_slice',
    'not_acceptable',
    'index_out_of_bounds',
    'too_many_indices',
    'result_rank',
    'bad_axis',
    'bad_operation',
    'empty_selection',
    'nan_found',
    'would_lose',
    'too_large',
    'bulk_load',
    'busy',
    'busy_writing',
    'worker_lost',
  ),
});

const text = (description: string) => Type.Optional(Type.String({ description }));

export function statistics(app: App, context: Context): void {
  app.get(
    '/v1/datasets/:name/statistics',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'getStatistics',
        tags: ['statistics'],
        summary: 'Statistics of a dataset or a slice of it',
        params: NameParams,
        querystring: Type.Object(
          {
            ops: text('Operations, comma-separated: mean,std'),
            slice: text('Basic indexing, applied first.'),
            axis: text('Axes to reduce, comma-separated; absent reduces all.'),
            keepdims: Type.Optional(Type.Boolean()),
            ddof: Type.Optional(Type.Number()),
            nan: text('propagate, omit or raise'),
            as: text('Names for the results, comma-separated.'),
            where: text('JSON text'),
            group_by: text('JSON text'),
            q: text('Quantiles, comma-separated.'),
            bins: text('Bins of a histogram.'),
            range: text('Range of a histogram: lo,hi'),
            ...FORMAT,
          },
          { additionalProperties: false },
        ),
        response: responses(),
      },
    },
    (request, reply) => send(context, request, reply, request.params.name, fromUrl(request.query)),
  );

  app.post(
    '/v1/datasets/:name/statistics',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'queryStatistics',
        tags: ['statistics'],
        summary: 'Statistics of a dataset, as a JSON query',
        params: NameParams,
        querystring: Type.Object(FORMAT, { additionalProperties: false }),
        body: Type.Ref('StatisticsQuery'),
        response: responses(...BODY_PROBLEMS),
      },
    },
    (request, reply) => send(context, request, reply, request.params.name, request.body as StatisticsInput),
  );
}

async function send(
  context: Context,
  request: FastifyRequest,
  reply: FastifyReply,
  name: string,
  input: StatisticsInput,
): Promise<FastifyReply> {
  const format = negotiate(request, (request.query as { format?: string }).format);
  const planned = planFor(request.datasets, name, input);
  const asking = askingOf(request, reply);
  await holdUntilSent(context.budget, reply, heldBytesOf(planned));
  reply.header('cache-control', 'no-cache');
  if (format === 'json') {
    checkJsonCells(planned, context.config.jsonElementsMax);
    const { text: body, run } = await answerJson(context, planned, asking, '');
    noteRun(reply, run);
    return reply.type('application/json; charset=utf-8').send(body);
  }
  const { block, run } = await answerBlock(context, planned, asking);
  noteRun(reply, run);
  reply
    .header('x-array-dtype', block.dtype.typestr)
    .header('x-array-shape', block.shape.join(','))
    .type(mediaTypeOf(format));
  if (format === 'raw') return reply.send(block.bytes);
  return reply.send(Buffer.concat([npyHeader({ dtype: block.dtype, shape: block.shape, order: 'C' }), block.bytes]));
}

function noteRun(reply: FastifyReply, { generations, cache }: CachedRun): void {
  reply.header('x-dataset-generation', generations[0]).header('x-cache', cache);
}

interface UrlQuery extends Record<string, unknown> {
  readonly ops?: string;
  readonly axis?: string;
  readonly as?: string;
}

/** The parameters of a URL in the shape of the JSON query. */
function fromUrl({ ops, axis, as, q, bins, range, format: _, ...rest }: UrlQuery): StatisticsInput {
  const named: unknown[] = ops === undefined ? [] : splitList(ops);
  // These imply their operation.
  if (q !== undefined) named.push({ quantile: { q } });
  if (bins !== undefined || range !== undefined) named.push({ histogram: { bins, range } });
  if (named.length === 0) fail('bad_request', 'ops is missing: name operations, for example ops=mean,std.');
  return {
    ...rest,
    ops: named,
    ...(axis !== undefined && { axis: parseAxes(axis) }),
    ...(as !== undefined && { as: splitList(as) }),
  };
}

function parseAxes(axis: string): number[] | null {
  return axis === '' || axis === 'null' || axis === 'None' ? null : splitList(axis).map(parseInteger);
}

function splitList(list: string): string[] {
  return list.split(',').map(each => each.trim());
}

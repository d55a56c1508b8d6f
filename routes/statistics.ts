/** Statistics of one dataset. */
import { Type } from 'typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Context } from '../src/context.js';
import { standingOf } from '../src/dataset/precondition.js';
import { fail, type ErrorCode } from '../src/errors.js';
import { npyHeader, parseExactJson } from '../src/formats/index.js';
import { signalOf } from '../src/plugins/client-gone.js';
import { answeredUntagged } from '../src/plugins/conditional.js';
import { growUntilSent, holdUntilSent } from '../src/plugins/hold.js';
import { mediaTypeOf, negotiate } from '../src/plugins/negotiate.js';
import { parsePrefer } from '../src/plugins/prefer.js';
import { parseInteger, splitList } from '../src/selection.js';
import { BINARY, BODY_PROBLEMS, DATASET_PROBLEMS, NameParams, problems } from './schemas/index.js';
import { ACCEPTED, PREFER_HEADER, respondAsync } from './respond-async.js';
import { checkComputed, statisticsJob, type RunNote } from './statistics-job.js';
import {
  answerBlock,
  answerJson,
  asksAfresh,
  checkJsonCells,
  costOf,
  EXACT_MEMBERS,
  heldBytesOf,
  planFor,
  type Running,
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
  202: ACCEPTED,
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
    'not_aligned',
    'empty_selection',
    'nan_found',
    'would_lose',
    'too_large',
    'bulk_load',
    'busy',
    'busy_writing',
    'worker_lost',
    'no_workers',
    'too_many_jobs',
  ),
});

const text = (description: string) => Type.Optional(Type.String({ description }));

export function statistics(app: App, context: Context): void {
  app.get(
    '/v1/datasets/:name/statistics',
    {
      config: { scope: 'read', asksPreconditions: true },
      schema: {
        operationId: 'getStatistics',
        tags: ['statistics'],
        summary: 'Statistics of a dataset or a slice of it',
        params: NameParams,
        headers: PREFER_HEADER,
        querystring: Type.Object(
          {
            ops: text('Operations, comma-separated: mean,std'),
            slice: text('Basic indexing, applied first.'),
            axis: text('Axes to reduce, comma-separated; absent reduces all.'),
            keepdims: Type.Optional(Type.Boolean()),
            ddof: Type.Optional(Type.Number()),
            nan: text('propagate, omit or raise'),
            as: text('Names for the results, comma-separated.'),
            where: text('Which rows are used: the JSON of a filter.'),
            group_by: text('What rows are grouped by: the JSON of a key, or of a list of keys.'),
            q: text(
              'Quantiles from 0 to 1, comma-separated; one number alone has no axis in the answer, 0.5, with a comma has.',
            ),
            bins: text('Number of bins of a histogram; 10 where only range is given.'),
            range: text('Range of a histogram, lo,hi; absent: from the smallest to the largest element.'),
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
      config: { scope: 'read', asksPreconditions: true, exactMembers: EXACT_MEMBERS },
      schema: {
        operationId: 'queryStatistics',
        tags: ['statistics'],
        summary: 'Statistics of a dataset, as a JSON query',
        params: NameParams,
        headers: PREFER_HEADER,
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
  if (format === 'json') checkJsonCells(planned, context.config.jsonElementsMax);
  if (answeredUntagged(request, reply, standingOf(planned.dataset))) return reply;
  const preferences = parsePrefer(request.headers['prefer']);
  const isFresh = asksAfresh(request);
  // Asked again of the generation that was computed.
  const ifMatch = request.headers['if-match'];
  // A job's result is JSON, and HEAD asks for no work to be begun; a preference need not be granted.
  if (preferences.respondAsync && format === 'json' && request.method !== 'HEAD') {
    const { order, note } = statisticsJob(context, request.datasets, planned, input, isFresh, ifMatch);
    const answer = (result: Uint8Array): FastifyReply => sendJson(reply, result, note());
    return respondAsync(context, request, reply, preferences, { ...order, answer });
  }
  context.admission.check(costOf(planned), 'call');
  const signal = signalOf(reply);
  const heldBytes = heldBytesOf(planned);
  await holdUntilSent(context.budget, reply, heldBytes);
  const memory = growUntilSent(context.budget, reply, heldBytes, signal);
  const running: Running = { kind: 'call', signal, isFresh, memory };
  if (format === 'json') {
    const { text: body, run } = await answerJson(context, planned, running, '');
    checkComputed(ifMatch, planned, run);
    return sendJson(reply, body, run);
  }
  const { block, run } = await answerBlock(context, planned, running);
  checkComputed(ifMatch, planned, run);
  noteRun(reply, run)
    .header('x-array-dtype', block.dtype.typestr)
    .header('x-array-shape', block.shape.join(','))
    .type(mediaTypeOf(format));
  if (format === 'raw') return reply.send(block.bytes);
  return reply.send(Buffer.concat([npyHeader({ dtype: block.dtype, shape: block.shape, order: 'C' }), block.bytes]));
}

function noteRun(reply: FastifyReply, { generations, cache }: RunNote): FastifyReply {
  return reply
    .header('cache-control', 'no-cache')
    .header('x-dataset-generation', generations[0])
    .header('x-cache', cache);
}

function sendJson(reply: FastifyReply, body: string | Uint8Array, run: RunNote): FastifyReply {
  return noteRun(reply, run).type('application/json; charset=utf-8').send(body);
}

interface UrlQuery extends Record<string, unknown> {
  readonly ops?: string;
  readonly q?: string;
  readonly bins?: string;
  readonly range?: string;
  readonly axis?: string;
  readonly as?: string;
  readonly where?: string;
  readonly group_by?: string;
}

/** The parameters of a URL in the shape of the JSON query. */
function fromUrl(query: UrlQuery): StatisticsInput {
  const { ops, axis, as, q, bins, range, where, group_by: groupBy, format: _, ...rest } = query;
  // These imply their operation, which stands at the end where it is not named.
  const implied: Record<string, object> = {
    ...(q !== undefined && { quantile: { q: parseFractions(q) } }),
    ...((bins !== undefined || range !== undefined) && {
      histogram: {
        ...(bins !== undefined && { bins: parseNumber(bins) }),
        range: range && splitList(range).map(parseNumber),
      },
    }),
  };
  const names = ops === undefined ? [] : splitList(ops);
  for (const name of Object.keys(implied)) if (!names.includes(name)) names.push(name);
  const named = names.map(name => (Object.hasOwn(implied, name) ? { [name]: implied[name] } : name));
  if (named.length === 0) fail('bad_request', 'ops is missing: name operations, for example ops=mean,std.');
  return {
    ...rest,
    ops: named,
    ...(axis !== undefined && { axis: parseAxes(axis) }),
    ...(as !== undefined && { as: splitList(as) }),
    ...(where !== undefined && { where: parseText('where', where) }),
    ...(groupBy !== undefined && { group_by: parseText('group_by', groupBy) }),
  };
}

/** A parameter that is JSON. */
function parseText(name: string, text: string): unknown {
  try {
    return parseExactJson(text);
  } catch {
    return fail('bad_request', `${name} is JSON text, for example {"column":3,"gt":0.5}, percent-encoded.`, {
      at: name,
    });
  }
}

function parseAxes(axis: string): number[] | null {
  return axis === '' || axis === 'null' || axis === 'None' ? null : splitList(axis).map(parseInteger);
}

/** One number, or a list of them: `0.5`, `0.25,0.75`, and `0.5,` for a list of one. */
function parseFractions(list: string): unknown {
  const fractions = splitList(list).map(parseNumber);
  return list.includes(',') ? fractions : fractions[0];
}

/** What is no number is left for the query to refuse. */
function parseNumber(text: string): number | string {
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text.trim()) ? Number(text) : text;
}

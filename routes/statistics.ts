/** Statistics of one dataset: as JSON, or one operation as an array. */
import { Type, type TProperties } from 'typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Context } from '../src/context.js';
import { standingOf } from '../src/dataset/precondition.js';
import type { ErrorCode } from '../src/errors.js';
import { FORMATS, npyHeader, type FormatName, type FormatRow } from '../src/formats/index.js';
import { ofClient } from '../src/plugins/client.js';
import { signalOf } from '../src/plugins/client-gone.js';
import { answeredUntagged } from '../src/plugins/conditional.js';
import { setFileName } from '../src/plugins/file-name.js';
import { growUntilSent, holdUntilSent } from '../src/plugins/hold.js';
import { mediaTypeOf, negotiate, type Offer } from '../src/plugins/negotiate.js';
import { parsePrefer } from '../src/plugins/prefer.js';
import { nextTurn } from '../src/turns.js';
import {
  answerIn,
  BODY_PROBLEMS,
  capitalised,
  DATASET_PROBLEMS,
  headers,
  jsonResponse,
  NameParams,
  problems,
  untold,
} from './schemas/index.js';
import { PREFER_HEADER, respondAsync } from './respond-async.js';
import { checkComputed, statisticsJob, type RunNote } from './statistics-job.js';
import { fromUrl, urlQuery } from './statistics-url.js';
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

const FORMAT = untold(Type.String({ description: 'json, or raw or npy for one operation.' }));

export const STATISTICS_PROBLEMS: readonly ErrorCode[] = [
  ...DATASET_PROBLEMS,
  'bad_slice',
  'not_acceptable',
  'index_out_of_bounds',
  'too_many_indices',
  'result_rank',
  'bad_axis',
  'unknown_field',
  'unsupported_dtype',
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
  'no_kernels',
  'too_many_jobs',
];

/** Paths of statistics: what each answers, and what its document says. The first one negotiates. */
interface Variant {
  /** Absent where it is negotiated. */
  readonly format?: FormatRow & { readonly name: FormatName };
  readonly description: string;
  readonly query: TProperties;
  readonly response: object;
}

const VARIANTS: readonly Variant[] = [
  {
    description:
      'One operation is answered as an array where `Accept` asks for raw or npy, or `format=`; the paths with a suffix ' +
      'always do. With the header `Prefer: respond-async`, perhaps with `wait=<seconds>`, the answer is 202 with a job, ' +
      'as that of `POST /v1/jobs`.',
    query: { format: FORMAT },
    response: jsonResponse('The results', 'StatisticsAnswer', 'X-Dataset-Generation', 'X-Cache'),
  },
  ...FORMATS.filter(({ isArray }) => isArray).map(format => ({
    format,
    description: `One operation, as ${format.describes}. \`Accept\` does not matter.`,
    query: {},
    response: {
      description: 'The result of the operation',
      ...headers('X-Dataset-Generation', 'X-Array-Dtype', 'X-Array-Shape', 'X-Cache', 'Content-Disposition'),
      content: answerIn([format], ''),
    },
  })),
];

/** Nested lists, or the one array that an operation is. */
const OFFER: Offer = { formats: FORMATS.filter(({ name, isArray }) => isArray || name === 'json') };

export function statistics(app: App, context: Context): void {
  for (const variant of VARIANTS) {
    const { format, description, query, response } = variant;
    const suffix = format ? `.${format.name}` : '';
    const idSuffix = capitalised(format?.name ?? '');
    const asFormat = format ? `, as ${format.name}` : '';
    const told = { tags: ['statistics'], description, params: NameParams, headers: PREFER_HEADER };
    app.get(
      `/v1/datasets/:name/statistics${suffix}`,
      {
        config: { scope: 'read', asksPreconditions: true },
        schema: {
          ...told,
          operationId: `getStatistics${idSuffix}`,
          summary: `Statistics of a dataset or a slice of it${asFormat}`,
          querystring: Type.Object({ ...urlQuery(format !== undefined), ...query }, { additionalProperties: false }),
          response: { 200: response, ...problems(...STATISTICS_PROBLEMS) },
        },
      },
      (request, reply) => {
        const input = fromUrl(request.query);
        return send(context, request, reply, { name: request.params.name, input, format });
      },
    );

    app.post(
      `/v1/datasets/:name/statistics${suffix}`,
      {
        config: { scope: 'read', asksPreconditions: true, exactMembers: EXACT_MEMBERS },
        schema: {
          ...told,
          operationId: `queryStatistics${idSuffix}`,
          summary: `Statistics of a dataset, as a JSON query${asFormat}`,
          querystring: Type.Object(query, { additionalProperties: false }),
          body: Type.Ref('StatisticsQuery'),
          response: { 200: response, ...problems(...STATISTICS_PROBLEMS, ...BODY_PROBLEMS) },
        },
      },
      (request, reply) => {
        const input = request.body as StatisticsInput;
        return send(context, request, reply, { name: request.params.name, input, format });
      },
    );
  }
}

/** What one call asks for. */
interface Asked {
  readonly name: string;
  readonly input: StatisticsInput;
  /** Of the path; without one it is negotiated. */
  readonly format: Variant['format'] | undefined;
}

async function send(
  whole: Context,
  request: FastifyRequest,
  reply: FastifyReply,
  { name, input, format: ofPath }: Asked,
): Promise<FastifyReply> {
  const context = ofClient(whole, request);
  const format = ofPath?.name ?? negotiate(request, (request.query as { format?: string }).format, OFFER);
  const preferences = parsePrefer(request.headers['prefer']);
  // Many that nobody waits for may come at once.
  if (preferences.respondAsync) await nextTurn();
  const planned = await planFor(request.datasets, name, input);
  if (format === 'json') checkJsonCells(planned, context.config.jsonElementsMax);
  if (answeredUntagged(request, reply, standingOf(planned.dataset))) return reply;
  const isFresh = asksAfresh(request);
  // Asked again of the generation that was computed.
  const ifMatch = request.headers['if-match'];
  // A job's result is JSON, and HEAD asks for no work to be begun; a preference need not be granted.
  if (preferences.respondAsync && format === 'json' && request.method !== 'HEAD') {
    const { order, note } = await statisticsJob(context, request.datasets, planned, input, isFresh, ifMatch);
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
  if (ofPath) setFileName(reply, name, ofPath);
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

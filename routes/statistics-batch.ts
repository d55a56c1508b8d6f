/** Many statistics in one call: a line of NDJSON per query, an error line where one fails; or a job that has them all. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { Context } from '../src/context.js';
import { ofClient } from '../src/plugins/client.js';
import { signalOf } from '../src/plugins/client-gone.js';
import { STREAM_HEADERS } from '../src/plugins/event-stream.js';
import { streamLines } from '../src/plugins/lines.js';
import { parsePrefer } from '../src/plugins/prefer.js';
import { batchJob, linesOf } from './batch-job.js';
import { batchLines, type Batching, type BatchQuery, type LineOrder } from './batch-lines.js';
import { PREFER_HEADER, respondAsync } from './respond-async.js';
import { BODY_PROBLEMS, LINES, problems } from './schemas/index.js';
import { asksAfresh, EXACT_MEMBERS } from './statistics-answer.js';
import type { App } from './app-type.js';

interface Batch {
  readonly queries: readonly BatchQuery[];
  readonly order?: LineOrder;
}

export function statisticsBatch(app: App, context: Context): void {
  app.post(
    '/v1/statistics',
    {
      config: { scope: 'read', exactMembers: EXACT_MEMBERS },
      schema: {
        operationId: 'batchStatistics',
        tags: ['statistics'],
        summary: 'Statistics of several datasets or slices, one NDJSON line each',
        description:
          'Lines come in input order, or as they finish. Each carries the `index` of its query; a query that fails is ' +
          '`{"index", "error": {problem}}` and does not stop the others. With the header `Prefer: respond-async` the answer ' +
          'is 202 with a job, whose result is a list of the same.',
        headers: PREFER_HEADER,
        body: Type.Ref('StatisticsBatch'),
        response: {
          200: {
            description: 'A line per query, each a BatchLine',
            content: { 'application/x-ndjson': { schema: LINES } },
          },
          ...problems(...BODY_PROBLEMS, 'too_many_jobs'),
        },
      },
    },
    (request, reply) => send(context, request, reply, request.body as Batch),
  );
}

async function send(
  context: Context,
  request: FastifyRequest,
  reply: FastifyReply,
  { queries, order = 'input' }: Batch,
): Promise<FastifyReply> {
  const { datasets, log } = request;
  const own = ofClient(context, request);
  const isFresh = asksAfresh(request);
  reply.type('application/x-ndjson').headers(STREAM_HEADERS).header('x-request-id', request.id);
  const preferences = parsePrefer(request.headers['prefer']);
  if (preferences.respondAsync) {
    const job = await batchJob({ context: own, datasets, kind: 'job', isFresh, log }, queries, order);
    const answer = (result: Uint8Array): FastifyReply => reply.send(Buffer.from(linesOf(result)));
    return respondAsync(context, request, reply, preferences, { ...job, answer });
  }
  const batching: Batching = { context: own, datasets, kind: 'call', signal: signalOf(reply), isFresh, log };
  await streamLines(context.budget, reply, batchLines(batching, queries, order));
  return reply;
}

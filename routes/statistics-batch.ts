/** Many statistics in one call: a line of NDJSON per query, an error line where one fails. */
import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import type { Datasets } from '../src/access/datasets.js';
import type { Context } from '../src/context.js';
import { problemOf } from '../src/plugins/errors.js';
import { BODY_PROBLEMS, problems } from './schemas.js';
import {
  answerJson,
  askingOf,
  checkJsonCells,
  heldBytesOf,
  planFor,
  type Asking,
  type StatisticsInput,
} from './statistics-answer.js';
import type { App } from './app-type.js';

/** Queries under way at once: enough to keep the workers busy between two of them. */
const CONCURRENT_QUERIES = 4;

type Query = StatisticsInput & { readonly dataset: string };

interface Batch {
  readonly queries: readonly Query[];
  readonly order?: 'input' | 'finished';
}

/** What every query of a batch works with. */
interface Batching {
  readonly context: Context;
  readonly datasets: Datasets;
  readonly asking: Asking;
}

export function statisticsBatch(app: App, context: Context): void {
  app.post(
    '/v1/statistics',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'batchStatistics',
        tags: ['statistics'],
        summary: 'Statistics of several datasets or slices, one NDJSON line each',
        description:
          'Lines come in input order, or as they finish. Each carries the `index` of its query; a query that fails is ' +
          '`{"index", "error": {problem}}` and does not stop the others.',
        body: Type.Ref('StatisticsBatch'),
        response: {
          200: { description: 'A line per query', content: { 'application/x-ndjson': { schema: { type: 'string' } } } },
          ...problems(...BODY_PROBLEMS),
        },
      },
    },
    async (request, reply: FastifyReply) => {
      const { queries, order = 'input' } = request.body as Batch;
      const batching = { context, datasets: request.datasets, asking: askingOf(request, reply) };
      const lines = order === 'input' ? inOrder(batching, queries) : asFinished(batching, queries);
      return reply
        .type('application/x-ndjson')
        .header('cache-control', 'no-cache')
        .send(Readable.from(lines, { objectMode: false, highWaterMark: 16 * 1024 }));
    },
  );
}

async function lineOf(
  { context, datasets, asking }: Batching,
  { dataset, ...input }: Query,
  index: number,
): Promise<string> {
  try {
    const planned = planFor(datasets, dataset, input);
    checkJsonCells(planned, context.config.jsonElementsMax);
    const { text } = await context.budget.with(heldBytesOf(planned), () =>
      answerJson(context, planned, asking, `"index":${index},`),
    );
    return `${text}\n`;
  } catch (error) {
    return `${JSON.stringify({ index, error: problemOf(error) })}\n`;
  }
}

async function* inOrder(batching: Batching, queries: readonly Query[]): AsyncGenerator<string, void> {
  const { signal } = batching.asking;
  const running: Promise<string>[] = [];
  for (let next = 0; next < queries.length || running.length > 0;) {
    while (next < queries.length && running.length < CONCURRENT_QUERIES && !signal.aborted) {
      running.push(lineOf(batching, queries[next]!, next++));
    }
    if (running.length === 0) return;
    // oxlint-disable-next-line no-await-in-loop
    yield await running.shift()!;
  }
}

async function* asFinished(batching: Batching, queries: readonly Query[]): AsyncGenerator<string, void> {
  const { signal } = batching.asking;
  const running = new Map<number, Promise<{ index: number; line: string }>>();
  for (let next = 0; next < queries.length || running.size > 0;) {
    while (next < queries.length && running.size < CONCURRENT_QUERIES && !signal.aborted) {
      const index = next++;
      running.set(
        index,
        lineOf(batching, queries[index]!, index).then(line => ({ index, line })),
      );
    }
    if (running.size === 0) return;
    // oxlint-disable-next-line no-await-in-loop
    const { index, line } = await Promise.race(running.values());
    running.delete(index);
    yield line;
  }
}

/** Every index that numpy accepts: lists, masks and points of a dataset, and what a filter keeps. */
import { Type } from 'typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { expecting, parseExpectedShape } from '../src/access/expecting.js';
import type { ClientContext, Context } from '../src/context.js';
import { partsOf } from '../src/dataset/array-part.js';
import { columnNames, columnRuler } from '../src/dataset/column-names.js';
import type { Dataset } from '../src/dataset/dataset.js';
import { fail } from '../src/errors.js';
import type { ArrayQuery } from '../src/plugins/array-answer.js';
import type { Bodies } from '../src/plugins/openapi.js';
import { ofClient } from '../src/plugins/client.js';
import { signalOf } from '../src/plugins/client-gone.js';
import { holdUntilSent } from '../src/plugins/hold.js';
import { whileLengthMoves } from '../src/plugins/present-length.js';
import { sendBlock, sendPart, type DatasetPart } from '../src/plugins/send-array.js';
import { chooseView } from '../src/jobs/choose.js';
import { keptRows, type RowChoosing } from '../src/jobs/kept-rows.js';
import { sourceOf } from './statistics-answer.js';
import type { EntriesLeft } from '../src/select/read-lists.js';
import type { ReadEntry } from '../src/select/read-reads.js';
import { selectorOf } from '../src/select/read-body.js';
import { blockOfRows } from '../src/select/row-numbers.js';
import type { WhereSelector } from '../src/select/selector.js';
import { runTurns } from '../src/turns.js';
import type { App } from './app-type.js';
import { READ_PROBLEMS, ROWS_QUERY } from './reads.js';
import { BODY_PROBLEMS, jsonResponse, NameParams, problems } from './schemas/index.js';
import { NPY_BODY, readReadsBody, readSelectBody, type SelectBody } from './select-body.js';
import { checkNames, sendMany } from './select-many.js';
import { streamedBodies } from './streamed-bodies.js';

const MEMBERS = ['index', 'mode', 'mask', 'points', 'where', 'slice', 'limit', 'return', 'slices'] as const;
/** Told alone: one type of body is what generated clients understand. */
const BODIES: Bodies = { 'application/json': Type.Ref('Selection') };
const EXAMPLE = '{"index": [[0, 2, 5], ":"]}';

/** Each read names its own field. */
const { field: _, ...MANY_QUERY } = ROWS_QUERY;

export function select(app: App, context: Context): void {
  streamedBodies(app, [...Object.keys(BODIES), NPY_BODY], scope => {
    scope.post(
      '/v1/datasets/:name/select',
      {
        config: { scope: 'read', asksPreconditions: true, bodies: BODIES },
        schema: {
          operationId: 'selectData',
          tags: ['reads'],
          summary: 'Any index that numpy accepts, like m[[0, 2, 5], 1:4]',
          description:
            'The answer is JSON. It is raw or npy where `Accept` asks for it, or `format=`. A .npy as the body is a list of ' +
            'integers for axis 0, or booleans over the leading axes.',
          params: NameParams,
          querystring: Type.Object(ROWS_QUERY, { additionalProperties: false }),
          response: {
            200: jsonResponse('The elements', 'ArrayAnswer', 'X-Dataset-Generation'),
            ...problems(...READ_PROBLEMS, ...BODY_PROBLEMS, 'bad_index', 'bad_json', 'bad_npy', 'body_size_mismatch'),
          },
        },
      },
      (request, reply) => answer(ofClient(context, request), request, reply),
    );
  });
  streamedBodies(app, ['application/json'], scope => {
    scope.post(
      '/v1/select',
      {
        config: { scope: 'read', bodies: { 'application/json': Type.Ref('Reads') } },
        schema: {
          operationId: 'selectMany',
          tags: ['reads'],
          summary: 'Several reads of one or more datasets, each dataset at one generation',
          description: 'A list of answers, or a .npz where `format=npz` or `Accept: application/x-npz` asks for it.',
          querystring: Type.Object(MANY_QUERY, { additionalProperties: false }),
          response: {
            200: jsonResponse('The elements', 'ReadAnswers'),
            ...problems(...READ_PROBLEMS, ...BODY_PROBLEMS, 'bad_index', 'bad_json', 'bad_name'),
          },
        },
      },
      (request, reply) => answerReads(ofClient(context, request), request, reply),
    );
  });
}

async function answerReads(
  context: ClientContext,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { reads: entries, left } = await readReadsBody(context, request, reply);
  await request.datasets.look(entries.map(({ dataset }) => dataset));
  return whileLengthMoves(reply, () => answerEntries(context, request, reply, entries, left));
}

async function answerEntries(
  context: ClientContext,
  request: FastifyRequest,
  reply: FastifyReply,
  entries: readonly ReadEntry[],
  left: EntriesLeft,
): Promise<FastifyReply> {
  const { datasets } = request;
  const reads = entries.map(({ dataset, name, field, dtype, casting, expectedShape: shape, slice, selector }, i) => ({
    name: name ?? String(i),
    dataset: (shape === undefined
      ? datasets
      : expecting(datasets, { name: dataset, shape: parseExpectedShape(shape) })
    ).get(dataset),
    field,
    dtype,
    casting,
    slice,
    selector,
  }));
  checkNames(reads.map(({ name }) => name));
  return sendMany(
    context,
    request,
    reply,
    reads,
    choosingFor(context, request, reply, left.copy()),
    request.query as ArrayQuery,
  );
}

async function answer(context: ClientContext, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { name } = request.params as { name: string };
  const query = request.query as ArrayQuery;
  // Asked before the body is read, to spare it.
  partsOf(request.datasets.get(name), query.field);
  const body = await readSelectBody(context, request, reply, MEMBERS, EXAMPLE);
  return whileLengthMoves(reply, () => answerMembers(context, request, reply, request.datasets.get(name), body));
}

async function answerMembers(
  context: ClientContext,
  request: FastifyRequest,
  reply: FastifyReply,
  dataset: Dataset,
  { members, left }: SelectBody,
): Promise<FastifyReply> {
  const query = request.query as ArrayQuery;
  const part = partsOf(dataset, query.field);
  const choosing = choosingFor(context, request, reply, left.copy());
  const { slices } = members;
  if (slices) {
    const reads = slices.map((slice, i) => ({
      name: String(i),
      dataset,
      field: query.field,
      slice,
      selector: undefined,
    }));
    return sendMany(context, request, reply, reads, choosing, query);
  }
  const selector =
    selectorOf(members) ??
    fail('bad_request', `The body says nothing of what is taken. Send for example ${EXAMPLE}.`, { example: EXAMPLE });
  if (selector.kind === 'where' && selector.returns === 'indices') {
    return sendIndices(context, request, reply, { dataset, ...part }, selector, choosing, query);
  }
  const { view, take, claim } = await chooseView(dataset, part, selector, choosing);
  if (claim) reply.raw.once('close', () => claim.close());
  const ruler = columnRuler(dataset, query.field, part.view.shape);
  const taken = ruler && take && view.shape.length <= 2 ? await runTurns(take(ruler)) : undefined;
  const names = columnNames(dataset, query.field, taken);
  return sendPart(context, request, reply, { dataset, ...part, view, claim, names }, query);
}

/** What choosing works with, for one request. */
export function choosingFor(
  context: ClientContext,
  request: FastifyRequest,
  reply: FastifyReply,
  left: EntriesLeft,
): RowChoosing {
  return {
    workers: context.workers,
    admission: context.admission,
    signal: signalOf(reply),
    left,
    hold: bytes => holdUntilSent(context.budget, reply, bytes),
    get: name => request.datasets.get(name),
    look: names => request.datasets.look(names),
    sourceOf: name => sourceOf(request.datasets, name),
  };
}

/** The numbers of the rows that a filter keeps. */
async function sendIndices(
  context: ClientContext,
  request: FastifyRequest,
  reply: FastifyReply,
  { dataset, ...part }: DatasetPart,
  selector: WhereSelector,
  choosing: RowChoosing,
  query: ArrayQuery,
): Promise<FastifyReply> {
  const { claim, rows } = await keptRows(dataset.record.name, selector, choosing, part);
  claim.close();
  const block = await blockOfRows(rows);
  return sendBlock(context, request, reply, { dataset, claim }, block, query);
}

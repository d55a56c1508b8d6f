/** Every index that numpy accepts: lists, masks and points of a dataset, and what a filter keeps. */
import { Type } from 'typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ClientContext, Context } from '../src/context.js';
import { partOf } from '../src/dataset/array-part.js';
import type { Dataset } from '../src/dataset/dataset.js';
import { parseDType } from '../src/dtype/index.js';
import { fail } from '../src/errors.js';
import type { ArrayQuery } from '../src/plugins/array-answer.js';
import type { Bodies } from '../src/plugins/openapi.js';
import { ofClient } from '../src/plugins/client.js';
import { signalOf } from '../src/plugins/client-gone.js';
import { holdUntilSent } from '../src/plugins/hold.js';
import { sendBlock, sendPart, type DatasetPart } from '../src/plugins/send-array.js';
import { checkMask, claimDatasets, maskNames, withMasks } from '../src/jobs/chosen.js';
import { keptRows, type RowChoosing } from '../src/jobs/kept-rows.js';
import { selectFrom } from '../src/layout/select.js';
import { normalise, parseSlice } from '../src/selection.js';
import { sourceOf } from './statistics-answer.js';
import { indexView, pointsView, rowsView } from '../src/select/index-view.js';
import type { IndexItem } from '../src/select/items.js';
import { selectorOf } from '../src/select/read-body.js';
import type { Selector, WhereSelector } from '../src/select/selector.js';
import { isTurnOver, nextTurn, runTurns } from '../src/turns.js';
import type { App } from './app-type.js';
import { READ_PROBLEMS, ROWS_QUERY } from './reads.js';
import { BODY_PROBLEMS, jsonResponse, NameParams, problems } from './schemas/index.js';
import { NPY_BODY, readSelectBody } from './select-body.js';
import { streamedBodies } from './streamed-bodies.js';

const MEMBERS = ['index', 'mode', 'mask', 'points', 'where', 'slice', 'limit', 'return', 'slices'] as const;
/** Told alone: one type of body is what generated clients understand. */
const BODIES: Bodies = { 'application/json': Type.Ref('Selection') };
const EXAMPLE = '{"index": [[0, 2, 5], ":"]}';

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
}

async function answer(context: ClientContext, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { name } = request.params as { name: string };
  const dataset = request.datasets.get(name);
  const query = request.query as ArrayQuery;
  const part = partOf(dataset, query.field);
  const { members, left } = await readSelectBody(context, request, reply, MEMBERS, EXAMPLE);
  const selector =
    selectorOf(members) ??
    fail('bad_request', `The body says nothing of what is taken. Send for example ${EXAMPLE}.`, { example: EXAMPLE });
  const choosing: RowChoosing = {
    workers: context.workers,
    admission: context.admission,
    signal: signalOf(reply),
    left,
    hold: bytes => holdUntilSent(context.budget, reply, bytes),
    get: each => request.datasets.get(each),
    sourceOf: each => sourceOf(request.datasets, each),
  };
  if (selector.kind === 'where' && selector.returns === 'indices') {
    return sendIndices(context, request, reply, dataset, selector, choosing, query);
  }
  const chosen = await choose(request, reply, { dataset, ...part }, selector, choosing);
  return sendPart(context, request, reply, chosen, query);
}

/** The numbers of the rows that a filter keeps. */
async function sendIndices(
  context: ClientContext,
  request: FastifyRequest,
  reply: FastifyReply,
  dataset: Dataset,
  selector: WhereSelector,
  choosing: RowChoosing,
  query: ArrayQuery,
): Promise<FastifyReply> {
  const { claim, rows } = await keptRows(dataset.record.name, selector, choosing);
  claim.close();
  const bytes = new Uint8Array(8 * rows.length);
  const view = new DataView(bytes.buffer);
  for (const [i, row] of rows.entries()) {
    view.setBigInt64(8 * i, BigInt(row), true);
    if (isTurnOver(i)) await nextTurn(); // oxlint-disable-line no-await-in-loop
  }
  const block = { dtype: parseDType('<i8'), shape: [rows.length], bytes };
  return sendBlock(context, request, reply, { dataset, claim }, block, query);
}

/** The part that a selector takes. */
async function choose(
  request: FastifyRequest,
  reply: FastifyReply,
  part: DatasetPart,
  selector: Selector,
  choosing: RowChoosing,
): Promise<DatasetPart> {
  switch (selector.kind) {
    case 'points':
      return { ...part, view: await runTurns(pointsView(part.view, selector.points)) };
    case 'where': {
      const { claim, rows } = await keptRows(part.dataset.record.name, selector, choosing);
      reply.raw.once('close', () => claim.close());
      const all = await runTurns(rowsView(part.view, rows));
      const parts = selector.slice === undefined ? [] : parseSlice(selector.slice);
      return { ...part, claim, view: selectFrom(all, normalise(parts, all.shape)) };
    }
    case 'index': {
      const { items, mode } = selector;
      const names = maskNames(items);
      if (names.length === 0)
        return { ...part, view: await runTurns(indexView(part.view, items as readonly IndexItem[], mode)) };
      const masks = names.map(name => request.datasets.get(name));
      for (const mask of masks) checkMask(mask);
      const [claim, ...ofMasks] = await claimDatasets([part.dataset, ...masks], choosing);
      reply.raw.once('close', () => claim!.close());
      try {
        const whole = await withMasks(items, ofMasks, choosing);
        return { ...part, claim: claim!, view: await runTurns(indexView(part.view, whole, mode)) };
      } finally {
        for (const each of ofMasks) each.close();
      }
    }
  }
}

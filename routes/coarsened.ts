/** `coarsen=` on reads: blocks of neighbours as one element each, answered as any other array is. */
import { Type } from 'typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { coarsenedBlock } from '../src/coarsen/coarsened.js';
import type { Block } from '../src/block.js';
import type { Context } from '../src/context.js';
import type { Conversion } from '../src/convert/index.js';
import { partOf } from '../src/dataset/array-part.js';
import { convertHeld } from '../src/dataset/convert.js';
import { sentAs } from '../src/dataset/sent-as.js';
import { fail } from '../src/errors.js';
import { jsonHeldBytes, npyHeader, pictureOf, shrinking, type FormatName } from '../src/formats/index.js';
import { selectFrom } from '../src/layout/select.js';
import { sizeOf } from '../src/layout/view.js';
import {
  answeredUnchanged,
  type ArrayAnswer,
  type ArrayQuery,
  checkJsonCost,
  setState,
} from '../src/plugins/array-answer.js';
import { ofClient } from '../src/plugins/client.js';
import { signalOf } from '../src/plugins/client-gone.js';
import { growUntilSent, holdUntilSent } from '../src/plugins/hold.js';
import { workersOf } from '../src/plugins/array-source.js';
import { mediaTypeOf } from '../src/plugins/negotiate.js';
import { jsonBody, sendJsonText } from '../src/plugins/send-json.js';
import { sendNpzBlock } from '../src/plugins/send-npz.js';
import { checkPicture, checkPictureSize, pictureHeldBytes, sendPicture } from '../src/plugins/send-picture.js';
import { encodingOf, formatOf, conversionAsked, isEncoded, sendEncodedBlock } from '../src/plugins/send-encoded.js';
import { sendArray } from '../src/plugins/send-array.js';
import { normalise, type Selection, type SlicePart } from '../src/selection.js';
import {
  COARSEN_METHODS,
  type Coarsened,
  coarsenedArray,
  isStrided,
  parseCoarsening,
  planCoarsened,
} from '../src/coarsen/coarsen.js';
import { runTurns } from '../src/turns.js';
import { oneOf } from './schemas/index.js';
import { asksAfresh, costOf, heldBytesOf, type PlannedStatistics, runPlanned } from './statistics-answer.js';
import { checkComputed } from './statistics-job.js';

export const COARSEN_QUERY = {
  coarsen: Type.Optional(
    Type.String({
      description:
        'A factor for each axis of what slice takes: so many neighbours become one element, the last of an axis maybe of fewer. 1 keeps an axis as it is.',
    }),
  ),
  method: Type.Optional(
    oneOf(COARSEN_METHODS, {
      description: 'What becomes of a block; default mean. minmax adds a last axis, of both.',
    }),
  ),
  nan: Type.Optional(oneOf(['propagate', 'omit'], { description: 'What NaN in a block do; default propagate.' })),
};

export interface CoarsenQuery extends ArrayQuery {
  readonly coarsen?: string;
  readonly method?: string;
  readonly nan?: string;
}

type Sent = Pick<Block, 'dtype' | 'shape'>;

/** What one call asks for, before anything was read. */
interface Asked extends ArrayAnswer {
  readonly planned: PlannedStatistics;
  readonly computed: Coarsened;
  /** As it is sent. */
  readonly array: Sent;
  /** How what is computed becomes that, where it is another dtype. */
  readonly conversion: Conversion | undefined;
}

/** As sendArray, of blocks where `coarsen` is given. */
export function sendPart(
  context: Context,
  request: FastifyRequest,
  reply: FastifyReply,
  name: string,
  parts: readonly SlicePart[],
  { coarsen, method, nan, ...query }: CoarsenQuery,
): FastifyReply | Promise<FastifyReply> {
  if (coarsen === undefined) {
    const small = shrunkPicture(request, name, parts, query);
    if (small) return sendPart(context, request, reply, name, parts, { ...query, ...small });
    const given = method === undefined ? (nan === undefined ? undefined : 'nan') : 'method';
    if (given !== undefined) {
      fail('bad_request', `${given} says how blocks are made, and coarsen which; give coarsen=4,4, too.`, {
        at: given,
      });
    }
    return sendArray(context, request, reply, name, parts, query);
  }
  const dataset = request.datasets.get(name);
  const { dtype, view } = partOf(dataset, query.field);
  const selection = normalise(parts, view.shape);
  const asked = parseCoarsening({ coarsen, method, nan }, selection.shape.length);
  const array = coarsenedArray(asked, dtype, selection.shape);
  if (isStrided(asked, dtype)) {
    return sendArray(context, request, reply, name, stepsOf(selection, asked.factors), query);
  }
  const format = formatOf(request, query, array.dtype, array.shape);
  const sent = sentAs(array, conversionAsked(format, query));
  if (format === 'json') checkJsonCost(array.shape, sent.dtype, context.config.jsonElementsMax);
  const plan = planCoarsened(asked, dtype, selectFrom(view, selection), { origin: view.offset });
  const planned: PlannedStatistics = { dataset, datasets: [dataset], plan, names: plan.query.ops };
  context.admission.check(costOf(planned), 'call');
  const { conversion } = sent;
  const asSent = { ...array, dtype: sent.dtype };
  // What is not a table is refused before anything is computed.
  if (isEncoded(format)) encodingOf(format, dataset, asSent, query);
  if (format === 'png') {
    checkPictureSize(checkPicture(asSent.dtype, asSent.shape, query));
    reply.header('x-coarsen', asked.factors.join());
  }
  return answer(context, {
    request,
    reply,
    dataset,
    format,
    query,
    planned,
    computed: array,
    array: asSent,
    conversion,
  });
}

/** How a picture that is larger than a limit is coarsened; undefined where none is asked for, or it is not. */
function shrunkPicture(
  request: FastifyRequest,
  name: string,
  parts: readonly SlicePart[],
  query: ArrayQuery,
): Pick<CoarsenQuery, 'coarsen' | 'method' | 'nan' | 'dtype' | 'casting'> | undefined {
  const { accept } = request.headers;
  if ((query.formatOfPath ?? query.format ?? (accept?.includes('image/') && 'png')) !== 'png') return undefined;
  const { dtype, view } = partOf(request.datasets.get(name), query.field);
  const { shape } = normalise(parts, view.shape);
  const factors = formatOf(request, query, dtype, shape) === 'png' && shrinking(checkPicture(dtype, shape, query));
  if (!factors) return undefined;
  // Truth values have no mean: a block with any is true. Means of colours are colours again.
  const method = dtype.kind === 'b' ? 'max' : 'mean';
  return {
    coarsen: factors.join(),
    method,
    nan: 'omit',
    ...(factors.length === 3 && { dtype: 'uint8', casting: 'unsafe' }),
  };
}

/** The same selection, of each axis every so many-th element: the first of each block. */
function stepsOf({ picks }: Selection, factors: readonly number[]): SlicePart[] {
  const left = [...factors];
  return picks.map(pick => {
    if (pick.kind === 'index') return pick;
    const factor = left.shift()!;
    if (pick.kind === 'newaxis') return pick;
    const { start, length } = pick;
    if (length === 0) return { kind: 'range', start: 0, stop: 0 };
    const step = factor < length ? pick.step * factor : 1;
    const stop = start + step * Math.ceil(length / factor);
    return { kind: 'range', start, step, ...(stop >= 0 && { stop }) };
  });
}

async function answer(whole: Context, asked: Asked): Promise<FastifyReply> {
  const { request, reply, dataset, format, planned, computed, array, conversion } = asked;
  const context = ofClient(whole, request);
  // The file is looked at before anything is said of it.
  if (!dataset.opened()) await dataset.open();
  if (answeredUnchanged(asked)) return reply;
  if (format === 'raw' || format === 'npy') {
    reply.header('x-array-dtype', array.dtype.typestr).header('x-array-shape', array.shape.join(','));
    reply.type(mediaTypeOf(format));
    if (request.method === 'HEAD') {
      setState(asked, dataset.generation);
      return reply.header('content-length', bytesOf(array) + (headOf(array, format)?.byteLength ?? 0)).send();
    }
  }
  const signal = signalOf(reply);
  const bodyBytes = format === 'json' ? jsonHeldBytes(array.shape, array.dtype) : 2 * bytesOf(array);
  const pictureBytes = format === 'png' ? pictureHeldBytes(pictureOf(array.dtype, array.shape)!) : 0;
  const heldBytes = heldBytesOf(planned) + bodyBytes + pictureBytes;
  await holdUntilSent(context.budget, reply, heldBytes);
  const memory = growUntilSent(context.budget, reply, heldBytes, signal);
  const run = await runPlanned(context, planned, { kind: 'call', signal, isFresh: asksAfresh(request), memory });
  checkComputed(request.headers['if-match'], planned, run);
  const { bytes } = await runTurns(coarsenedBlock(run.result.results, computed));
  const converted = conversion ? await convertHeld(conversion, { source: bytes }, context.workers) : bytes;
  const block = { dtype: array.dtype, shape: array.shape, bytes: converted };
  setState(asked, run.generations[0]!);
  reply.header('x-cache', run.cache);
  return send(whole, asked, run.generations[0]!, block);
}

async function send(context: Context, asked: Asked, generation: number, block: Block): Promise<FastifyReply> {
  const { reply, format, array } = asked;
  if (isEncoded(format)) return sendEncodedBlock(context, asked, format, block);
  if (format === 'png') return sendPicture(context, asked, block);
  if (format === 'npz') return sendNpzBlock(context, asked, generation, block);
  if (format === 'json') {
    const workers = workersOf({ context, request: asked.request });
    return sendJsonText(context, asked, await jsonBody(asked, generation, block, workers));
  }
  const head = headOf(array, format);
  return reply.send(head ? Buffer.concat([head, block.bytes]) : block.bytes);
}

function bytesOf({ dtype, shape }: Sent): number {
  return sizeOf(shape) * dtype.itemsize;
}

function headOf({ dtype, shape }: Sent, format: FormatName): Uint8Array | undefined {
  return format === 'npy' ? npyHeader({ dtype, shape, order: 'C' }) : undefined;
}

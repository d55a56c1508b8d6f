/** What all answers with elements have in common, wherever these come from: conditions, headers of state, and what JSON may cost. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Casting } from '../convert/index.js';
import type { Dataset } from '../dataset/dataset.js';
import { standingOf } from '../dataset/precondition.js';
import { isStructure, type DType } from '../dtype/index.js';
import { fail } from '../errors.js';
import { jsonCost, jsonHeldBytes, jsonItemSize, type FormatName } from '../formats/index.js';
import type { Claim } from '../jobs/claim.js';
import { LIMITS } from '../limits.js';
import { checkIfMatch, entityTag, isUnchanged, preconditionOf } from './conditional.js';
import { mediaTypeOf } from './negotiate.js';
import { addVary } from './vary.js';

export interface ArrayQuery {
  /** A field of a structure, or a column that attrs.columns names. */
  readonly field?: string;
  readonly format?: string;
  /** Of the path: what `Accept` names does not matter. */
  readonly formatOfPath?: FormatName;
  /** What the elements become, as by numpy's astype; `safe` is little-endian without float16. */
  readonly dtype?: string;
  readonly casting?: Casting;
  readonly endian?: 'little' | 'big' | undefined;
  readonly int64?: 'number' | 'string';
  /** Whether columns are named, in formats of tables; true where it is absent. */
  readonly header?: boolean;
  /** Of pictures: the colour map, and the numbers that have its ends. */
  readonly cmap?: string;
  readonly limits?: string;
}

/** An answer with elements of a dataset. */
export interface ArrayAnswer {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly dataset: Dataset;
  readonly format: FormatName;
  readonly query: ArrayQuery;
  /** Holds the generation that is answered; absent where the present one is. */
  readonly claim?: Claim | undefined;
  /** What the answer holds beside the elements, as its tag tells it: `-1a2b3c4d`. */
  readonly variant?: string | undefined;
}

/** The tag of an answer at a generation; none where other programs may write the file. */
export function tagOf({ dataset, format, variant = '' }: ArrayAnswer, generation: number): string | undefined {
  const { id, external } = dataset.record;
  return external ? undefined : entityTag(id, generation, format + variant);
}

/** The conditions of the request. True where it has been answered: 304. @throws generation_moved */
export function answeredUnchanged(asked: ArrayAnswer): boolean {
  const { claim, dataset, request, reply } = asked;
  const { record } = dataset;
  const generation = claim?.generation ?? dataset.generation;
  if (request.method === 'POST') {
    preconditionOf(request)({ id: record.id, generation });
    return false;
  }
  const { 'if-match': ifMatch, 'if-none-match': unchanged } = request.headers;
  if (ifMatch !== undefined) checkIfMatch(ifMatch, standingOf(dataset));
  if (unchanged === undefined) return false;
  setState(asked, dataset.generation);
  if (!isUnchanged(reply, tagOf(asked, dataset.generation))) return false;
  void reply.code(304).type(mediaTypeOf(asked.format)).send();
  return true;
}

/** Headers that say which state of which array this is. */
export function setState(asked: ArrayAnswer, generation: number): void {
  const { reply, query } = asked;
  const tag = tagOf(asked, generation);
  reply.header('x-dataset-generation', generation);
  // What the body of a request asks for has no tag: it would stand for the path.
  if (reply.request.method === 'POST') return;
  if (tag === undefined) reply.header('cache-control', 'no-store');
  else {
    reply.header('etag', tag);
    reply.header('cache-control', 'no-cache');
    if (query.formatOfPath === undefined) addVary(reply, 'Accept');
  }
}

/**
 * Counts what an answer may become: the values of structures one by one, and text as if each character were escaped.
 * @throws unsupported_dtype, too_large, before anything is read
 */
export function checkJsonCost(shape: readonly number[], dtype: DType, limit: number): void {
  const cost = jsonCost(shape);
  const { lists } = cost;
  const isEmpty = shape.includes(0);
  const values = cost.values * (isEmpty ? 1 : jsonItemSize(dtype).values);
  const listsMax = LIMITS.jsonListsPerElementMax * limit + LIMITS.rankMax;
  const bytesMax = LIMITS.jsonBytesPerElementMax * limit + 2 * LIMITS.rankMax * LIMITS.jsonValueBytes;
  const bytes = jsonHeldBytes(shape, dtype);
  const what = isEmpty ? 'empty lists' : isStructure(dtype) ? 'values' : 'elements';
  const would = `The answer would have ${values} ${what}`;
  if (values > limit) {
    failCost(`${would} of JSON; at most ${limit} are sent. Ask for a smaller slice`, limit, values, shape);
  }
  if (lists > listsMax) {
    const remedy = 'Take an index where an axis has length 1';
    failCost(
      `${would} in ${lists} lists of JSON; at most ${listsMax} lists are sent. ${remedy}`,
      listsMax,
      lists,
      shape,
    );
  }
  if (bytes > bytesMax) {
    const most = `whose JSON may take ${bytes} bytes of memory; at most ${bytesMax} are held`;
    const remedy = isStructure(dtype)
      ? 'Ask for a smaller slice, for single fields with field='
      : 'Ask for a smaller slice';
    failCost(`${would}, ${most}. ${remedy}`, bytesMax, bytes, shape);
  }
}

function failCost(detail: string, limit: number, asked: number, shape: readonly number[]): never {
  return fail('too_large', `${detail}, or for format=raw or npy.`, { limit, asked, shape });
}

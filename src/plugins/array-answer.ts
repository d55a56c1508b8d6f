/** What all answers with elements have in common, wherever these come from: conditions, headers of state, limits, JSON. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Block } from '../block.js';
import type { Dataset } from '../dataset/dataset.js';
import { standingOf } from '../dataset/precondition.js';
import { descriptionOf } from '../dtype/index.js';
import { fail } from '../errors.js';
import { encodeJsonData, encodeJsonDataNow, jsonCost, type FormatName } from '../formats/index.js';
import { sizeOf } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import { collectTurns } from '../turns.js';
import { checkIfMatch, entityTag, noneMatches } from './conditional.js';

export interface ArrayQuery {
  /** A field of a structure, or a column that attrs.columns names. */
  readonly field?: string;
  readonly format?: string;
  /** Of the path: what `Accept` names does not matter. */
  readonly formatOfPath?: FormatName;
  readonly endian?: 'little' | 'big';
  readonly int64?: 'number' | 'string';
}

/** An answer with elements of a dataset. */
export interface ArrayAnswer {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly dataset: Dataset;
  readonly format: FormatName;
  readonly query: ArrayQuery;
}

/** The conditions of the request. True where it has been answered: 304. @throws generation_moved */
export function answeredUnchanged(asked: ArrayAnswer): boolean {
  const { dataset, format, request, reply } = asked;
  const { record } = dataset;
  const { 'if-match': ifMatch, 'if-none-match': unchanged } = request.headers;
  if (ifMatch !== undefined) checkIfMatch(ifMatch, standingOf(dataset));
  if (unchanged === undefined) return false;
  const tag = record.external ? undefined : entityTag(record.id, dataset.generation, format);
  if (!noneMatches(unchanged, tag)) return false;
  setState(asked, dataset.generation);
  void reply.code(304).send();
  return true;
}

/** Headers that say which state of which array this is. */
export function setState({ reply, dataset, format, query }: ArrayAnswer, generation: number): void {
  const { record } = dataset;
  reply.header('x-dataset-generation', generation);
  if (record.external) reply.header('cache-control', 'no-store');
  else {
    reply.header('etag', entityTag(record.id, generation, format));
    reply.header('cache-control', 'no-cache');
    if (query.formatOfPath === undefined) {
      reply.header('vary', reply.hasHeader('vary') ? 'Accept, Origin' : 'Accept');
    }
  }
}

/** What a JSON answer of so many elements holds in memory. */
export function jsonHeldBytes(shape: readonly number[], itemsize: number): number {
  const { values, lists } = jsonCost(shape);
  return sizeOf(shape) * itemsize + (values + lists) * LIMITS.jsonValueBytes;
}

/** The whole body, in turns where it is long. */
export async function jsonBody(
  { dataset, query }: Pick<ArrayAnswer, 'dataset' | 'query'>,
  generation: number,
  block: Block,
): Promise<Buffer> {
  const { dtype, shape } = block;
  const options = { int64: query.int64 ?? 'number' } as const;
  const head = Buffer.from(
    `{"dataset":${JSON.stringify(dataset.record.name)},"generation":${generation},"dtype":${JSON.stringify(descriptionOf(dtype))},` +
      `"shape":[${shape.join(',')}],"data":`,
  );
  const data =
    sizeOf(shape) <= LIMITS.jsonElementsPerTurn
      ? [encodeJsonDataNow(block, options)]
      : await collectTurns(encodeJsonData(block, options));
  return Buffer.concat([head, ...data, CLOSING_BRACE]);
}

const CLOSING_BRACE = Buffer.from('}');

/** @throws too_large before anything is read */
export function checkJsonCost(shape: readonly number[], limit: number): void {
  const { values, lists } = jsonCost(shape);
  const listsMax = LIMITS.jsonListsPerElementMax * limit + LIMITS.rankMax;
  if (values <= limit && lists <= listsMax) return;
  const isDeep = values <= limit;
  const what = shape.includes(0) ? 'empty lists' : 'elements';
  const most = isDeep
    ? `The answer would have ${values} ${what} in ${lists} lists of JSON; at most ${listsMax} lists are sent. Take an index where an axis has length 1`
    : `The answer would have ${values} ${what} of JSON; at most ${limit} are sent. Ask for a smaller slice`;
  fail('too_large', `${most}, or for format=raw or npy.`, {
    limit: isDeep ? listsMax : limit,
    asked: isDeep ? lists : values,
    shape,
  });
}

/** Elements as JSON: held whole, with what says which state of which array they are. */
import type { FastifyReply } from 'fastify';
import { isForWorkers, jsonByWorkers, type JsonWorkers } from '../answers/json-by-workers.js';
import type { Block } from '../block.js';
import type { Context } from '../context.js';
import { KeptBytes } from '../dataset/buffers.js';
import { descriptionOf } from '../dtype/index.js';
import { encodeJsonData, encodeJsonDataNow, isShortJson } from '../formats/index.js';
import { nextTurn } from '../turns.js';
import type { ArrayAnswer } from './array-answer.js';
import { sendKept } from './send-whole.js';

/** The whole body: by workers where it is many numbers, in turns where it is long otherwise. */
export async function jsonBody(
  { dataset, query }: Pick<ArrayAnswer, 'dataset' | 'query'>,
  generation: number,
  block: Block,
  workers: JsonWorkers,
): Promise<JsonText> {
  const { dtype, shape } = block;
  const options = { int64: query.int64 ?? 'number' } as const;
  const head = Buffer.from(
    `{"dataset":${JSON.stringify(dataset.record.name)},"generation":${generation},"dtype":${JSON.stringify(descriptionOf(dtype))},` +
      `"shape":[${shape.join(',')}],"data":`,
  );
  if (isShortJson(block)) return Buffer.concat([head, encodeJsonDataNow(block, options), CLOSING_BRACE]);
  const text = new KeptBytes();
  try {
    text.add(head);
    if (isForWorkers(block)) await jsonByWorkers(block, options, workers, text);
    else await keepTurns(encodeJsonData(block, options), text);
    text.add(CLOSING_BRACE);
    return text;
  } catch (error) {
    text.free();
    throw error;
  }
}

/** Text of a turn or two, or longer one in parts that must be freed. */
export type JsonText = Buffer | KeptBytes;

async function keepTurns(turns: Generator<Uint8Array, void>, text: KeptBytes): Promise<void> {
  for (const turn of turns) {
    text.add(turn);
    await nextTurn(); // oxlint-disable-line no-await-in-loop
  }
}

/** The body of an answer whose headers of state are set. */
export async function sendJsonText(
  { budget }: Pick<Context, 'budget'>,
  { request, reply }: Pick<ArrayAnswer, 'request' | 'reply'>,
  text: JsonText,
): Promise<FastifyReply> {
  reply.type('application/json; charset=utf-8');
  if (!(text instanceof KeptBytes)) return reply.send(text);
  return sendKept({ budget }, { request, reply }, text, { ranges: false });
}

const CLOSING_BRACE = Buffer.from('}');

/** Answers as a .npz of one array: of a length that is known before anything is read. */
import type { FastifyReply } from 'fastify';
import { heldPieces } from '../dataset/read.js';
import { Npz } from '../answers/npz-pieces.js';
import type { Block } from '../block.js';
import type { Context } from '../context.js';
import { convertedPieces } from '../dataset/converted-pieces.js';
import type { PieceReader } from '../dataset/read.js';
import { setState, type ArrayAnswer } from './array-answer.js';
import { openElements, workersOf, type Answer } from './array-source.js';
import { holdUntilSent } from './hold.js';
import { mediaTypeOf } from './negotiate.js';
import { sendPieces } from './send-whole.js';

/** The elements of a selection. @throws no_npy_header */
export function sendNpz(asked: Answer): Promise<FastifyReply> {
  const { context, dataset, claim, view, dtype, conversion } = asked;
  const open = async (): Promise<PieceReader> => {
    const pieces = await openElements(asked);
    return conversion ? convertedPieces(pieces, conversion, workersOf(asked)) : pieces;
  };
  const generation = claim?.generation ?? dataset.generation;
  return send(context, asked, { dtype, shape: view.shape }, generation, open);
}

/** Elements that are held. The headers of state are set. @throws no_npy_header */
export function sendNpzBlock(
  context: Context,
  asked: ArrayAnswer,
  generation: number,
  block: Block,
): Promise<FastifyReply> {
  const { bytes, dtype } = block;
  return send(context, asked, block, generation, () => Promise.resolve(heldPieces(bytes, dtype.itemsize)));
}

async function send(
  context: Context,
  asked: ArrayAnswer,
  array: Pick<Block, 'dtype' | 'shape'>,
  generation: number,
  open: () => Promise<PieceReader>,
): Promise<FastifyReply> {
  const { request, reply, dataset } = asked;
  const npz = new Npz({ name: dataset.record.name, ...array });
  reply.type(mediaTypeOf('npz'));
  const hasRanges = request.method !== 'POST' && npz.bytes <= context.config.wholeBytesMax;
  if (hasRanges) reply.header('accept-ranges', 'bytes');
  if (request.method === 'HEAD') {
    setState(asked, generation);
    return reply.header('content-length', npz.bytes).send();
  }
  // What nobody asks a part of goes out as it comes.
  const isHeld = hasRanges && request.headers.range !== undefined;
  if (isHeld) await holdUntilSent(context.budget, reply, npz.bytes);
  const pieces = npz.around(await open());
  const least = isHeld ? npz.bytes : Number.POSITIVE_INFINITY;
  return sendPieces(context, asked, { least, exact: npz.bytes }, pieces);
}

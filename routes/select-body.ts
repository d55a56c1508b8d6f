/** The body of a selection: JSON, or a whole `.npy`. Its memory counts while it is read and what it made is held. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ClientContext } from '../src/context.js';
import { holdUntilSent } from '../src/plugins/hold.js';
import { contentTypeOf } from '../src/plugins/negotiate.js';
import { itemOfNpy } from '../src/select/npy-index.js';
import { readBody, type MemberName, type Members } from '../src/select/read-body.js';
import { EntriesLeft } from '../src/select/read-lists.js';
import { readReads, type ReadEntry } from '../src/select/read-reads.js';
import { runTurns } from '../src/turns.js';
import { bodyLength, withBody } from './streamed-bodies.js';
import { fail } from '../src/errors.js';

export const NPY_BODY = 'application/x-npy';

/** The reads of a body that names several datasets. */
export function readReadsBody(
  { budget, config }: ClientContext,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<{ readonly reads: readonly ReadEntry[]; readonly left: EntriesLeft }> {
  return withBody(request, reply, async body => {
    const limit = config.selectBodyBytesMax;
    await holdUntilSent(budget, reply, (bodyLength(request) ?? limit) * BYTES_PER_BODY_BYTE);
    const left = new EntriesLeft(config.selectEntriesMax);
    return { reads: await runTurns(readReads(await body.everything(limit), left)), left };
  });
}

/** What was read, and how many more entries may be chosen one by one. */
export interface SelectBody {
  readonly members: Members;
  readonly left: EntriesLeft;
}

/** @throws too_large, bad_json, bad_npy, bad_request, bad_index, busy */
export function readSelectBody(
  { budget, config }: ClientContext,
  request: FastifyRequest,
  reply: FastifyReply,
  known: readonly MemberName[],
  example: string,
): Promise<SelectBody> {
  const limit = config.selectBodyBytesMax;
  const length = bodyLength(request);
  return withBody(request, reply, async body => {
    if (length !== undefined && length > limit) {
      fail(
        'too_large',
        `The body has ${length} bytes; at most ${limit} are read. Send long lists as .npy, or in several calls.`,
        {
          limit,
          asked: length,
        },
      );
    }
    // As text and as numbers; an index of two bytes, a digit and a comma, becomes one of 8, and an offset of 8.
    await holdUntilSent(budget, reply, (length ?? limit) * BYTES_PER_BODY_BYTE);
    const bytes = await body.everything(limit);
    const left = new EntriesLeft(config.selectEntriesMax);
    if (contentTypeOf(request) !== NPY_BODY)
      return { members: await runTurns(readBody(bytes, known, left, example)), left };
    const item = await runTurns(itemOfNpy(bytes, left));
    return { members: { index: [item] }, left };
  });
}

const BYTES_PER_BODY_BYTE = 9;

/** Several reads as one answer, of one generation for each dataset: a list of JSON answers, or a `.npz`. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ClientContext } from '../src/context.js';
import { partsOf } from '../src/dataset/array-part.js';
import { KeptBytes } from '../src/dataset/buffers.js';
import { convertHeld } from '../src/dataset/convert.js';
import { convertedPieces } from '../src/dataset/converted-pieces.js';
import type { Dataset } from '../src/dataset/dataset.js';
import { heldPieces, type PieceReader } from '../src/dataset/read.js';
import { sentAs, type Asked, type SentAs } from '../src/dataset/sent-as.js';
import { fail } from '../src/errors.js';
import { npyHeader } from '../src/formats/index.js';
import { zipBytes, ZipWriter } from '../src/formats/zip.js';
import type { Claim } from '../src/jobs/claim.js';
import { claimedBytes, claimedPieces } from '../src/jobs/claimed-pieces.js';
import { claimDatasets } from '../src/jobs/chosen.js';
import { chooseView, type ReadDataset } from '../src/jobs/choose.js';
import { keptRows, type RowChoosing } from '../src/jobs/kept-rows.js';
import { selectFrom } from '../src/layout/select.js';
import { sizeOf, type View } from '../src/layout/view.js';
import { checkJsonCost, type ArrayQuery } from '../src/plugins/array-answer.js';
import { preconditionOf } from '../src/plugins/conditional.js';
import { holdUntilSent } from '../src/plugins/hold.js';
import { jsonBody, sendJsonText } from '../src/plugins/send-json.js';
import { streamPieces } from '../src/plugins/stream.js';
import { jsonHeldBytes } from '../src/formats/index.js';
import { LIMITS } from '../src/limits.js';
import { blockOfRows } from '../src/select/row-numbers.js';
import type { Selector } from '../src/select/selector.js';
import { normalise, parseSlice } from '../src/selection.js';
import { nextTurn } from '../src/turns.js';

/** What one read asks for; of what it does not say, the call decides. */
export interface Read extends Pick<Asked, 'dtype' | 'casting'> {
  readonly name: string;
  readonly dataset: Dataset;
  readonly field: string | undefined;
  readonly slice: string | undefined;
  readonly selector: Selector | undefined;
}

interface Member extends SentAs {
  readonly name: string;
  readonly claim: Claim;
  readonly shape: readonly number[];
  /** Of the elements before their conversion. */
  readonly itemsize: number;
  /** Where they stand in the file, or the elements themselves where they were made: numbers of rows. */
  readonly from: View | Uint8Array;
}

const NPZ = 'application/x-npz';

export async function sendMany(
  context: ClientContext,
  request: FastifyRequest,
  reply: FastifyReply,
  reads: readonly Read[],
  choosing: RowChoosing,
  query: ArrayQuery,
): Promise<FastifyReply> {
  const accept = request.headers.accept ?? '';
  const format = query.format ?? (accept.includes(NPZ) ? 'npz' : 'json');
  if (format !== 'json' && format !== 'npz') {
    fail('not_acceptable', `Several reads are answered as json or npz, not as ${format.slice(0, 60)}.`, {
      available: ['application/json', NPZ],
    });
  }
  const datasets = [...new Set(reads.map(({ dataset }) => dataset))];
  const claims = new Map<Dataset, Claim>();
  for (const claim of await claimDatasets(datasets, choosing)) {
    claims.set(claim.dataset, claim);
    reply.raw.once('close', () => claim.close());
  }
  // What is of several datasets has no tag.
  if (request.routeOptions.config.asksPreconditions) {
    for (const { dataset, generation } of claims.values())
      preconditionOf(request)({ id: dataset.record.id, generation });
  }
  const members: Member[] = [];
  const asked = format === 'json' ? { ...query, endian: undefined } : query;
  // oxlint-disable-next-line no-await-in-loop
  for (const read of reads) members.push(await memberOf(read, claims.get(read.dataset)!, choosing, asked));
  return format === 'json'
    ? sendJsonList(context, reply, members, choosing, query)
    : sendNpz(context, reply, members, choosing);
}

/** @throws bad_request where two have one name, or a name that no dataset may have */
export function checkNames(names: readonly string[]): void {
  const seen = new Set<string>();
  for (const name of names) {
    if (!/^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/.test(name)) {
      fail(
        'bad_name',
        `${JSON.stringify(name.slice(0, 60))} is no name of an answer; names are those that datasets may have.`,
        { name: name.slice(0, 60) },
      );
    }
    if (seen.has(name)) fail('bad_request', `Two reads have the name ${name}. Give each a name of its own.`, { name });
    seen.add(name);
  }
}

async function memberOf(read: Read, claim: Claim, choosing: RowChoosing, asked: Asked): Promise<Member> {
  const { name, dataset, field, slice, selector } = read;
  const as = { dtype: read.dtype ?? asked.dtype, casting: read.casting ?? asked.casting, endian: asked.endian };
  const { view, ...part } = partsOf(dataset, field);
  if (selector?.kind === 'where' && selector.returns === 'indices') {
    const kept = await keptRows(dataset.record.name, selector, choosing, { ...part, view });
    kept.claim.close();
    checkGenerations(kept.read, claim);
    const { dtype, shape, bytes } = await blockOfRows(kept.rows);
    return { name, claim, ...sentAs({ dtype }, as), shape, itemsize: dtype.itemsize, from: bytes };
  }
  const member = (from: View): Member => {
    return { name, claim, ...sentAs(part, as), shape: from.shape, itemsize: part.dtype.itemsize, from };
  };
  if (!selector) {
    const parts = slice === undefined ? [] : parseSlice(slice);
    return member(selectFrom(view, normalise(parts, view.shape)));
  }
  const chosen = await chooseView(dataset, { ...part, view }, selector, choosing);
  chosen.claim?.close();
  checkGenerations(chosen.read, claim);
  return member(chosen.view);
}

/** @throws busy_writing where what was chosen from is not what is held */
function checkGenerations(read: readonly ReadDataset[], claim: Claim): void {
  for (const { dataset, generation } of read) {
    if (dataset !== claim.dataset || generation === claim.generation) continue;
    const { name } = dataset.record;
    fail('busy_writing', `${name} was written while it was read. Repeat the request.`, { dataset: name });
  }
}

async function sendJsonList(
  { budget, config }: ClientContext,
  reply: FastifyReply,
  members: readonly Member[],
  { workers, signal }: RowChoosing,
  query: ArrayQuery,
): Promise<FastifyReply> {
  const values = members.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  for (const { dtype, shape } of members) checkJsonCost(shape, dtype, config.jsonElementsMax);
  if (values > config.jsonElementsMax) {
    fail(
      'too_large',
      `The answers would have ${values} elements of JSON; at most ${config.jsonElementsMax} are sent. Ask for npz.`,
      {
        limit: config.jsonElementsMax,
        asked: values,
      },
    );
  }
  await holdUntilSent(
    budget,
    reply,
    members.reduce((sum, member) => sum + 2 * jsonHeldBytes(member.shape, member.dtype) + convertedBytes(member), 0),
  );
  const all = new KeptBytes();
  try {
    for (const { name, claim, dtype, conversion, shape, itemsize, from } of members) {
      // oxlint-disable-next-line no-await-in-loop
      const source = isBytes(from) ? from : await claimedBytes(claim, from, itemsize, workers, signal);
      const bytes = conversion ? await convertHeld(conversion, { source }, workers) : source; // oxlint-disable-line no-await-in-loop
      const { dataset, generation } = claim;
      // oxlint-disable-next-line no-await-in-loop
      const text = await jsonBody({ dataset, query }, generation, { dtype, shape, bytes }, workers);
      const [begin, ...rest] = text instanceof KeptBytes ? text.parts() : [text];
      all.add(Buffer.from(`${all.byteLength === 0 ? '[' : ','}{"name":${JSON.stringify(name)},`));
      all.add(begin.subarray(1));
      for (const part of rest) {
        all.add(part);
        await nextTurn(); // oxlint-disable-line no-await-in-loop
      }
      if (text instanceof KeptBytes) text.free();
    }
    all.add(Buffer.from(members.length ? ']' : '[]'));
  } catch (error) {
    all.free();
    throw error;
  }
  return sendJsonText({ budget }, { request: reply.request, reply }, all);
}

/** Of what is converted whole, what it is converted from. */
function convertedBytes({ conversion, shape, itemsize }: Member): number {
  return conversion ? sizeOf(shape) * itemsize : 0;
}

function isBytes(from: View | Uint8Array): from is Uint8Array {
  return from instanceof Uint8Array;
}

/** A member's elements as they are sent, in pieces. */
function piecesOf({ claim, conversion, itemsize, from }: Member, { workers, signal }: RowChoosing): PieceReader {
  const pieces = isBytes(from) ? heldPieces(from, itemsize) : claimedPieces(claim, from, itemsize, workers, signal);
  return conversion ? convertedPieces(pieces, conversion, workers) : pieces;
}

async function sendNpz(
  { budget }: ClientContext,
  reply: FastifyReply,
  members: readonly Member[],
  choosing: RowChoosing,
): Promise<FastifyReply> {
  // Two pieces on each side of a conversion, and items that are larger than a piece.
  const pieceBytes = Math.max(...members.map(({ itemsize, dtype }) => Math.max(itemsize, dtype.itemsize)));
  if (pieceBytes > LIMITS.pieceBytesMax) await holdUntilSent(budget, reply, 4 * pieceBytes);
  const ordered = members.map(member => {
    const { name, dtype, shape } = member;
    const head = npyHeader({ dtype, shape, order: 'C' });
    return { name: `${name}.npy`, bytes: head.byteLength + sizeOf(shape) * dtype.itemsize, head, member };
  });
  const zip = new ZipWriter();
  let open: PieceReader | undefined;
  let before: PieceReader | undefined;
  const parts = (async function* (): AsyncGenerator<Uint8Array, void, number> {
    for (const entry of ordered) {
      yield zip.begin(entry);
      // The last piece of the member before has been sent by now: its memory may be used again.
      before?.close();
      before = undefined;
      zip.add(entry.head);
      yield entry.head;
      open = piecesOf(entry.member, choosing);
      // oxlint-disable-next-line no-await-in-loop
      for (let piece = await open.next(); piece; piece = await open.next()) {
        zip.add(piece);
        yield piece;
      }
      before = open;
      open = undefined;
      yield zip.finish();
    }
    yield zip.end();
  })();
  const pieces: PieceReader = {
    async next() {
      const { value } = await parts.next(0);
      return value ?? undefined;
    },
    onChange(cut) {
      for (const { claim } of members) claim.onCut(cut);
    },
    close() {
      open?.close();
      before?.close();
    },
  };
  reply.type(NPZ).header('content-length', zipBytes(ordered));
  await streamPieces(reply, undefined, pieces, budget);
  return reply;
}

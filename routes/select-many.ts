/** Several reads as one answer, of one generation for each dataset: a list of JSON answers, or a `.npz`. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ClientContext } from '../src/context.js';
import { partOf, type ArrayPart } from '../src/dataset/array-part.js';
import type { Dataset } from '../src/dataset/dataset.js';
import type { PieceReader } from '../src/dataset/read.js';
import { withByteOrder } from '../src/dtype/index.js';
import { fail } from '../src/errors.js';
import { npyHeader } from '../src/formats/index.js';
import { zipBytes, ZipWriter } from '../src/formats/zip.js';
import type { Claim } from '../src/jobs/claim.js';
import { claimedBytes, claimedPieces } from '../src/jobs/claimed-pieces.js';
import { claimDatasets } from '../src/jobs/chosen.js';
import { chooseView } from '../src/jobs/choose.js';
import type { RowChoosing } from '../src/jobs/kept-rows.js';
import { selectFrom } from '../src/layout/select.js';
import { sizeOf } from '../src/layout/view.js';
import { checkJsonCost, jsonBody, type ArrayQuery } from '../src/plugins/array-answer.js';
import { preconditionOf } from '../src/plugins/conditional.js';
import { holdUntilSent } from '../src/plugins/hold.js';
import { streamPieces } from '../src/plugins/stream.js';
import { jsonHeldBytes } from '../src/formats/index.js';
import { swapItems } from '../src/native.js';
import type { Selector } from '../src/select/selector.js';
import { normalise, parseSlice } from '../src/selection.js';

export interface Read {
  readonly name: string;
  readonly dataset: Dataset;
  readonly field: string | undefined;
  readonly slice: string | undefined;
  readonly selector: Selector | undefined;
}

interface Member extends ArrayPart {
  readonly name: string;
  readonly claim: Claim;
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
  // oxlint-disable-next-line no-await-in-loop
  for (const read of reads) members.push(await memberOf(read, claims.get(read.dataset)!, choosing));
  return format === 'json'
    ? sendJsonList(context, reply, members, choosing, query)
    : sendNpz(context, reply, members, choosing, query);
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

async function memberOf(read: Read, claim: Claim, choosing: RowChoosing): Promise<Member> {
  const { name, dataset, field, slice, selector } = read;
  const { dtype, view } = partOf(dataset, field);
  if (!selector) {
    const parts = slice === undefined ? [] : parseSlice(slice);
    return { name, claim, dtype, view: selectFrom(view, normalise(parts, view.shape)) };
  }
  const chosen = await chooseView(dataset, view, selector, choosing);
  chosen.claim?.close();
  for (const { dataset: seen, generation } of chosen.read) {
    if (seen !== dataset || generation === claim.generation) continue;
    fail('busy_writing', `${seen.record.name} was written while it was read. Repeat the request.`, {
      dataset: seen.record.name,
    });
  }
  return { name, claim, dtype, view: chosen.view };
}

async function sendJsonList(
  { budget, config }: ClientContext,
  reply: FastifyReply,
  members: readonly Member[],
  { workers, signal }: RowChoosing,
  query: ArrayQuery,
): Promise<FastifyReply> {
  const values = members.reduce((sum, { view }) => sum + sizeOf(view.shape), 0);
  for (const { dtype, view } of members) checkJsonCost(view.shape, dtype, config.jsonElementsMax);
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
    members.reduce((sum, { dtype, view }) => sum + 2 * jsonHeldBytes(view.shape, dtype), 0),
  );
  const texts: Uint8Array[] = [];
  for (const { name, claim, dtype, view } of members) {
    const bytes = await claimedBytes(claim, view, dtype.itemsize, workers, signal); // oxlint-disable-line no-await-in-loop
    const { dataset, generation } = claim;
    // oxlint-disable-next-line no-await-in-loop
    const text = await jsonBody({ dataset, query }, generation, { dtype, shape: view.shape, bytes });
    texts.push(Buffer.from(`${texts.length === 0 ? '[' : ','}{"name":${JSON.stringify(name)},`), text.subarray(1));
  }
  return reply
    .type('application/json; charset=utf-8')
    .send(Buffer.concat([...texts, Buffer.from(members.length ? ']' : '[]')]));
}

async function sendNpz(
  { budget }: ClientContext,
  reply: FastifyReply,
  members: readonly Member[],
  { workers, signal }: RowChoosing,
  { endian }: ArrayQuery,
): Promise<FastifyReply> {
  const ordered = members.map(({ name, claim, dtype, view }) => {
    const sent = endian ? withByteOrder(dtype, endian === 'big' ? '>' : '<') : dtype;
    const head = npyHeader({ dtype: sent, shape: view.shape, order: 'C' });
    const swaps = sent.typestr !== dtype.typestr;
    const bytes = head.byteLength + sizeOf(view.shape) * dtype.itemsize;
    return { name: `${name}.npy`, bytes, head, swaps, claim, dtype: sent, view };
  });
  const zip = new ZipWriter();
  let open: PieceReader | undefined;
  let before: PieceReader | undefined;
  const parts = (async function* (): AsyncGenerator<Uint8Array, void, number> {
    for (const member of ordered) {
      yield zip.begin(member);
      // The last piece of the member before has been sent by now: its memory may be used again.
      before?.close();
      before = undefined;
      zip.add(member.head);
      yield member.head;
      open = claimedPieces(member.claim, member.view, member.dtype.itemsize, workers, signal);
      // oxlint-disable-next-line no-await-in-loop
      for (let piece = await open.next(); piece; piece = await open.next()) {
        if (member.swaps) swapItems(member.dtype, piece);
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
      for (const { claim } of ordered) claim.onCut(cut);
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

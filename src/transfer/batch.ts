/**
 * A batch of writes: many slices of one dataset, one atomic commit. The body is JSON with the values in it, or
 * multipart with a JSON part that lists the slices and then, in the same order, one raw or npy part for each.
 * Memory: the body, and its data once more in the dataset's dtype.
 */
import { convertHeld } from '../dataset/convert.js';
import { leavesOf, type DType } from '../dtype/index.js';
import { fail, HyperslabError } from '../errors.js';
import { partsOf } from '../dataset/array-part.js';
import { changesOf, targetOf, type Target } from '../dataset/target.js';
import { checkWritable, writeChanges, type Payload } from '../dataset/write.js';
import type { Change } from '../file/change.js';
import {
  hasJson,
  isEmptyJson,
  parseJsonData,
  parseJsonWrites,
  parseNpyHeader,
  type FormatName,
  type WriteText,
} from '../formats/index.js';
import { sizeOf } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import { listed, shown } from '../shown.js';
import { normalise, parseSlice, type Selection } from '../selection.js';
import { isTurnOver, nextTurn, runTurns } from '../turns.js';
import { failSize } from './body.js';
import { checkInside, conversionOfBody, failCommitSize, payloadOf, type Incoming } from './incoming.js';
import { readParts, type Part } from './multipart.js';
import { jsonBodyHeldBytes, type WriteAnswer, type WriteContext, type WriteRequest } from './write.js';

export type BatchRequest = Omit<WriteRequest, 'target' | 'selection' | 'format' | 'durability'> & {
  readonly contentType: string;
};

export interface BatchAnswer extends WriteAnswer {
  /** How many writes the batch had. */
  readonly writes: number;
}

/** Writes that are planned before the event loop gets a turn: a few milliseconds. */
const WRITES_PER_TURN = 100;

/** Room for boundaries, headers and the list of slices beside the data. */
const OVERHEAD_BYTES = LIMITS.jsonBodyBytesMax;

export async function writeBatch(request: BatchRequest, context: WriteContext): Promise<BatchAnswer> {
  const { bodyBytes, dataset, precondition, signal } = request;
  checkWritable(dataset);
  await dataset.open();
  precondition(dataset.generation);
  const isJson = request.contentType.startsWith('application/json');
  const bytesMax = isJson ? LIMITS.jsonBodyBytesMax : context.commitBytesMax + OVERHEAD_BYTES;
  if (bodyBytes !== undefined && bodyBytes > bytesMax) failCommitSize(bodyBytes, bytesMax);
  return context.budget.with(
    isJson ? jsonHeldBytesMax(dataset.geometry.dtype, bodyBytes) : 2 * (bodyBytes ?? bytesMax),
    async () => {
      const { changes, writes, elements, bytes } = await (isJson
        ? jsonChanges(request, context)
        : multipartChanges(request, context, bytesMax));
      const options = { durability: 'commit', precondition, signal } as const;
      const generation = await writeChanges(dataset, changes, options, context.offLoop);
      return {
        dataset: dataset.record.name,
        generation,
        writes,
        elements,
        bytes,
        durability: dataset.pages ? 'none' : 'commit',
      };
    },
    signal,
  );
}

/** Of whole items and of each field: a write may be to any. */
function jsonHeldBytesMax(dtype: DType, bodyBytes: number | undefined): number {
  const targets = [dtype, ...leavesOf(dtype).map(leaf => leaf.dtype)].filter(hasJson);
  return Math.max(2 * (bodyBytes ?? 0), ...targets.map(target => jsonBodyHeldBytes(target, bodyBytes)));
}

async function jsonChanges({ body, dataset }: BatchRequest, context: WriteContext): Promise<Planned> {
  const texts = await runTurns(parseJsonWrites(await body.everything(LIMITS.jsonBodyBytesMax)));
  return eachWrite(dataset, texts, context, async (text, target, selection) => {
    if (text.data === undefined) fail('bad_json', '"data" is missing. Give a value or nested lists.');
    const block = await runTurns(parseJsonData(target.dtype, text.data));
    return payloadOf({ dtype: block.dtype, shape: block.shape, order: 'C' }, block.bytes, selection);
  });
}

async function multipartChanges(request: BatchRequest, context: WriteContext, bytesMax: number): Promise<Planned> {
  const { body, contentType, dataset } = request;
  const limits = { bytesMax, partsMax: LIMITS.batchWritesMax + 1 };
  const [list, ...parts] = await readParts(body, contentType, limits);
  if (!list) fail('bad_request', 'The body has no parts. Send a JSON part with the slices, then a part for each.');
  const texts = await runTurns(parseJsonWrites(list.bytes));
  if (texts.length !== parts.length) {
    fail(
      'body_size_mismatch',
      `The first part lists ${texts.length} writes; ${parts.length} parts follow it. Send one for each write, in the same order.`,
      {
        expected: texts.length,
        sent: parts.length,
      },
    );
  }
  const isRaw = (index: number): boolean => parts[index]!.contentType === RAW;
  const read: PayloadReader = async (text, target, selection, index) => {
    if (text.data !== undefined && !isEmptyJson(text.data)) {
      fail(
        'bad_request',
        'In a multipart batch the data comes in parts, and this one has data in the list, too. Leave that out.',
      );
    }
    return payloadOfPart(request, context, { part: parts[index]!, target, selection });
  };
  return eachWrite(dataset, texts, context, read, isRaw);
}

type PayloadReader = (text: WriteText, target: Target, selection: Selection, index: number) => Promise<Payload>;

/** What a batch does to the file, and what its answer counts. */
interface Planned {
  readonly changes: readonly Change[];
  readonly writes: number;
  readonly elements: number;
  readonly bytes: number;
}

/** The changes of a batch, in order. An error names the write that it is about. @throws too_large */
async function eachWrite(
  dataset: BatchRequest['dataset'],
  texts: readonly WriteText[],
  { commitBytesMax }: WriteContext,
  read: PayloadReader,
  isRaw: (index: number) => boolean = () => false,
): Promise<Planned> {
  const changes: Change[] = [];
  let elements = 0;
  let bytes = 0;
  for (const [index, text] of texts.entries()) {
    // oxlint-disable-next-line no-await-in-loop
    if (isTurnOver(index, WRITES_PER_TURN)) await nextTurn();
    try {
      const target = targetOf(partsOf(dataset, undefined), isRaw(index));
      const selection = normalise(text.slice === undefined ? [] : parseSlice(text.slice), target.view.shape);
      elements += sizeOf(selection.shape);
      bytes += sizeOf(selection.shape) * target.dtype.itemsize;
      if (bytes > commitBytesMax) failCommitSize(bytes, commitBytesMax, dataset.pages !== undefined);
      // oxlint-disable-next-line no-await-in-loop
      changes.push(...changesOf(target, selection, await read(text, target, selection, index)));
    } catch (error) {
      if (!(error instanceof HyperslabError)) throw error;
      throw new HyperslabError(error.code, `Write ${index}: ${error.message}`, { ...error.values, index });
    }
  }
  return { changes, writes: texts.length, elements, bytes };
}

const RAW = 'application/octet-stream';
const PART_FORMATS: Readonly<Record<string, FormatName>> = {
  [RAW]: 'raw',
  'application/x-npy': 'npy',
};

async function payloadOfPart(
  { endian }: BatchRequest,
  { offLoop }: WriteContext,
  { part, target, selection }: { part: Part; target: Target; selection: Selection },
): Promise<Payload> {
  const { dtype } = target;
  const format =
    PART_FORMATS[part.contentType] ??
    fail(
      'unsupported_media_type',
      `The part comes as Content-Type ${shown(part.contentType)}; it takes ${listed(Object.keys(PART_FORMATS))}. Name it in the header of the part.`,
      { supported: Object.keys(PART_FORMATS) },
    );
  const { incoming, data } = format === 'npy' ? npyPart(part) : rawPart(part, selection, dtype.itemsize);
  const typed: Incoming = { dtype, ...incoming };
  const conversion = conversionOfBody({ dtype, format, endian }, typed);
  return payloadOf(typed, await convertHeld(conversion, { source: data }, offLoop), selection);
}

interface ReadPart {
  /** Without a dtype where it is the dataset's. */
  readonly incoming: Omit<Incoming, 'dtype'> & Partial<Pick<Incoming, 'dtype'>>;
  readonly data: Buffer;
}

function npyPart({ bytes }: Part): ReadPart {
  const header = parseNpyHeader(bytes);
  if ('needBytes' in header)
    return fail(
      'bad_npy',
      `The part ends after ${bytes.byteLength} bytes, inside its .npy header. Send what np.save writes.`,
      {
        size: bytes.byteLength,
      },
    );
  const data = bytes.subarray(header.dataOffset);
  const expected = sizeOf(header.shape) * header.dtype.itemsize;
  if (data.byteLength !== expected) failSize(data.byteLength, expected);
  return { incoming: header, data };
}

/** The selection's bytes, or one item that fills it. */
function rawPart({ bytes }: Part, selection: Selection, itemsize: number): ReadPart {
  const { shape } = selection;
  if (bytes.byteLength > 0) checkInside(selection);
  const expected = sizeOf(shape) * itemsize;
  const isItem = bytes.byteLength === itemsize && expected !== itemsize;
  if (!isItem && bytes.byteLength !== expected) failSize(bytes.byteLength, expected);
  return { incoming: { shape: isItem ? [] : shape, order: 'C' }, data: bytes };
}

/**
 * A batch of writes: many slices of one dataset, one atomic commit. The body is JSON with the values in it, or
 * multipart with a JSON part that lists the slices and then, in the same order, one raw or npy part for each.
 * Memory: the body, and its data once more in the dataset's dtype.
 */
import { convertHeld } from '../dataset/convert.js';
import { leavesOf, type DType } from '../dtype/index.js';
import { fail, HyperslabError, isErrorCode } from '../errors.js';
import { partsOf, type ArrayPart } from '../dataset/array-part.js';
import { changesAt, targetOf, type Target } from '../dataset/target.js';
import type { Dataset } from '../dataset/dataset.js';
import { checkWritable, inFileOrder, writeChanges, type Payload } from '../dataset/write.js';
import type { Change } from '../file/change.js';
import { hasJson, isEmptyJson, parseJsonData, parseNpyHeader, type FormatName } from '../formats/index.js';
import { selectFrom } from '../layout/select.js';
import { NO_BYTES } from '../layout/runs.js';
import { sizeOf, type View } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import { listed, shown } from '../shown.js';
import { normalise, parseSlice, type Selection } from '../selection.js';
import { isTurnOver, nextTurn, runTurns } from '../turns.js';
import { EntriesLeft } from '../select/read-lists.js';
import { readWrites, type WriteEntry } from '../select/read-writes.js';
import type { Selector } from '../select/selector.js';
import { failSize } from './body.js';
import { checkInside, conversionOfBody, failCommitSize, payloadOf, type Incoming } from './incoming.js';
import { readParts, type Part } from './multipart.js';
import { jsonBodyHeldBytes, type WriteAnswer, type WriteContext, type WriteRequest } from './write.js';

export type BatchRequest = Omit<WriteRequest, 'target' | 'selection' | 'format' | 'durability'> & {
  readonly contentType: string;
  /** Lists, masks and filters choose at most so many elements one by one. */
  readonly entriesMax: number;
  readonly choose: Choose;
};

/** What a selector takes, and the datasets that were read for it, at their generations. */
export interface ChosenElements {
  readonly view: View;
  readonly read: readonly { readonly dataset: Dataset; readonly generation: number }[];
}

export type Choose = (selector: Selector, part: ArrayPart, left: EntriesLeft) => Promise<ChosenElements>;

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
  const file = await dataset.openToWrite(NO_BYTES);
  if (!dataset.pages) file.checkWritable();
  precondition(dataset.generation);
  const isJson = request.contentType.startsWith('application/json');
  const bytesMax = isJson ? LIMITS.jsonBodyBytesMax : context.commitBytesMax + OVERHEAD_BYTES;
  if (bodyBytes !== undefined && bodyBytes > bytesMax) failCommitSize(bodyBytes, bytesMax);
  return context.budget.with(
    isJson ? jsonHeldBytesMax(dataset.geometry.dtype, bodyBytes) : 2 * (bodyBytes ?? bytesMax),
    async () => {
      const told: { files?: number } = {};
      const plan = await (isJson ? jsonPlanner(request, context) : multipartPlanner(request, context, bytesMax));
      const { generation, writes, elements, bytes } = await writePlanned(
        request,
        context,
        plan,
        files => (told.files = files),
      );
      return {
        dataset: dataset.record.name,
        generation,
        writes,
        elements,
        bytes,
        durability: dataset.pages ? 'none' : 'commit',
        ...told,
      };
    },
    signal,
  );
}

/** How often elements are chosen anew, where what they were chosen by has been written meanwhile. */
const ATTEMPTS_MAX = 3;

/** Masks and filters see the array as it is before the batch: where another write comes between, they look again. */
async function writePlanned(
  { dataset, precondition, signal }: BatchRequest,
  { offLoop }: WriteContext,
  plan: Planner,
  onFiles: (files: number) => void,
): Promise<Planned & { generation: number }> {
  for (let attempt = 1; ; attempt++) {
    const planned = await plan(); // oxlint-disable-line no-await-in-loop
    const asChosen = (generation: number): void => {
      precondition(generation);
      for (const { dataset: read, generation: seen } of planned.read) {
        const isOwn = read.record.fileId === dataset.record.fileId;
        if ((isOwn ? generation : read.generation) !== seen) failMoved(read);
      }
    };
    const options = { durability: 'commit', precondition: asChosen, signal, onFiles } as const;
    try {
      // oxlint-disable-next-line no-await-in-loop
      return { ...planned, generation: await writeChanges(dataset, planned.changes, options, offLoop) };
    } catch (error) {
      if (attempt === ATTEMPTS_MAX || !isErrorCode(error, 'busy_writing')) throw error;
    }
  }
}

function failMoved({ record }: Dataset): never {
  return fail(
    'busy_writing',
    `${record.name} is written faster than elements can be chosen by it. Repeat the request later.`,
    {
      dataset: record.name,
    },
  );
}

/** Of whole items and of each field: a write may be to any. */
function jsonHeldBytesMax(dtype: DType, bodyBytes: number | undefined): number {
  const targets = [dtype, ...leavesOf(dtype).map(leaf => leaf.dtype)].filter(hasJson);
  return Math.max(2 * (bodyBytes ?? 0), ...targets.map(target => jsonBodyHeldBytes(target, bodyBytes)));
}

/** Plans the changes of a batch, as often as it is asked. */
type Planner = () => Promise<Planned>;

async function jsonPlanner(request: BatchRequest, context: WriteContext): Promise<Planner> {
  const left = new EntriesLeft(request.entriesMax);
  const texts = await runTurns(readWrites(await request.body.everything(LIMITS.jsonBodyBytesMax), left));
  return () =>
    eachWrite(request, texts, context, new EntriesLeft(left.left), async (text, target, selection) => {
      if (text.data === undefined) fail('bad_json', '"data" is missing. Give a value or nested lists.');
      const block = await runTurns(parseJsonData(target.dtype, text.data));
      return payloadOf({ dtype: block.dtype, shape: block.shape, order: 'C' }, block.bytes, selection);
    });
}

async function multipartPlanner(request: BatchRequest, context: WriteContext, bytesMax: number): Promise<Planner> {
  const { body, contentType } = request;
  const left = new EntriesLeft(request.entriesMax);
  const limits = { bytesMax, partsMax: LIMITS.batchWritesMax + 1 };
  const [list, ...parts] = await readParts(body, contentType, limits);
  if (!list) fail('bad_request', 'The body has no parts. Send a JSON part with the slices, then a part for each.');
  const texts = await runTurns(readWrites(list.bytes, left));
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
  return () => eachWrite(request, texts, context, new EntriesLeft(left.left), read, isRaw);
}

type PayloadReader = (text: WriteEntry, target: Target, selection: Selection, index: number) => Promise<Payload>;

/** What a batch does to the file, and what its answer counts. */
interface Planned {
  readonly changes: readonly Change[];
  readonly writes: number;
  readonly elements: number;
  readonly bytes: number;
  readonly read: ChosenElements['read'];
}

/** The changes of a batch, in order. An error names the write that it is about. @throws too_large */
async function eachWrite(
  { dataset, choose }: BatchRequest,
  texts: readonly WriteEntry[],
  { commitBytesMax, offLoop }: WriteContext,
  left: EntriesLeft,
  read: PayloadReader,
  isRaw: (index: number) => boolean = () => false,
): Promise<Planned> {
  const changes: Change[] = [];
  const seen: ChosenElements['read'][number][] = [];
  let elements = 0;
  let bytes = 0;
  for (const [index, text] of texts.entries()) {
    // oxlint-disable-next-line no-await-in-loop
    if (isTurnOver(index, WRITES_PER_TURN)) await nextTurn();
    try {
      const target = targetOf(partsOf(dataset, text.field), isRaw(index));
      // oxlint-disable-next-line no-await-in-loop
      const { view, selection, chosenBy } = await takenBy(text, target, left, choose);
      seen.push(...chosenBy);
      elements += sizeOf(view.shape);
      bytes += sizeOf(view.shape) * target.dtype.itemsize;
      if (bytes > commitBytesMax) failCommitSize(bytes, commitBytesMax, dataset.pages !== undefined);
      // oxlint-disable-next-line no-await-in-loop
      const own = changesAt(target, view, await read(text, target, selection, index));
      // oxlint-disable-next-line no-await-in-loop
      for (const change of own) changes.push(await inFileOrder(change, offLoop));
    } catch (error) {
      if (!(error instanceof HyperslabError)) throw error;
      throw new HyperslabError(error.code, `Write ${index}: ${error.message}`, { ...error.values, index });
    }
  }
  return { changes, writes: texts.length, elements, bytes, read: seen };
}

interface Taken {
  readonly view: View;
  /** Its shape, and whether it selects nothing because it names what is outside. */
  readonly selection: Selection;
  readonly chosenBy: ChosenElements['read'];
}

async function takenBy(
  { slice, selector }: WriteEntry,
  target: Target,
  left: EntriesLeft,
  choose: Choose,
): Promise<Taken> {
  if (!selector) {
    const selection = normalise(slice === undefined ? [] : parseSlice(slice), target.view.shape);
    return { view: selectFrom(target.view, selection), selection, chosenBy: [] };
  }
  const { view, read } = await choose(selector, target, left);
  return { view, selection: { picks: [], shape: view.shape }, chosenBy: read };
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

/**
 * Rows → the end of an array: held ones as one commit, those that come in a stream laid down behind the end first. Planned
 * when it is their turn, after whatever others did to the length.
 */
import { checkWanted } from '../cancelled.js';
import type { Conversion } from '../convert/index.js';
import { returnBuffer, takeBuffer } from '../dataset/buffers.js';
import { convertHeld } from '../dataset/convert.js';
import type { Dataset } from '../dataset/dataset.js';
import type { OffLoop } from '../dataset/off-loop.js';
import { changesAt } from '../dataset/target.js';
import { applierOf, onlyInto, putChange } from '../dataset/write.js';
import { fail } from '../errors.js';
import type { Change } from '../file/change.js';
import { commitChanges, type CommitRequest } from '../file/commit.js';
import { holdBehind, type Growth } from '../file/growth.js';
import { layBehind } from '../file/lay-behind.js';
import type { OpenFile } from '../file/open-file.js';
import { piecesOf } from '../layout/pieces.js';
import { transpose } from '../layout/select.js';
import { packedView, sizeOf, type View } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import type { BodyReader } from './body.js';
import type { Incoming } from './incoming.js';
import { checkLengthIs, growthOf, type Growable, type Lengthening, type Outcome } from './lengthening.js';
import type { WriteAnswer, WriteContext, WriteRequest } from './write.js';

export interface AppendRequest extends Omit<WriteRequest, 'selection' | 'durability'> {
  /** The length that the array must have. */
  readonly at: number | undefined;
  /** The dataset that has the name by now. */
  readonly current: () => Dataset;
}

export interface AppendAnswer extends WriteAnswer {
  readonly shape: readonly number[];
  /** Its header was made anew, with room for the number. */
  readonly rewritten?: true;
}

/** Rows that are there, as the array's dtype. */
export interface Rows {
  readonly count: number;
  readonly bytes: Uint8Array;
  /** Over the bytes, in the array's axes. */
  readonly source: View;
}

/** Rows that come as they are read. */
export interface ComingRows {
  readonly body: BodyReader;
  readonly incoming: Pick<Incoming, 'dtype' | 'order'>;
  readonly conversion: Conversion;
  /** Undefined where only the end of the body tells: it then has the bytes of the file, in their order. */
  readonly count: number | undefined;
}

export async function commitRows(
  asked: AppendRequest,
  growable: Growable,
  { offLoop }: WriteContext,
  { count, bytes, source }: Rows,
): Promise<AppendAnswer> {
  const { dataset, at, target, precondition, asksShape = false, current } = asked;
  if (count === 0) {
    const { shape } = current().record;
    precondition(dataset.generation);
    checkLengthIs(at, shape[growable.axis]!, dataset, shape);
    return answerOf(asked, growable, 0, dataset.generation, { shape, isRewritten: false });
  }
  const dataIn = (items: View): Change[] => changesAt(target, items, { bytes, source });
  const changes = dataIn({ ...source, strides: growable.dataset.geometry.view.strides, offset: 0 });
  return grow(asked, growable, offLoop, { count: () => count, dataIn }, (file, request) =>
    commitChanges(file, dataset.files, { ...request, changes, asksShape }),
  );
}

/** Lays rows down behind the end as they come, and makes them count when all of them are there. */
export function streamRows(
  asked: AppendRequest,
  growable: Growable,
  context: WriteContext,
  coming: ComingRows,
): Promise<AppendAnswer> {
  // Pieces that come, what they become, and a copy for the workers.
  const held = 3 * LIMITS.scatteredPieceBytes;
  const { budget } = context;
  if (!isScattered(growable, coming) || held > budget.limitBytes) {
    return stream(asked, growable, context, { ...coming, pieceBytes: LIMITS.pieceBytesMax });
  }
  const large = { ...coming, pieceBytes: LIMITS.scatteredPieceBytes };
  return budget.with(held, () => stream(asked, growable, context, large), asked.signal);
}

/**
 * Elements that come against the order of the file lie far apart in it, and a page is written again for each piece that has
 * something of it: the larger the pieces, the fewer.
 */
function isScattered({ axis, dataset }: Growable, { incoming }: ComingRows): boolean {
  return dataset.record.shape.length > 1 && (axis === 0) !== (incoming.order === 'C');
}

interface RowsInPieces extends ComingRows {
  readonly pieceBytes: number;
}

async function stream(
  asked: AppendRequest,
  growable: Growable,
  { offLoop }: WriteContext,
  coming: RowsInPieces,
): Promise<AppendAnswer> {
  let count = coming.count ?? 0;
  let rows: View | undefined;
  // They are laid down by the time that they count.
  const dataIn = (view: View): Change[] => {
    rows ??= view;
    return [];
  };
  return grow(asked, growable, offLoop, { count: () => count, dataIn }, (file, request) =>
    layBehind(file, asked.dataset.files, {
      ...request,
      async lay({ from }) {
        const laying: Laying = { file, asked, coming, offLoop };
        if (rows) await layKnown(laying, rows);
        else count = await layUntilEnd(laying, growable, from);
      },
    }),
  );
}

/** What a commit that makes an array longer needs of who asks for it. */
type GrowthRequest = Pick<CommitRequest, 'precondition' | 'applier' | 'signal' | 'client'> & {
  readonly growth: Growth;
};

/** Makes the array longer by `work`, from the length that it has when it is the call's turn. */
async function grow(
  asked: AppendRequest,
  growable: Growable,
  offLoop: OffLoop,
  { count, dataIn }: { readonly count: () => number } & Required<Pick<Lengthening, 'dataIn'>>,
  work: (file: OpenFile, request: GrowthRequest) => Promise<number>,
): Promise<AppendAnswer> {
  const { dataset, at, precondition, signal, current } = asked;
  const outcome: Outcome = { shape: current().record.shape, isRewritten: false };
  const file = await openPresent(current);
  const lengthening: Lengthening = {
    lengthFrom(length, shape) {
      checkLengthIs(at, length, dataset, shape);
      return length + count();
    },
    dataIn,
    holds: 'all',
  };
  const request = {
    growth: growthOf(growable, file, lengthening, current, outcome),
    precondition: (generation: number): void => onlyInto(current(), file, precondition)(generation),
    applier: applierOf(offLoop),
    signal,
    client: offLoop.client,
  };
  const release = file.lease();
  try {
    const generation = await work(file, request);
    return answerOf(asked, growable, count(), generation, outcome);
  } catch (error) {
    return await dataset.learned(error);
  } finally {
    release();
  }
}

interface Laying {
  readonly file: OpenFile;
  readonly asked: Pick<AppendRequest, 'target' | 'signal'>;
  readonly coming: RowsInPieces;
  readonly offLoop: OffLoop;
}

/** Puts elements where they belong as they come. */
async function layKnown(laying: Laying, rows: View): Promise<void> {
  const { asked, coming } = laying;
  const { body, incoming } = coming;
  const { itemsize } = asked.target.dtype;
  const items = incoming.order === 'F' ? transpose(rows) : rows;
  await withPiece(laying, async (buffer, elements, put) => {
    let first = 0;
    for (const piece of piecesOf(items, itemsize, elements * itemsize)) {
      const size = sizeOf(piece.shape);
      // oxlint-disable-next-line no-await-in-loop
      await put(piece, await body.exactly(buffer.subarray(0, size * incoming.dtype.itemsize)), first);
      first += size;
    }
  });
  await body.expectEnd(body.readBytes);
}

/** Puts bytes one behind the other until there are no more. Returns how many rows they are. @throws body_size_mismatch */
async function layUntilEnd(laying: Laying, { rowBytes }: Growable, from: number): Promise<number> {
  const { file, asked, coming } = laying;
  const { itemsize } = asked.target.dtype;
  let bytes = 0;
  await withPiece(laying, async (buffer, elements, put) => {
    for (let isWhole = true; isWhole;) {
      const wanted = buffer.subarray(0, elements * itemsize);
      // oxlint-disable-next-line no-await-in-loop
      const read = await coming.body.readInto(wanted);
      isWhole = read === wanted.byteLength;
      bytes += read;
      if (!isWhole) checkWholeRows(bytes, rowBytes);
      const offset = from + bytes - read;
      // oxlint-disable-next-line no-await-in-loop
      await holdBehind(file.fd, { from: offset, end: offset + read });
      const piece = { shape: [read / itemsize], strides: [itemsize], offset };
      // oxlint-disable-next-line no-await-in-loop
      if (read > 0) await put(piece, wanted.subarray(0, read), (bytes - read) / itemsize);
    }
  });
  return bytes / rowBytes;
}

/** @param first elements before these in the whole body */
type Put = (items: View, data: Uint8Array, first: number) => Promise<void>;

/** Calls back with memory for a piece, the elements that fit it, and what puts them where they belong. */
async function withPiece(
  { file, asked: { target, signal }, coming: { incoming, conversion, pieceBytes }, offLoop }: Laying,
  work: (buffer: Buffer, elements: number, put: Put) => Promise<void>,
): Promise<void> {
  const { itemsize } = target.dtype;
  const elementBytes = Math.max(incoming.dtype.itemsize, itemsize);
  const buffer = takeBuffer(Math.max(pieceBytes, elementBytes));
  const into = takeBuffer(buffer.byteLength);
  try {
    await work(buffer, Math.max(1, Math.floor(pieceBytes / elementBytes)), async (items, data, first) => {
      const bytes = await convertHeld(conversion, { source: data, into, first }, offLoop);
      const source = packedView(items.shape, itemsize, 'C', 0);
      for (const change of changesAt(target, items, { bytes, source })) {
        // Nobody else writes there, and nobody reads it yet.
        // oxlint-disable-next-line no-await-in-loop
        await putChange(file, { ...change, gaps: 'rewrite' }, offLoop, signal);
      }
      checkWanted(signal);
    });
  } finally {
    returnBuffer(buffer);
    returnBuffer(into);
  }
}

/** @throws body_size_mismatch */
export function checkWholeRows(bytes: number, rowBytes: number): void {
  if (bytes % rowBytes === 0) return;
  fail('body_size_mismatch', `The body has ${bytes} bytes, and a row takes ${rowBytes}. Send whole rows, in C order.`, {
    sent: bytes,
    row_bytes: rowBytes,
  });
}

/** The file of an array whose length may have moved while the body came. */
export async function openPresent(current: () => Dataset): ReturnType<Dataset['open']> {
  for (;;) {
    const dataset = current();
    // oxlint-disable-next-line no-await-in-loop
    const file = await dataset.open().catch((error: unknown) => {
      if (current() === dataset) throw error;
      return undefined;
    });
    if (file) return file;
  }
}

function answerOf(
  { dataset, target }: AppendRequest,
  { rowBytes }: Growable,
  count: number,
  generation: number,
  { shape, isRewritten }: Outcome,
): AppendAnswer {
  const bytes = count * rowBytes;
  return {
    dataset: dataset.record.name,
    generation,
    elements: bytes / target.dtype.itemsize,
    bytes,
    durability: 'commit',
    shape,
    ...(isRewritten && { rewritten: true }),
  };
}

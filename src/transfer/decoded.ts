/**
 * A body in a format of tables → the .npy that it means, read by whoever takes a .npy: all that is said of those, casts and
 * broadcasting, limits and durability, is said of tables, too.
 *
 * The body is laid down in a file without a name as it comes, and looked at meanwhile, so that what is wrong is told early;
 * when it is whole, it is converted a piece at a time, as fast as the pieces are taken. Memory: two pieces of elements here
 * and a piece of the body in a worker, or rows where they are longer.
 */
import { PieceMemory } from '../dataset/buffers.js';
import { parseDType } from '../dtype/index.js';
import { fail, invariant } from '../errors.js';
import { closeDescriptor } from '../file/io.js';
import { openSpool } from '../file/spool.js';
import {
  npyHeader,
  type BodyFile,
  type Converted,
  type ConvertStepTask,
  type DecodedLayout,
  type DecodingAsked,
  type DecodingName,
  type FoundLayout,
  type Kept,
  type Looked,
  type LookTask,
} from '../formats/index.js';
import { sizeOf } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import type { Budget } from '../budget.js';
import { BodyReader } from './body.js';
import { layDown, type ComingBody } from './lay-down.js';

/** What of the workers it takes. */
export interface DecodingWorkers {
  look(task: LookTask): Promise<Looked<Kept>>;
  layout(task: LookTask): Promise<FoundLayout>;
  decode(task: ConvertStepTask): Promise<Converted<Kept>>;
}

export interface DecodingContext {
  readonly workers: DecodingWorkers;
  readonly budget: Budget;
  /** Where the body is laid down: a folder of the service's own. */
  readonly folder: string;
}

export interface EncodedBody extends ComingBody {
  readonly format: DecodingName;
  readonly asked: DecodingAsked;
}

/** A body as a .npy. */
export interface NpyBody {
  readonly body: BodyReader;
  readonly bodyBytes: number | undefined;
  /** What an array of it is to say of itself. */
  readonly said?: Omit<FoundLayout, 'layout'>;
}

/** What stands open while a body is taken as a .npy. */
export interface OpenNpyBody extends NpyBody {
  /** Lets go of the file, and of memory; later where a worker is at them. */
  close(): Promise<void>;
}

/** Reads all of a body, and says what it means as a .npy. @throws bad_table, disk_full, what a decoder refuses */
export async function openDecoded(encoded: EncodedBody, context: DecodingContext): Promise<OpenNpyBody> {
  const { format, asked } = encoded;
  const { workers, budget, folder } = context;
  const fd = await openSpool(folder);
  let release = (): void => {};
  const memory = new PieceMemory(() => release());
  const close = async (): Promise<void> => {
    await memory.free();
    await closeDescriptor(fd);
  };
  try {
    const { size, seen } = await laidDown(fd, encoded, context);
    const file: BodyFile = { fd, size, isWhole: true };
    const { layout, ...said } = await workers.layout({ format, asked, body: file, seen });
    const header = headerOf(layout);
    // As answers do, it has two pieces for nothing.
    if (layout.unitBytes > LIMITS.pieceBytesMax) release = await budget.take(2 * layout.unitBytes);
    const body = new BodyReader(npyPieces(header, { format, asked, body: file, seen, layout }, memory, workers));
    return { body, bodyBytes: header.byteLength + bytesOf(layout), said, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Writes the body to the file, and looks at each part of it while the next one comes. */
async function laidDown(
  fd: number,
  encoded: EncodedBody,
  { workers, folder }: DecodingContext,
): Promise<{ size: number; seen: Kept }> {
  const { format, asked } = encoded;
  let seen: Kept;
  const size = await layDown(fd, folder, encoded, async (bytes, isWhole) => {
    for (let hasMore = true; hasMore;) {
      // oxlint-disable-next-line no-await-in-loop
      const looked = await workers.look({ format, asked, body: { fd, size: bytes, isWhole }, seen });
      seen = looked.seen;
      ({ hasMore } = looked);
    }
  });
  return { size, seen };
}

/** @throws too_large where no .npy has such a header */
function headerOf({ dtype, shape, order }: DecodedLayout): Uint8Array {
  // A dtype that is longer than a header may be is not read at all.
  if (dtype.length > LIMITS.npyHeaderBytesMax) failHeader(dtype.length);
  const header = npyHeader({ dtype: parseDType(dtype), shape, order });
  return header.byteLength > LIMITS.npyHeaderBytesMax ? failHeader(header.byteLength) : header;
}

function failHeader(asked: number): never {
  const limit = LIMITS.npyHeaderBytesMax;
  return fail(
    'too_large',
    `The columns become fields of a structure, whose header would have ${asked} bytes; at most ${limit} are kept. Send fewer columns, or give the one dtype= that all of them become.`,
    { limit, asked },
  );
}

function bytesOf({ dtype, shape }: DecodedLayout): number {
  return sizeOf(shape) * parseDType(dtype).itemsize;
}

/** The header, then the elements; the next piece is made while the one before is taken. */
async function* npyPieces(
  header: Uint8Array,
  known: Omit<ConvertStepTask, 'place' | 'target'>,
  memory: PieceMemory,
  workers: DecodingWorkers,
): AsyncGenerator<Uint8Array> {
  yield header;
  const total = bytesOf(known.layout);
  if (total === 0) return;
  const targetBytes = Math.max(Math.min(LIMITS.pieceBytesMax, total), known.layout.unitBytes);
  const step = async (place: Kept): Promise<Converted<Kept> & { readonly target: Uint8Array }> => {
    const target = memory.next(targetBytes);
    const converting = workers.decode({ ...known, place, target });
    memory.useUntil(converting);
    return { ...(await converting), target };
  };
  let next = step(undefined);
  for (let done = 0; done < total;) {
    // oxlint-disable-next-line no-await-in-loop
    const { written, place, target } = await next;
    invariant(written > 0, 'a body has all elements that its layout has');
    done += written;
    if (done < total) {
      next = step(place);
      // It is awaited in the next turn, if there is one.
      next.catch(() => undefined);
    }
    yield target.subarray(0, written);
  }
}

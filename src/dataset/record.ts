/** What a manifest says of a dataset: plain data, the only thing about it that is kept on disk beside the array. */
import type { ContainerFormat } from '../containers.js';
import { parseDType, type DType } from '../dtype/index.js';
import { extentOf, packedView, sizeOf, type Order, type View } from '../layout/view.js';

/**
 * numpy.memmap's modes. `w+` was made new; from then on it is written like `r+`. What is written to a dataset of mode `c`
 * stays in memory, over a file that is only read.
 */
export type Mode = 'r' | 'r+' | 'w+' | 'c';
/** Those of containers have their arrays as members. */
export type FileFormat = 'npy' | 'raw' | ContainerFormat;

/** One of several files whose rows follow each other. */
export interface PartRecord {
  /** Random per file, as of a dataset. */
  readonly fileId: string;
  /** What the file's generation was when it became a part. */
  readonly firstGeneration: number;
  /** Real path, as of a dataset. */
  readonly path: string;
  readonly rows: number;
  readonly order: Order;
  readonly offset: number;
  readonly format: 'npy' | 'raw';
  readonly content?: string;
}

/** How the parts were asked for: what a look again goes by. */
export interface PartsAsked {
  /** The path of files with a * in its name, where it was not a list. */
  readonly pattern?: string;
  readonly paths?: readonly string[];
  readonly dtype?: unknown;
  readonly order?: Order;
  readonly offset?: number;
  readonly format?: FileFormat;
  /** Of one part; the first length null is what the file holds. */
  readonly shape?: readonly (number | null)[];
}

export interface DatasetRecord {
  readonly name: string;
  /** Random per registration. */
  readonly id: string;
  /** Random per file; registrations of one file share it. */
  readonly fileId: string;
  /** What the file's generation was when the manifest was written, at least. */
  readonly firstGeneration: number;
  /** Real path of the file. In a manifest it is relative to the data folder where it can be. */
  readonly path: string;
  /** Of a file in a served folder: its path below that. */
  readonly folderPath?: string;
  /** What its generation is counted by, where that is not `fileId`: a file of a served folder that the catalog has, too. */
  readonly counterId?: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly order: Order;
  /** Of a raw file whose elements lie neither in C nor in F order: bytes from one to the next along each axis. */
  readonly strides?: readonly number[];
  /** Bytes before element [0, …, 0]. */
  readonly offset: number;
  readonly mode: Mode;
  readonly format: FileFormat;
  /** The name of the array in its container. */
  readonly member?: string;
  /** What a raw file began as when it was registered: `raw`, or the suffix of a container. Unknown of others. */
  readonly content?: string;
  /**
   * Of an array in several files: `fileId` is its own, `path` that of the first, or the pattern; it has order C and offset 0
   * in bytes that are nowhere (layout/part-views.ts).
   */
  readonly parts?: readonly PartRecord[];
  readonly asked?: PartsAsked;
  /** Other programs may change the file. */
  readonly external: boolean;
  /** The service made the file: created, imported, or a demo array; not registered in place. */
  readonly made: boolean;
  /** The element that new rows are made of, in base64, without the zeros at its end; absent where it is all zeros. */
  readonly fill?: string;
  /** New rows are left as a hole. */
  readonly sparse?: boolean;
  readonly attrs: Readonly<Record<string, unknown>>;
  readonly dims: readonly string[] | null;
}

/** The geometry that follows from a record. */
export interface Geometry {
  readonly dtype: DType;
  readonly view: View;
  readonly size: number;
  readonly nbytes: number;
  /** Position of the first byte of an element. */
  readonly startBytes: number;
  /** Position after the last one: what the file must at least have. */
  readonly endBytes: number;
}

export function geometryOf(record: DatasetRecord): Geometry {
  const dtype = parseDType(record.dtype);
  const size = sizeOf(record.shape);
  const { shape, strides, order, offset } = record;
  const view = strides ? { shape, strides, offset } : packedView(shape, dtype.itemsize, order, offset);
  const { start, end } = extentOf(view, dtype.itemsize);
  return {
    dtype,
    view,
    size,
    nbytes: size * dtype.itemsize,
    startBytes: start,
    endBytes: size === 0 ? 0 : end,
  };
}

/** The bytes of the element that new rows are made of; undefined where they are zeros. */
export function fillOf({ fill }: DatasetRecord, itemsize: number): Uint8Array | undefined {
  if (fill === undefined) return undefined;
  const bytes = new Uint8Array(itemsize);
  bytes.set(Buffer.from(fill, 'base64').subarray(0, itemsize));
  return bytes;
}

/** The same as a record holds it. */
export function recordedFill(bytes: Uint8Array | undefined): string | undefined {
  const end = (bytes?.findLastIndex(byte => byte !== 0) ?? -1) + 1;
  return end === 0 ? undefined : Buffer.from(bytes!.subarray(0, end)).toString('base64');
}

/** Whether its file is written. */
export function isWritable({ mode }: Pick<DatasetRecord, 'mode'>): boolean {
  return mode === 'r+' || mode === 'w+';
}

/** Whether what is written to it stays in memory. */
export function isCopyOnWrite({ mode }: Pick<DatasetRecord, 'mode'>): boolean {
  return mode === 'c';
}

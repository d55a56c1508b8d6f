/** What a manifest says of a dataset: plain data, the only thing about it that is kept on disk beside the array. */
import { parseDType, type DType } from '../dtype/index.js';
import { packedView, sizeOf, type Order, type View } from '../layout/view.js';

/**
 * numpy.memmap's modes. `w+` was made new; from then on it is written like `r+`. What is written to a dataset of mode `c`
 * stays in memory, over a file that is only read.
 */
export type Mode = 'r' | 'r+' | 'w+' | 'c';
export type FileFormat = 'npy' | 'raw';

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
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly order: Order;
  /** Bytes before the first element. */
  readonly offset: number;
  readonly mode: Mode;
  readonly format: FileFormat;
  /** What a raw file began as when it was registered: `raw`, or the suffix of a container. Unknown of others. */
  readonly content?: string;
  /** Other programs may change the file. */
  readonly external: boolean;
  /** The service made the file: created, imported, or a demo array; not registered in place. */
  readonly made: boolean;
  readonly attrs: Readonly<Record<string, unknown>>;
  readonly dims: readonly string[] | null;
}

/** The geometry that follows from a record. */
export interface Geometry {
  readonly dtype: DType;
  readonly view: View;
  readonly size: number;
  readonly nbytes: number;
  /** Position after the last element: what the file must at least have. */
  readonly endBytes: number;
}

export function geometryOf(record: DatasetRecord): Geometry {
  const dtype = parseDType(record.dtype);
  const size = sizeOf(record.shape);
  const nbytes = size * dtype.itemsize;
  return {
    dtype,
    view: packedView(record.shape, dtype.itemsize, record.order, record.offset),
    size,
    nbytes,
    endBytes: nbytes === 0 ? 0 : record.offset + nbytes,
  };
}

/** Whether its file is written. */
export function isWritable({ mode }: Pick<DatasetRecord, 'mode'>): boolean {
  return mode === 'r+' || mode === 'w+';
}

/** Whether what is written to it stays in memory. */
export function isCopyOnWrite({ mode }: Pick<DatasetRecord, 'mode'>): boolean {
  return mode === 'c';
}

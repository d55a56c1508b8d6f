/** Whether the rows of a file stand at a place of a dataset: read back as bytes, and compared piece by piece. */
import { createReadStream } from 'node:fs';
import fs from 'node:fs/promises';
import { parseDType } from '../dtype/index.js';
import { growingAxis, parseNpyHeader } from '../formats/index.js';
import { pathOf, type Service } from './service.js';

/** What of a description is needed here. */
export interface Described {
  readonly dtype: unknown;
  readonly shape: readonly number[];
  readonly order: 'C' | 'F';
}

/** Rows of a file as bytes in C order. */
export interface Rows {
  readonly file: string;
  readonly count: number;
  /** Where the elements begin in the file. */
  readonly offset: number;
  /** What the elements are, where that is another dtype than the dataset's. */
  readonly dtype: string | undefined;
}

const HEADER_BYTES_MAX = 1024 * 1024;

/** Undefined where a file does not say its rows as bytes in C order. */
export async function rowsOf(file: string, format: string, described: Described): Promise<Rows | undefined> {
  const { shape } = described;
  const axis = growingAxis(described);
  const perRow = shape.reduce((product, length, i) => (i === axis ? product : product * length), 1);
  const { size } = await fs.stat(file);
  if (format === 'raw') {
    if (typeof described.dtype !== 'string') return undefined;
    const rowBytes = perRow * parseDType(described.dtype).itemsize;
    return rowBytes === 0 ? undefined : { file, count: size / rowBytes, offset: 0, dtype: undefined };
  }
  if (format !== 'npy') return undefined;
  const header = await headerOf(file, size);
  if (!header || (header.order === 'F' && header.shape.filter(length => length !== 1).length > 1)) return undefined;
  const count = header.shape.length === shape.length ? header.shape[axis]! : 1;
  return { file, count, offset: header.offset, dtype: header.typestr };
}

async function headerOf(
  file: string,
  size: number,
): Promise<{ shape: readonly number[]; order: string; offset: number; typestr: string } | undefined> {
  const handle = await fs.open(file);
  try {
    const bytes = Buffer.alloc(Math.min(size, HEADER_BYTES_MAX));
    await handle.read(bytes, 0, bytes.byteLength, 0);
    const found = parseNpyHeader(bytes);
    if ('needBytes' in found) return undefined;
    return { shape: found.shape, order: found.order, offset: found.dataOffset, typestr: found.dtype.typestr };
  } finally {
    await handle.close();
  }
}

/** Whether elements were converted when they were appended: then others than those of the file may stand there. */
export function isConverted({ dtype }: Rows, described: Described): boolean {
  if (dtype === undefined) return false;
  return typeof described.dtype !== 'string' || described.dtype.slice(1) !== dtype.slice(1);
}

/** Compares them with what stands at `at`. @throws Refused, Unreached */
export async function isSameAsRows(
  service: Service,
  name: string,
  { file, count, offset, dtype }: Rows,
  at: number,
  described: Described,
): Promise<boolean> {
  const { order, shape } = described;
  const axis = growingAxis(described);
  if ((shape[axis] ?? 0) < at + count) return false;
  const slice = `${order === 'F' && shape.length > 1 ? '...,' : ''}${at}:${at + count}`;
  const query = { slice, ...(dtype !== undefined && { dtype, casting: 'unsafe' }) };
  const response = await service.fetch(pathOf(name, '/data.raw', query));
  const theirs = piecesOf(service, response.body!);
  try {
    return await isSameStream(createReadStream(file, { start: offset }), theirs);
  } finally {
    // The rest of an answer that differs is not needed.
    await theirs.return(undefined);
  }
}

async function isSameStream(
  ours: AsyncIterable<Uint8Array>,
  theirs: AsyncGenerator<Uint8Array, undefined>,
): Promise<boolean> {
  let left: Uint8Array = new Uint8Array();
  for await (const piece of ours) {
    let own: Uint8Array = piece;
    while (own.byteLength > 0) {
      if (left.byteLength === 0) {
        const next = await theirs.next();
        if (next.done) return false;
        left = next.value;
      }
      const length = Math.min(own.byteLength, left.byteLength);
      if (Buffer.compare(own.subarray(0, length), left.subarray(0, length)) !== 0) return false;
      own = own.subarray(length);
      left = left.subarray(length);
    }
  }
  return left.byteLength === 0 && (await theirs.next()).done === true;
}

async function* piecesOf(service: Service, body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, undefined> {
  try {
    for await (const piece of body) if (piece.byteLength > 0) yield piece;
  } catch (error) {
    service.failCut(error);
  }
}

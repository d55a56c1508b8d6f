/** Looking at a file that is to be registered: what its header or its size says, and whether the request agrees. */
import { fstatSync } from 'node:fs';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { fail, HyperslabError } from '../errors.js';
import { listed } from '../shown.js';
import type { DatasetRecord, FileFormat } from '../dataset/record.js';
import { descriptionOf, dtypeOf, type DType } from '../dtype/index.js';
import { kindOfFileSystem } from '../file/file-system.js';
import { pathOfDescriptor, withFolder } from '../file/folder.js';
import { closeDescriptor } from '../file/io.js';
import { kindOfHead } from '../file/head.js';
import type { Roots } from '../file/roots.js';
import { translated } from '../file/system-errors.js';
import { parseNpyHeader, SIGNATURE_BYTES, type NpyHeader } from '../formats/index.js';
import { checkShape, sizeOf, type Order } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import { checkWritableContent, formatOfContent } from './content.js';
import { rawGeometry, type CreateRequest } from './request.js';

const readSome = promisify(fs.read);

/** Writable datasets on network and FUSE file systems. */
export type RemoteWrites = 'refuse' | 'allow';

export interface FoundArray {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly order: Order;
  readonly offset: number;
  readonly format: FileFormat;
  /** What it begins as, whatever it is registered as. */
  readonly content: string;
  /** `device:inode`. */
  readonly identity: string;
}

/** @throws not_an_array, format_mismatch, bad_npy, header_mismatch, file_too_small, bad_shape, unsupported_dtype */
export async function inspectFile(roots: Roots, realPath: string, request: CreateRequest): Promise<FoundArray> {
  const fd = await roots.open(realPath, false);
  try {
    const stats = fstatSync(fd, { bigint: true });
    const size = Number(stats.size);
    const head = await readHead(fd);
    const format = formatOfContent(request.path!, request.format, { head, size });
    const geometry =
      format === 'npy'
        ? matchHeader(await readHeader(fd), request)
        : { ...rawGeometry(request, size), order: request.order ?? ('C' as const) };
    checkShape(geometry.shape, geometry.dtype.itemsize);
    const end = geometry.offset + sizeOf(geometry.shape) * geometry.dtype.itemsize;
    if (size < end) {
      fail(
        'file_too_small',
        `The array ends at byte ${end}; the file has ${size}. Give a smaller shape or the right file.`,
        {
          size,
          needed: end,
        },
      );
    }
    return { ...geometry, format, content: kindOfHead({ bytes: head }), identity: `${stats.dev}:${stats.ino}` };
  } finally {
    await closeDescriptor(fd);
  }
}

/**
 * `layout` is how the file will be written, where others made it.
 * @throws path_forbidden, file_system_refused, format_mismatch
 */
export async function checkCanWrite(
  roots: Roots,
  realPath: string,
  remoteWrites: RemoteWrites,
  layout: Pick<FoundArray, 'format' | 'offset'> | undefined,
): Promise<void> {
  // For reading first: what is refused must not have been opened for writing.
  const fd = await roots.open(realPath, false);
  try {
    await refuseUnsafe(pathOfDescriptor(fd, realPath), remoteWrites);
    const content = { head: await readHead(fd), size: fstatSync(fd).size };
    if (layout) checkWritableContent(content, layout.format, layout.offset);
  } finally {
    await closeDescriptor(fd);
  }
  await closeDescriptor(await roots.open(realPath, true));
}

/** For a file that is to be made. @throws file_system_refused where a flush may not hold what it promises */
export async function checkFileSystem(target: string, remoteWrites: RemoteWrites): Promise<void> {
  await translated(() => withFolder(path.dirname(target), folder => refuseUnsafe(folder.at('.'), remoteWrites)));
}

async function refuseUnsafe(at: string, remoteWrites: RemoteWrites): Promise<void> {
  if (remoteWrites === 'allow') return;
  const kind = await translated(() => kindOfFileSystem(at));
  if (!kind.mappable) {
    fail(
      'file_system_refused',
      `The file is on ${kind.name}, which may lose what it confirmed. Use mode r, or set HYPERSLAB_REMOTE_WRITES=allow.`,
      { file_system: kind.name },
    );
  }
}

/** The header of a .npy file that holds all that it promises, or undefined. */
export async function arrayIn(fd: number): Promise<NpyHeader | undefined> {
  try {
    const header = await readHeader(fd);
    const { dtype, shape, dataOffset } = header;
    checkShape(shape, dtype.itemsize);
    const { size } = fstatSync(fd);
    return size >= dataOffset + sizeOf(shape) * dtype.itemsize ? header : undefined;
  } catch (error) {
    if (error instanceof HyperslabError) return undefined;
    throw error;
  }
}

/** True when the head of a .npy file says what the record says. */
export function headerMatches(head: Uint8Array, record: DatasetRecord): boolean {
  try {
    const header = parseNpyHeader(head);
    return (
      'dtype' in header &&
      header.dtype.typestr === record.dtype &&
      header.dataOffset === record.offset &&
      header.order === record.order &&
      sameShape(header.shape, record.shape)
    );
  } catch (error) {
    if (error instanceof HyperslabError) return false;
    throw error;
  }
}

/** What tells what a file is. */
async function readHead(fd: number): Promise<Uint8Array> {
  const head = new Uint8Array(SIGNATURE_BYTES);
  const { bytesRead } = await translated(() => readSome(fd, head, 0, head.byteLength, 0));
  return head.subarray(0, bytesRead);
}

async function readHeader(fd: number): Promise<NpyHeader> {
  let head = new Uint8Array(0);
  for (let needed = 256; ;) {
    const grown = new Uint8Array(needed);
    // oxlint-disable-next-line no-await-in-loop
    const { bytesRead } = await readSome(fd, grown, 0, needed, 0);
    head = grown.subarray(0, bytesRead);
    const header = parseNpyHeader(head);
    if (!('needBytes' in header)) return header;
    if (bytesRead < needed)
      fail(
        'bad_npy',
        `The file has ${bytesRead} bytes and ends inside its .npy header. Save it with np.save, or copy it again.`,
        { size: bytesRead },
      );
    needed = Math.min(header.needBytes, LIMITS.npyHeaderBytesMax + 16);
  }
}

/** Members that the request repeats must agree with the header. */
function matchHeader(header: NpyHeader, request: CreateRequest): Omit<FoundArray, 'format' | 'content' | 'identity'> {
  const differing = [
    request.dtype !== undefined && dtypeOf(request.dtype).typestr !== header.dtype.typestr && 'dtype',
    request.shape && !sameShape(request.shape, header.shape) && 'shape',
    // With one axis or none both orders are the same layout.
    request.order && header.shape.length > 1 && request.order !== header.order && 'order',
    request.offset !== undefined && request.offset !== header.dataOffset && 'offset',
  ].filter(each => typeof each === 'string');
  if (differing.length > 0) {
    fail(
      'header_mismatch',
      `The .npy header has dtype ${header.dtype.typestr}, shape [${header.shape.join(', ')}], order ${header.order} and its data at byte ${header.dataOffset}; ${listed(differing, 'and')} ${differing.length === 1 ? 'differs' : 'differ'}. Leave that out: the header decides. Its bytes as they are can be read with "format": "raw".`,
      {
        differing,
        dtype: descriptionOf(header.dtype),
        shape: header.shape,
        order: header.order,
        offset: header.dataOffset,
      },
    );
  }
  return { dtype: header.dtype, shape: header.shape, order: header.order, offset: header.dataOffset };
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((length, axis) => length === b[axis]);
}

/** Looking at a file that is to be registered: what its header or its size says, and whether the request agrees. */
import { fstatSync } from 'node:fs';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { containerHolding, type ContainerFormat } from '../containers.js';
import { fail, HyperslabError, isErrorCode } from '../errors.js';
import { listed } from '../shown.js';
import type { DatasetRecord, FileFormat } from '../dataset/record.js';
import { descriptionOf, dtypeOf, type DType } from '../dtype/index.js';
import { kindOfFileSystem } from '../file/file-system.js';
import { pathOfDescriptor, withFolder } from '../file/folder.js';
import { closeDescriptor } from '../file/io.js';
import { kindOfHead } from '../file/head.js';
import type { Roots } from '../file/roots.js';
import { translated } from '../file/system-errors.js';
import {
  growingAxis,
  headerLengthOf,
  LENGTH_BYTES,
  parseNpyHeader,
  SIGNATURE_BYTES,
  suffixOf,
  tensorsOf,
} from '../formats/index.js';
import { isNesting } from '../layout/strides.js';
import { checkShape, extentOf, packedView, sameShape, sizeOf, stridesOf, type Order } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import { checkWritableContent, formatOfContent, notAnArray } from './content.js';
import type { MemberArray } from './member.js';
import { isContainerFormat, memberIn } from './members.js';
import { readNpyArray } from './npy-header.js';
import { rawGeometry, type CreateRequest } from './request.js';
import { arrayOf as tensorArray } from './safetensors-members.js';
import { atOnce } from '../turns.js';

const readSome = promisify(fs.read);

/** Writable datasets on network and FUSE file systems. */
export type RemoteWrites = 'refuse' | 'allow';

export interface FoundArray {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly order: Order;
  readonly strides?: readonly number[];
  readonly offset: number;
  readonly format: FileFormat;
  /** Of a container. */
  readonly member?: string;
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
    const geometry = await geometryIn(fd, size, format, request);
    checkShape(geometry.shape, geometry.dtype.itemsize);
    checkInside(geometry, size);
    return { ...geometry, format, content: kindOfHead({ bytes: head }), identity: `${stats.dev}:${stats.ino}` };
  } finally {
    await closeDescriptor(fd);
  }
}

type RawGeometry = ReturnType<typeof rawGeometry>;

/** Strides that are those of C or F order are no more than that. @throws overlap */
function rawLayout(
  { strides, order = 'C', mode = 'r' }: CreateRequest,
  raw: RawGeometry,
): RawGeometry & Pick<FoundArray, 'order' | 'strides'> {
  if (!strides) return { ...raw, order };
  const { dtype, shape } = raw;
  const packed = (['C', 'F'] as const).find(each => sameShape(stridesOf(shape, dtype.itemsize, each), strides));
  if (packed) return { ...raw, order: packed };
  if (mode !== 'r') checkNesting(dtype.itemsize, shape, strides);
  return { ...raw, order, strides };
}

/** @throws overlap where a write to one element might change another */
export function checkNesting(itemsize: number, shape: readonly number[], strides: readonly number[] | undefined): void {
  if (!strides || isNesting(shape, strides, itemsize)) return;
  fail(
    'overlap',
    `With strides [${strides.join(', ')}] of elements of ${itemsize} bytes a write to one could change another: sorted by size, each has to step over all that the smaller ones span. Use mode r, or strides that nest.`,
    { strides, itemsize },
  );
}

/** @throws file_too_small */
function checkInside(
  { dtype, shape, strides, order, offset }: Omit<FoundArray, 'format' | 'content' | 'identity'>,
  size: number,
): void {
  const { itemsize } = dtype;
  const view = strides ? { shape, strides, offset } : packedView(shape, itemsize, order, offset);
  const { start, end } = sizeOf(shape) === 0 ? { start: offset, end: offset } : extentOf(view, itemsize);
  if (start < 0) {
    fail(
      'file_too_small',
      `The array begins ${-start} bytes before the file does. Give an offset that is at least ${offset - start}, or other strides.`,
      { offset, needed: offset - start },
    );
  }
  if (size < end) {
    fail(
      'file_too_small',
      `The array ends at byte ${end}; the file has ${size}. Give a smaller shape or the right file.`,
      { size, needed: end },
    );
  }
}

/** What an open file says of its array, or the request where it says nothing. */
async function geometryIn(
  fd: number,
  size: number,
  format: FileFormat,
  request: CreateRequest,
): Promise<Omit<FoundArray, 'format' | 'content' | 'identity'>> {
  if (isContainerFormat(format)) {
    try {
      const { member, ...array } = await memberIn(fd, size, format, request.member);
      return { ...matchHeader(array, request), member };
    } catch (error) {
      if (isTakenFor(format, request)) throw error;
      throw asNoContainer(error, format);
    }
  }
  if (request.member !== undefined) failNoContainer(request.member, format);
  if (format === 'raw') return rawLayout(request, rawGeometry(request, size));
  return matchHeader(await readNpyArray(fd), request);
}

/** The request says that the file is such a container: by its name, in so many words, or by asking for a member. */
function isTakenFor(format: ContainerFormat, { path: name, format: asked, member }: CreateRequest): boolean {
  return asked === format || member !== undefined || suffixOf(name ?? '') === `.${format}`;
}

/** Of a file that begins as a container does and was not said to be one: where it holds no arrays, it is none of ours. */
function asNoContainer(error: unknown, format: ContainerFormat): unknown {
  const isNone = isErrorCode(error, 'bad_container') || isErrorCode(error, 'unknown_member');
  return isNone ? notAnArray(containerHolding(format)) : error;
}

function failNoContainer(member: string, format: FileFormat): never {
  const what = format === 'npy' ? 'a .npy, which is one array' : 'no .npz and no .safetensors';
  return fail('unknown_member', `The file is ${what}, and has no members. Leave member out.`, {
    member: member.slice(0, 200),
    members: [],
  });
}

/** Which format a file has, by its content and name. @throws as inspectFile */
export async function formatOfFile(
  roots: Roots,
  realPath: string,
  name: string,
  asked: FileFormat | undefined,
): Promise<FileFormat> {
  const fd = await roots.open(realPath, false);
  try {
    return formatOfContent(name, asked, { head: await readHead(fd), size: fstatSync(fd).size });
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

/** The array that the file of a record holds now, all of it; undefined where there is none. */
export async function arrayIn(fd: number, { format, member }: DatasetRecord): Promise<MemberArray | undefined> {
  try {
    const { size } = fstatSync(fd);
    const array = isContainerFormat(format) ? await memberIn(fd, size, format, member) : await readNpyArray(fd);
    checkShape(array.shape, array.dtype.itemsize);
    return size >= array.offset + sizeOf(array.shape) * array.dtype.itemsize ? array : undefined;
  } catch (error) {
    if (error instanceof HyperslabError) return undefined;
    throw error;
  }
}

/**
 * The shape that the head of a file says, where all but the length of the axis that grows is as in the record;
 * undefined where it is another array.
 */
export function shapeInHeader(head: Uint8Array, record: DatasetRecord): readonly number[] | undefined {
  try {
    // One that is too short to say it, too.
    if (record.format === 'safetensors') return tensorMatches(head, record) ? record.shape : undefined;
    const header = parseNpyHeader(head);
    if (!('dtype' in header)) return undefined;
    const growing = (shape: readonly number[]): readonly number[] =>
      shape.length === 0 ? shape : record.shape.with(growingAxis(record), shape[growingAxis(record)]!);
    const isIts =
      header.dtype.typestr === record.dtype &&
      header.dataOffset === record.offset &&
      header.order === record.order &&
      header.shape.length === record.shape.length &&
      sameShape(header.shape, growing(header.shape));
    return isIts ? header.shape : undefined;
  } catch (error) {
    if (error instanceof HyperslabError) return undefined;
    throw error;
  }
}

/** The tensors of a head are those of a file of any length: only where they lie is asked. */
function tensorMatches(head: Uint8Array, record: DatasetRecord): boolean {
  const length = headerLengthOf(head, Number.MAX_SAFE_INTEGER, LIMITS.containerIndexBytesMax);
  if (LENGTH_BYTES + length > head.byteLength) return true;
  const tensors = atOnce(tensorsOf(head.subarray(LENGTH_BYTES, LENGTH_BYTES + length), undefined));
  const tensor = tensors.find(({ name }) => name === record.member);
  return tensor !== undefined && sameArray(tensorArray(tensor), record);
}

/** Whether the member of a container that is open still is where, and what, the record says. */
export async function isStillMember(fd: number, record: DatasetRecord): Promise<boolean> {
  const array = await arrayIn(fd, record);
  return array !== undefined && sameArray(array, record);
}

function sameArray({ dtype, shape, order, offset }: MemberArray, record: DatasetRecord): boolean {
  return (
    dtype.typestr === record.dtype &&
    offset === record.offset &&
    order === record.order &&
    sameShape(shape, record.shape)
  );
}

/** True when the head of a part says what was found when it became one, and it has the rows that it had. */
export function partMatches(head: Uint8Array, record: DatasetRecord): boolean {
  try {
    const header = parseNpyHeader(head);
    if (!('dtype' in header)) return false;
    const { dtype, shape, order, dataOffset } = header;
    const [rows = 0, ...row] = shape;
    const [had = 0, ...itsRow] = record.shape;
    // Rows that came behind others are no other place for them only in C order.
    const isGrown = order === 'C' || shape.length === 1 ? rows >= had : rows === had;
    return (
      dtype.typestr === record.dtype &&
      dataOffset === record.offset &&
      (order === record.order || shape.length === 1) &&
      isGrown &&
      sameShape(row, itsRow)
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

/** Members that the request repeats must agree with the header. */
function matchHeader(header: MemberArray, request: CreateRequest): MemberArray {
  const differing = [
    request.dtype !== undefined && dtypeOf(request.dtype).typestr !== header.dtype.typestr && 'dtype',
    request.shape && !sameShape(request.shape, header.shape) && 'shape',
    // With one axis or none both orders are the same layout.
    request.order && header.shape.length > 1 && request.order !== header.order && 'order',
    request.offset !== undefined && request.offset !== header.offset && 'offset',
    request.strides && !sameShape(request.strides, stridesIn(header)) && 'strides',
  ].filter(each => typeof each === 'string');
  if (differing.length > 0) {
    fail(
      'header_mismatch',
      `The header of the array has dtype ${header.dtype.typestr}, shape [${header.shape.join(', ')}], order ${header.order} and its data at byte ${header.offset}; ${listed(differing, 'and')} ${differing.length === 1 ? 'differs' : 'differ'}. Leave that out: the header decides. Its bytes as they are can be read with "format": "raw".`,
      {
        differing,
        dtype: descriptionOf(header.dtype),
        shape: header.shape,
        order: header.order,
        offset: header.offset,
      },
    );
  }
  return { dtype: header.dtype, shape: header.shape, order: header.order, offset: header.offset };
}

function stridesIn({ shape, dtype, order }: MemberArray): readonly number[] {
  return stridesOf(shape, dtype.itemsize, order);
}

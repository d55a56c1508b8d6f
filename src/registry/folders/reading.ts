/**
 * What the file of a served folder holds: read anew whenever the file or the description beside it has moved. Everything that
 * is wrong with it is a reason that is kept, never an exception.
 */
import { fstatSync } from 'node:fs';
import fs from 'node:fs/promises';
import { HyperslabError, fail } from '../../errors.js';
import { closeDescriptor } from '../../file/io.js';
import { bytesOfPath } from '../../file/path-bytes.js';
import type { Roots } from '../../file/roots.js';
import { parseExactJson } from '../../formats/index.js';
import { checkShape, sizeOf, type Order } from '../../layout/view.js';
import { LIMITS } from '../../limits.js';
import { shown } from '../../shown.js';
import type { Member, MemberArray } from '../member.js';
import { membersIn } from '../members.js';
import { readNpyArray } from '../npy-header.js';
import { checkAttrs, checkDims, rawGeometry } from '../request.js';
import { nameOfPath } from './names.js';
import { pathOfFile, realPathOf, type FolderFile, type FoundGeometry, type Item, type Trouble } from './tree.js';

/** What stands in `name.json`, as far as it is asked for. */
interface Described {
  readonly dtype?: unknown;
  readonly shape?: unknown;
  readonly order?: unknown;
  readonly offset?: unknown;
  readonly attrs?: unknown;
  readonly dims?: unknown;
}

const NOT_DESCRIBED: Described = {};

/** The arrays of a file as it is now. @throws what the file system says where it cannot be looked at */
export async function itemsOf(roots: Roots, file: FolderFile): Promise<Item[]> {
  const described = await describedIn(file);
  if (file.kind === 'raw' && described.dtype === undefined) return [];
  const whole = (): Item => itemOf(file, undefined);
  let fd: number;
  try {
    fd = await roots.open(realPathOf(file), false);
  } catch (error) {
    return [{ ...whole(), trouble: troubleOf(error) }];
  }
  try {
    const { size } = fstatSync(fd);
    if (isContainer(file)) return await memberItems(fd, size, file, described);
    const item = whole();
    await fill(item, described, async () => (file.kind === 'raw' ? rawArray(described, size) : npyArray(fd, size)));
    return [item];
  } catch (error) {
    return [{ ...whole(), trouble: troubleOf(error) }];
  } finally {
    await closeDescriptor(fd);
  }
}

export function itemOf(file: FolderFile, member: string | undefined): Item {
  const name = nameOfPath(pathOfFile(file), member);
  // A container has its arrays as members; without one it stands for what could not be told.
  const isPlaceholder = member === undefined && isContainer(file);
  return { file, name, member, isPlaceholder, found: undefined, trouble: undefined, dataset: undefined };
}

function isContainer({ kind }: FolderFile): boolean {
  return kind === 'npz' || kind === 'safetensors';
}

async function memberItems(fd: number, size: number, file: FolderFile, described: Described): Promise<Item[]> {
  const members = await membersIn(fd, size, file.kind as 'npz' | 'safetensors');
  if (members.length > LIMITS.folderMembersMax) {
    fail('too_large', `The file holds ${members.length} arrays; of one file ${LIMITS.folderMembersMax} are served.`, {
      limit: LIMITS.folderMembersMax,
      asked: members.length,
    });
  }
  const items: Item[] = [];
  for (const member of members) {
    const item = itemOf(file, member.name);
    // oxlint-disable-next-line no-await-in-loop
    await fill(item, described, () => arrayOf(member, size));
    items.push(item);
  }
  return items;
}

async function arrayOf(member: Member, size: number): Promise<MemberArray> {
  const array = await member.array();
  checkWhole(array, size);
  return array;
}

async function npyArray(fd: number, size: number): Promise<MemberArray> {
  const array = await readNpyArray(fd);
  checkShape(array.shape, array.dtype.itemsize);
  checkWhole(array, size);
  return array;
}

function rawArray({ dtype, shape, order, offset }: Described, size: number): MemberArray {
  const lengths = shape ?? undefined;
  if (lengths !== undefined && !(Array.isArray(lengths) && lengths.every(each => typeof each === 'number'))) {
    fail('bad_shape', `shape is ${shown(lengths)}; it takes a list of lengths.`);
  }
  if (order !== undefined && order !== 'C' && order !== 'F')
    fail('bad_request', `order is ${shown(order)}; it takes C or F.`);
  if (offset !== undefined && !(Number.isSafeInteger(offset) && (offset as number) >= 0)) {
    fail('bad_request', `offset is ${shown(offset)}; it takes a whole number of bytes.`);
  }
  const asked = {
    name: 'raw',
    dtype,
    ...(lengths !== undefined && { shape: lengths }),
    ...(offset !== undefined && { offset: offset as number }),
  };
  const raw = rawGeometry(asked, size);
  checkShape(raw.shape, raw.dtype.itemsize);
  const stated: Order = order ?? 'C';
  const array = { ...raw, order: raw.shape.length > 1 ? stated : 'C' } as const;
  checkWhole(array, size);
  return array;
}

/** A file is whole when it has what its header says. @throws file_too_small */
function checkWhole({ offset, shape, dtype }: MemberArray, size: number): void {
  const needed = offset + sizeOf(shape) * dtype.itemsize;
  if (size >= needed) return;
  fail('file_too_small', `The array ends at byte ${needed}, and the file has ${size}. It is served when it is whole.`, {
    size,
    needed,
  });
}

/** An item is found, or has a reason why it is not. */
async function fill(item: Item, described: Described, find: () => Promise<MemberArray>): Promise<void> {
  try {
    const { dtype, shape, order, offset } = await find();
    item.found = { dtype: dtype.typestr, shape, order, offset, ...namesAndNotes(described, item, shape.length) };
  } catch (error) {
    item.trouble = troubleOf(error);
  }
}

/** `attrs` and `dims` of a description. @throws too_large, bad_shape, bad_request */
function namesAndNotes({ attrs, dims }: Described, item: Item, rank: number): Pick<FoundGeometry, 'attrs' | 'dims'> {
  const notes = attrs ?? {};
  if (typeof notes !== 'object' || Array.isArray(notes)) fail('bad_request', 'attrs in the description is no object.');
  checkAttrs(notes as Readonly<Record<string, unknown>>);
  const names = dims ?? null;
  if (names !== null && !(Array.isArray(names) && names.every(each => typeof each === 'string'))) {
    fail('bad_request', 'dims in the description is no list of names.');
  }
  const fits = names === null || item.member === undefined || names.length === rank;
  if (fits) checkDims(names, rank);
  // Of a container the names are those of the arrays that have as many axes.
  return { attrs: notes as Readonly<Record<string, unknown>>, dims: fits ? names : null };
}

/** The description beside a file; what is none says nothing. */
async function describedIn(file: FolderFile): Promise<Described> {
  if (file.sidecar === undefined) return NOT_DESCRIBED;
  const text = await readDescription(realPathOf({ ...file, name: file.sidecar, linked: undefined }));
  if (text === undefined) return NOT_DESCRIBED;
  try {
    const value = parseExactJson(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : NOT_DESCRIBED;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof HyperslabError) return NOT_DESCRIBED;
    throw error;
  }
}

async function readDescription(real: string): Promise<string | undefined> {
  let handle: fs.FileHandle;
  try {
    // O_NONBLOCK: opening a pipe must not wait for its other end.
    handle = await fs.open(bytesOfPath(real), fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  try {
    const stats = await handle.stat();
    if (!stats.isFile() || stats.size > LIMITS.folderDescriptionBytesMax) return undefined;
    return await handle.readFile('utf8');
  } catch {
    return undefined;
  } finally {
    await handle.close();
  }
}

function troubleOf(error: unknown): Trouble {
  if (error instanceof HyperslabError) return { code: error.code, detail: error.message };
  throw error;
}

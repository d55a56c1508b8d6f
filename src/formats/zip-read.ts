/**
 * The directory of a zip (APPNOTE 6.3.9), ZIP64 included: what members there are, and where. Pure: bytes in, places out.
 * Hazard: they come from anybody, and nothing of them is believed before it lies inside the file.
 */
import { fail } from '../errors.js';
import { isTurnOver } from '../turns.js';

export interface ZipEntry {
  readonly name: string;
  /** Bytes of the name as the directory has it. */
  readonly nameBytes: number;
  readonly method: number;
  readonly isEncrypted: boolean;
  readonly crc: number;
  /** As they are in the file, and as they were. */
  readonly packedBytes: number;
  readonly bytes: number;
  /** Where what stands before the member begins. */
  readonly at: number;
}

export const STORED = 0;
export const DEFLATED = 8;

/** A few microseconds each. */
const ENTRIES_PER_TURN = 512;

const END = 0x06054b50;
const END_BYTES = 22;
const LOCATOR = 0x07064b50;
const LOCATOR_BYTES = 20;
const END_64 = 0x06064b50;
export const END_64_BYTES = 56;
const CENTRAL = 0x02014b50;
const CENTRAL_BYTES = 46;
const LOCAL = 0x04034b50;
/** What stands before a member, without its name and more. */
export const LOCAL_BYTES = 30;
/** The end may have a comment behind it. */
export const TAIL_BYTES = END_BYTES + LOCATOR_BYTES + 0xffff;

export interface ZipDirectory {
  readonly count: number;
  readonly start: number;
  readonly bytes: number;
}

/** How a caller refuses a zip: what is wrong with it, as the end of a sentence. */
export type RefuseZip = (why: string) => never;

/**
 * What the last bytes of a file say of its directory, or where more is said.
 * @param tail the last TAIL_BYTES, or all that there is
 */
export function zipEnd(tail: Buffer, refuse: RefuseZip = failZip): ZipDirectory | { readonly end64: number } {
  let at = tail.byteLength - END_BYTES;
  while (at >= 0 && !(tail.readUInt32LE(at) === END && at + END_BYTES + tail.readUInt16LE(at + 20) === tail.byteLength))
    at--;
  if (at < 0) refuse('it has no directory at its end');
  const [count, bytes, start] = [tail.readUInt16LE(at + 10), tail.readUInt32LE(at + 12), tail.readUInt32LE(at + 16)];
  const locator = at - LOCATOR_BYTES;
  if (locator >= 0 && tail.readUInt32LE(locator) === LOCATOR) return { end64: longAt(tail, locator + 8, refuse) };
  return { count, start, bytes };
}

/** The same of a file with large numbers. */
export function zipEnd64(record: Buffer, refuse: RefuseZip = failZip): ZipDirectory {
  if (record.byteLength < END_64_BYTES || record.readUInt32LE(0) !== END_64)
    refuse('its directory is not where it says');
  const [count, bytes, start] = [32, 40, 48].map(at => longAt(record, at, refuse)) as [number, number, number];
  return { count, bytes, start };
}

/** The members of a directory, in turns. */
export function* zipEntries(
  directory: Buffer,
  count: number,
  refuse: RefuseZip = failZip,
): Generator<void, readonly ZipEntry[]> {
  const entries: ZipEntry[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + CENTRAL_BYTES > directory.byteLength || directory.readUInt32LE(at) !== CENTRAL) {
      refuse(`its directory has ${i} members, and ${count} are said`);
    }
    const nameBytes = directory.readUInt16LE(at + 28);
    const extraBytes = directory.readUInt16LE(at + 30);
    const next = at + CENTRAL_BYTES + nameBytes + extraBytes + directory.readUInt16LE(at + 32);
    if (next > directory.byteLength) refuse('its directory is cut');
    entries.push(entryAt(directory, at, nameBytes, extraBytes, refuse));
    at = next;
    if (isTurnOver(i, ENTRIES_PER_TURN)) yield;
  }
  return entries;
}

function entryAt(directory: Buffer, at: number, nameBytes: number, extraBytes: number, refuse: RefuseZip): ZipEntry {
  const name = at + CENTRAL_BYTES;
  const extra = directory.subarray(name + nameBytes, name + nameBytes + extraBytes);
  const longs = longsOf(extra, refuse);
  // Those that do not fit 32 bits stand behind, in this order.
  const wide = (place: number): number => {
    const value = directory.readUInt32LE(place);
    return value === 0xffffffff ? (longs.shift() ?? refuse('a member has no size')) : value;
  };
  const bytes = wide(at + 24);
  const packedBytes = wide(at + 20);
  return {
    name: directory.toString('utf8', name, name + nameBytes),
    nameBytes,
    method: directory.readUInt16LE(at + 10),
    isEncrypted: (directory.readUInt16LE(at + 8) & 1) !== 0,
    crc: directory.readUInt32LE(at + 16),
    packedBytes,
    bytes,
    at: wide(at + 42),
  };
}

/** The numbers of the ZIP64 field. */
function longsOf(extra: Buffer, refuse: RefuseZip): number[] {
  for (let at = 0; at + 4 <= extra.byteLength;) {
    const end = at + 4 + extra.readUInt16LE(at + 2);
    if (end > extra.byteLength) return [];
    if (extra.readUInt16LE(at) === 1) {
      return Array.from({ length: Math.floor((end - at - 4) / 8) }, (_, i) => longAt(extra, at + 4 + 8 * i, refuse));
    }
    at = end;
  }
  return [];
}

/** Where the bytes of a member begin, by what stands before them: only that says how long its own extra field is. */
export function memberStart(local: Buffer, { at }: ZipEntry, refuse: RefuseZip = failZip): number {
  if (local.byteLength < LOCAL_BYTES || local.readUInt32LE(0) !== LOCAL)
    refuse('a member is not where the directory says');
  return at + LOCAL_BYTES + local.readUInt16LE(26) + local.readUInt16LE(28);
}

/** What stands before a member says how it is packed, and what it is called, as the directory does. */
export function isSameMember(local: Buffer, { method, isEncrypted, nameBytes }: ZipEntry): boolean {
  return (
    local.readUInt16LE(8) === method &&
    (local.readUInt16LE(6) & 1) === Number(isEncrypted) &&
    local.readUInt16LE(26) === nameBytes
  );
}

function longAt(bytes: Buffer, at: number, refuse: RefuseZip): number {
  const value = Number(bytes.readBigUInt64LE(at));
  return Number.isSafeInteger(value) ? value : refuse('a number of it is beyond 2^53');
}

/** @throws bad_npy */
export function failZip(why: string): never {
  return fail('bad_npy', `The body is no .npz: ${why}. Send what np.savez or np.savez_compressed writes.`);
}

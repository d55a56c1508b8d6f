/**
 * The arrays of a .npz, where they are stored as they are. They begin at any byte: what stands before a member says how long
 * it is itself, whatever the directory says of that.
 */
import { fail } from '../errors.js';
import { readFully } from '../file/io.js';
import {
  END_64_BYTES,
  isSameMember,
  LOCAL_BYTES,
  memberStart,
  STORED,
  TAIL_BYTES,
  zipEnd,
  zipEnd64,
  zipEntries,
  type ZipEntry,
} from '../formats/index.js';
import { sizeOf } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import { shown } from '../shown.js';
import { runTurns } from '../turns.js';
import type { Member, MemberArray } from './member.js';
import { readNpyArray } from './npy-header.js';

const SUFFIX = '.npy';

/** @throws bad_container */
export async function npzMembers(fd: number, fileBytes: number): Promise<readonly Member[]> {
  const read = async (start: number, length: number): Promise<Buffer> => {
    if (start < 0 || start + length > fileBytes) refuse('its directory points beyond its end');
    const bytes = Buffer.allocUnsafe(length);
    await readFully(fd, bytes, start);
    return bytes;
  };
  const tailBytes = Math.min(fileBytes, TAIL_BYTES);
  const end = zipEnd(await read(fileBytes - tailBytes, tailBytes), refuse);
  const directory = 'end64' in end ? zipEnd64(await read(end.end64, END_64_BYTES), refuse) : end;
  const { count, start, bytes } = directory;
  const limit = LIMITS.containerIndexBytesMax;
  if (bytes > limit) refuse(`its directory has ${bytes} bytes, and at most ${limit} are read`, { limit, asked: bytes });
  const entries = await runTurns(zipEntries(await read(start, bytes), count, refuse));
  const ends = endsOf(entries, start);
  // Of two with one name the last counts, as in numpy.
  const byName = new Map<string, ZipEntry>();
  for (const entry of entries) if (entry.name.endsWith(SUFFIX)) byName.set(entry.name.slice(0, -SUFFIX.length), entry);
  return Array.from(byName, ([name, entry]) => ({
    name,
    array: () => arrayOf(fd, read, name, entry, ends.get(entry)!),
  }));
}

/** Where each member must have ended, by where the next one begins. @throws bad_container where they lie over each other */
function endsOf(entries: readonly ZipEntry[], directoryStart: number): Map<ZipEntry, number> {
  const byPlace = entries.toSorted((a, b) => a.at - b.at);
  return new Map(
    byPlace.map((entry, i) => {
      const end = byPlace[i + 1]?.at ?? directoryStart;
      if (entry.at + LOCAL_BYTES + entry.nameBytes + entry.packedBytes > end) {
        refuse(`the member ${shown(entry.name)} lies over what stands behind it`);
      }
      return [entry, end];
    }),
  );
}

async function arrayOf(
  fd: number,
  read: (start: number, length: number) => Promise<Buffer>,
  name: string,
  entry: ZipEntry,
  end: number,
): Promise<MemberArray> {
  const { method, isEncrypted, bytes, packedBytes } = entry;
  const refuseMember = (why: string): never =>
    refuse(`the member ${shown(name)} ${why}`, { member: name.slice(0, 200) });
  if (isEncrypted) refuseMember('is encrypted');
  if (method !== STORED) failCompressed(name);
  if (bytes !== packedBytes) refuseMember(`is stored in ${packedBytes} bytes, and said to have ${bytes}`);
  const local = await read(entry.at, LOCAL_BYTES + entry.nameBytes);
  const start = memberStart(local, entry, refuse);
  if (!isSameMember(local, entry)) refuseMember('is another one than the directory says');
  if (local.toString('utf8', LOCAL_BYTES) !== entry.name) refuseMember('has another name than the directory says');
  if (start + bytes > end) refuseMember('lies over what stands behind it');
  const array = await readNpyArray(fd, { start, bytes });
  const needed = array.offset - start + sizeOf(array.shape) * array.dtype.itemsize;
  if (needed > bytes) refuseMember(`has ${bytes} bytes, and its header says ${needed}`);
  return array;
}

function failCompressed(name: string): never {
  return fail(
    'compressed',
    `The member ${shown(name)} is compressed, and only what is stored as it is can be served where it lies. Save the file with ` +
      'np.savez instead of np.savez_compressed, or import the member: PUT /v1/datasets/{name}?member=… with the file as the body.',
    { member: name.slice(0, 200) },
  );
}

/** @throws bad_container */
function refuse(why: string, values: Readonly<Record<string, unknown>> = {}): never {
  return fail(
    'bad_container',
    `The file is no .npz that can be served: ${why}. Copy it again, or write it with np.savez.`,
    values,
  );
}

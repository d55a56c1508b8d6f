/**
 * A `.npz` → the .npy that one of its members is. The body is laid down in a file, since what there is stands at its end; the
 * member is unpacked twice, once to see that it is whole, and once while it is taken. Memory: some pieces, whatever it unpacks to.
 */
import { once } from 'node:events';
import { crc32, createInflateRaw } from 'node:zlib';
import { fail } from '../errors.js';
import { closeDescriptor, readFully } from '../file/io.js';
import { openSpool } from '../file/spool.js';
import {
  DEFLATED,
  END_64_BYTES,
  failZip,
  LOCAL_BYTES,
  memberStart,
  STORED,
  TAIL_BYTES,
  zipEnd,
  zipEnd64,
  zipEntries,
  type ZipEntry,
} from '../formats/index.js';
import { LIMITS } from '../limits.js';
import { listed, shown } from '../shown.js';
import { runTurns } from '../turns.js';
import { BodyReader } from './body.js';
import type { DecodingContext, OpenNpyBody } from './decoded.js';
import { layDown, type ComingBody } from './lay-down.js';

/** deflate makes at most 1,032 bytes of one. */
const RATIO_MAX = 1032;
const NAMES_MAX = 50;

export interface NpzBody extends ComingBody {
  /** With or without `.npy`. Absent: the only one. */
  readonly member?: string | undefined;
}

/** Reads all of a body, and opens one of its members. @throws bad_npy, unknown_field, disk_full */
export async function openNpz(
  npz: NpzBody,
  { budget, folder }: Pick<DecodingContext, 'budget' | 'folder'>,
): Promise<OpenNpyBody> {
  const fd = await openSpool(folder);
  let release = (): void => {};
  const file = new SpooledZip(fd);
  const close = async (): Promise<void> => {
    await file.close();
    release();
    await closeDescriptor(fd);
  };
  try {
    file.size = await layDown(fd, folder, npz);
    release = await budget.take(4 * LIMITS.pieceBytesMax);
    const entry = await file.entry(npz.member);
    const start = await file.start(entry);
    const check = file.unpacked(entry, start);
    // oxlint-disable-next-line no-await-in-loop
    for (let part = await check.next(); !part.done; part = await check.next());
    return { body: new BodyReader(file.unpacked(entry, start)), bodyBytes: entry.bytes, close };
  } catch (error) {
    await close();
    throw error;
  }
}

class SpooledZip {
  size = 0;
  readonly #fd: number;
  #reading: Promise<unknown> = Promise.resolve();
  #stop: () => void = () => {};

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** When nothing reads the file any more. */
  async close(): Promise<void> {
    this.#stop();
    await this.#reading;
  }

  async #read(start: number, length: number): Promise<Buffer> {
    if (start < 0 || start + length > this.size) failZip('its directory points beyond its end');
    const bytes = Buffer.allocUnsafe(length);
    const reading = readFully(this.#fd, bytes, start);
    this.#reading = reading.catch(() => undefined);
    await reading;
    return bytes;
  }

  /** @throws bad_npy, unknown_field, too_large */
  async entry(member: string | undefined): Promise<ZipEntry> {
    const tailBytes = Math.min(this.size, TAIL_BYTES);
    const end = zipEnd(await this.#read(this.size - tailBytes, tailBytes));
    const { count, start, bytes } = 'end64' in end ? zipEnd64(await this.#read(end.end64, END_64_BYTES)) : end;
    const limit = LIMITS.zipDirectoryBytesMax;
    if (bytes > limit) {
      fail(
        'too_large',
        `The directory of the .npz has ${bytes} bytes; at most ${limit} are read. Send fewer members.`,
        {
          limit,
          asked: bytes,
        },
      );
    }
    const entry = chosen(await runTurns(zipEntries(await this.#read(start, bytes), count)), member);
    checkEntry(entry);
    return entry;
  }

  async start(entry: ZipEntry): Promise<number> {
    const start = memberStart(await this.#read(entry.at, LOCAL_BYTES), entry);
    if (start + entry.packedBytes > this.size) failZip(`the member ${shown(entry.name)} is cut`);
    return start;
  }

  /** The member as it was, whose last part comes when its checksum is found to be right. */
  async *unpacked(entry: ZipEntry, start: number): AsyncGenerator<Uint8Array> {
    let [bytes, crc] = [0, 0];
    const parts = entry.method === STORED ? this.#packed(entry, start) : this.#inflated(entry, start);
    for await (const part of parts) {
      bytes += part.byteLength;
      crc = crc32(part, crc);
      if (bytes > entry.bytes) failMember(entry, `it is longer than the ${entry.bytes} bytes that the directory says`);
      if (bytes === entry.bytes && crc !== entry.crc) failMember(entry, 'its checksum is another one');
      yield part;
    }
    if (bytes < entry.bytes) failMember(entry, `it has ${bytes} bytes, and the directory says ${entry.bytes}`);
  }

  async *#packed({ packedBytes }: ZipEntry, start: number): AsyncGenerator<Uint8Array> {
    for (let done = 0; done < packedBytes;) {
      const length = Math.min(LIMITS.npzPieceBytes, packedBytes - done);
      // oxlint-disable-next-line no-await-in-loop
      yield await this.#read(start + done, length);
      done += length;
    }
  }

  async *#inflated(entry: ZipEntry, start: number): AsyncGenerator<Uint8Array> {
    const inflate = createInflateRaw({ chunkSize: LIMITS.npzPieceBytes });
    this.#stop = () => void inflate.destroy();
    const feed = async (): Promise<void> => {
      for await (const part of this.#packed(entry, start)) {
        if (inflate.destroyed) return;
        if (!inflate.write(part)) await Promise.race([once(inflate, 'drain'), once(inflate, 'close')]);
      }
      inflate.end();
    };
    feed().catch((error: unknown) => inflate.destroy(error as Error));
    try {
      yield* inflate as AsyncIterable<Uint8Array>;
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error) || !String(error.code).startsWith('Z_')) throw error;
      failMember(entry, 'it cannot be unpacked');
    } finally {
      inflate.destroy();
    }
  }
}

function chosen(entries: readonly ZipEntry[], member: string | undefined): ZipEntry {
  const arrays = entries.filter(({ name }) => !name.endsWith('/'));
  const found =
    member === undefined
      ? arrays.length === 1
        ? arrays[0]
        : undefined
      : arrays.findLast(({ name }) => name === member || name === `${member}.npy`);
  if (found) return found;
  const members = arrays.slice(0, NAMES_MAX).map(({ name }) => name.replace(/\.npy$/, ''));
  const has =
    members.length === 0
      ? 'no members'
      : `the members ${listed(
          members.map(name => shown(name)),
          'and',
        )}`;
  const asked = member === undefined ? 'One member is taken' : `There is no member ${shown(member)}`;
  return fail(
    'unknown_field',
    `${asked}, and the .npz has ${has}. Name one of them: member=${shown(members[0] ?? 'a')}.`,
    {
      ...(member !== undefined && { member: member.slice(0, 200) }),
      members,
    },
  );
}

function checkEntry(entry: ZipEntry): void {
  const { method, isEncrypted, bytes, packedBytes } = entry;
  if (isEncrypted) failMember(entry, 'it is encrypted');
  if (method !== STORED && method !== DEFLATED) failMember(entry, `it is compressed by method ${method}`);
  if (method === STORED && bytes !== packedBytes) failMember(entry, `its ${packedBytes} bytes are said to be ${bytes}`);
  if (bytes > RATIO_MAX * packedBytes + RATIO_MAX) failMember(entry, `${packedBytes} bytes cannot become ${bytes}`);
}

function failMember({ name }: ZipEntry, why: string): never {
  return failZip(`the member ${shown(name)} is broken: ${why}`);
}

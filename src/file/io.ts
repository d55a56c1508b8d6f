/**
 * Positional I/O that finishes what it starts: reads and writes loop over short counts. Raw descriptors, not
 * FileHandles: a descriptor is shared with worker threads and must not be closed by a garbage collector.
 */
import fs from 'node:fs';
import { promisify } from 'node:util';
import { availableParallelism } from 'node:os';
import { withDescriptors } from './descriptors.js';
import { failTruncated } from './refusals.js';
import { Turnstile } from './turnstile.js';

const readOnce = promisify(fs.read);
const writeOnce = promisify(fs.write);
const fdatasyncOnce = promisify(fs.fdatasync);
const fsyncOnce = promisify(fs.fsync);
const statOnce = promisify(fs.fstat) as (fd: number) => Promise<fs.Stats>;

const openOnce = promisify(fs.open);
export const closeDescriptor = promisify(fs.close);
export const truncateDescriptor = promisify(fs.ftruncate);

/** Where no descriptor is left, idle files are closed for it. */
export function openDescriptor(file: string | Buffer, flags: number | string, mode?: number): Promise<number> {
  return withDescriptors(() => openOnce(file, flags, mode));
}

/** Linux moves at most 2 GiB - 4 KiB per call; Node refuses more than 2 GiB - 1. */
const CALL_BYTES_MAX = 1024 * 1024 * 1024;

/** Fills `into` from `position` of the file. @throws file_changed when the file ends before that */
export async function readFully(fd: number, into: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < into.byteLength) {
    const length = Math.min(into.byteLength - done, CALL_BYTES_MAX);
    const { bytesRead } = await readOnce(fd, into, done, length, position + done);
    if (bytesRead === 0) failTruncated(await sizeOfDescriptor(fd), position + into.byteLength);
    done += bytesRead;
  }
}

/** The same for a worker thread, which may wait. */
export function readFullySync(fd: number, into: Uint8Array, position: number): void {
  let done = 0;
  while (done < into.byteLength) {
    const length = Math.min(into.byteLength - done, CALL_BYTES_MAX);
    const bytesRead = fs.readSync(fd, into, done, length, position + done);
    if (bytesRead === 0) failTruncated(fs.fstatSync(fd).size, position + into.byteLength);
    done += bytesRead;
  }
}

export async function writeFully(fd: number, bytes: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < bytes.byteLength) {
    const length = Math.min(bytes.byteLength - done, CALL_BYTES_MAX);
    const { bytesWritten } = await writeOnce(fd, bytes, done, length, position + done);
    done += bytesWritten;
  }
}

export function writeFullySync(fd: number, bytes: Uint8Array, position: number): void {
  let done = 0;
  while (done < bytes.byteLength) {
    done += fs.writeSync(fd, bytes, done, Math.min(bytes.byteLength - done, CALL_BYTES_MAX), position + done);
  }
}

/** Buffers that are written as one, below this size. */
const JOINED_BYTES_MAX = 1024 * 1024;

/** Writes buffers one behind the other; small neighbours are joined, since a call costs more than a copy. */
export async function writePartsFully(fd: number, parts: readonly Uint8Array[], position: number): Promise<void> {
  let small: Uint8Array[] = [];
  let smallBytes = 0;
  const writeSmall = async (): Promise<void> => {
    const joined = small.length === 1 ? small[0]! : Buffer.concat(small, smallBytes);
    small = [];
    smallBytes = 0;
    await writeFully(fd, joined, position);
    position += joined.byteLength;
  };
  for (const part of parts) {
    // oxlint-disable-next-line no-await-in-loop
    if (smallBytes + part.byteLength > JOINED_BYTES_MAX) await writeSmall();
    small.push(part);
    smallBytes += part.byteLength;
  }
  await writeSmall();
}

/** Small files that are read at one time: fast with thousands of them, and far below any limit of descriptors. */
const readers = new Turnstile(32);

export function readText(file: string): Promise<string> {
  return readers.run(() => withDescriptors(() => fs.promises.readFile(file, 'utf8')));
}

export function readTexts(files: readonly string[]): Promise<string[]> {
  return Promise.all(files.map(readText));
}

export async function sizeOfDescriptor(fd: number): Promise<number> {
  return (await statOnce(fd)).size;
}

/** Threads of libuv's pool, which file calls share. */
const threadCount = Number(process.env['UV_THREADPOOL_SIZE']) || 4;
/** Slow syncs leave half of the pool to reads. */
const syncs = new Turnstile(Math.max(1, Math.min(Math.floor(threadCount / 2), availableParallelism() * 4)));

/** fdatasync(2): data, and the metadata needed to find it, are on disk. */
export function syncData(fd: number): Promise<void> {
  return syncs.run(() => fdatasyncOnce(fd));
}

/** fsync(2). */
export function syncAll(fd: number): Promise<void> {
  return syncs.run(() => fsyncOnce(fd));
}

/** Makes renames and new names in a folder durable. */
export async function syncFolder(folder: string): Promise<void> {
  const fd = await openDescriptor(folder, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
  try {
    await syncAll(fd);
  } finally {
    await closeDescriptor(fd);
  }
}

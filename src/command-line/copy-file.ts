/** Copying one file: by sharing its blocks where the file system can, else byte by byte with its holes; then compared. */
import { constants } from 'node:fs';
import fs, { type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { systemErrorCode } from '../errors.js';

const PIECE_BYTES = 1024 * 1024;
const STAT_BLOCK_BYTES = 512;
const ZEROS = Buffer.alloc(PIECE_BYTES);

/** How a file was copied. */
export type CopiedBy = 'reflink' | 'copy';

/** Copies a file in the place of whatever stands there, and puts the copy on disk. */
export async function copyFile(from: string, to: string): Promise<CopiedBy> {
  await fs.mkdir(path.dirname(to), { recursive: true });
  await fs.rm(to, { force: true });
  try {
    await fs.copyFile(from, to, constants.COPYFILE_FICLONE_FORCE);
    await syncFile(to);
    return 'reflink';
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') throw error;
    await fs.rm(to, { force: true });
  }
  const { blocks, size, mode } = await fs.stat(from);
  if (blocks * STAT_BLOCK_BYTES < size) await copyWithHoles(from, to, mode);
  else await fs.copyFile(from, to);
  await syncFile(to);
  return 'copy';
}

/** Stretches of zeros become holes: an array that is sparse stays so. */
async function copyWithHoles(from: string, to: string, mode: number): Promise<void> {
  const source = await fs.open(from);
  const target = await fs.open(to, 'wx', mode & 0o777);
  try {
    const piece = Buffer.alloc(PIECE_BYTES);
    let at = 0;
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop
      const { bytesRead } = await source.read(piece, 0, PIECE_BYTES, at);
      if (bytesRead === 0) break;
      const bytes = piece.subarray(0, bytesRead);
      // oxlint-disable-next-line no-await-in-loop
      if (!bytes.equals(ZEROS.subarray(0, bytesRead))) await writeAll(target, bytes, at);
      at += bytesRead;
    }
    await target.truncate(at);
  } finally {
    await source.close();
    await target.close();
  }
}

async function writeAll(target: FileHandle, bytes: Uint8Array, start: number): Promise<void> {
  for (let done = 0; done < bytes.byteLength;) {
    // oxlint-disable-next-line no-await-in-loop
    const { bytesWritten } = await target.write(bytes, done, bytes.byteLength - done, start + done);
    done += bytesWritten;
  }
}

async function syncFile(file: string): Promise<void> {
  const handle = await fs.open(file, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Puts the names in folders on disk, too. */
export async function syncTree(folder: string): Promise<void> {
  for (const entry of await fs.readdir(folder, { withFileTypes: true })) {
    // oxlint-disable-next-line no-await-in-loop
    if (entry.isDirectory()) await syncTree(path.join(folder, entry.name));
  }
  await syncFile(folder);
}

/** Whether two files have the same bytes. */
export async function isSameFile(one: string, other: string): Promise<boolean> {
  const handles = [await fs.open(one), await fs.open(other)] as const;
  try {
    const [a, b] = [Buffer.alloc(PIECE_BYTES), Buffer.alloc(PIECE_BYTES)];
    for (let at = 0; ;) {
      // oxlint-disable-next-line no-await-in-loop
      const [{ bytesRead: left }, { bytesRead: right }] = await Promise.all([
        handles[0].read(a, 0, PIECE_BYTES, at),
        handles[1].read(b, 0, PIECE_BYTES, at),
      ]);
      if (left !== right || !a.subarray(0, left).equals(b.subarray(0, right))) return false;
      if (left === 0) return true;
      at += left;
    }
  } finally {
    await Promise.all(handles.map(handle => handle.close()));
  }
}

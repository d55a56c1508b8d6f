/** Proves at start that a backend maps what a file holds and reports a truncated page instead of dying of it. */
import fs from 'node:fs';
import path from 'node:path';
import { randomBytes } from 'node:crypto';
import { TEMPORARY_PREFIX } from './atomic.js';
import { libc } from './libc.js';
import type { MappingBackend } from './mapping.js';

const PAGES_BYTES = 128 * 1024;

/** True when the backend may be used for files like those in `folder`. */
export function passesSelfTest(backend: MappingBackend, folder: string): boolean {
  return withTestFile(folder, (fd, content) => {
    const window = backend.map(fd, 0, PAGES_BYTES);
    if (!window?.populate(0, PAGES_BYTES) || !content.equals(window.bytes)) return false;
    // A positional write must be seen at once, and a page that is gone must be an answer, not a signal.
    fs.writeSync(fd, 'seen', PAGES_BYTES / 2);
    const seen = Buffer.from(window.bytes.subarray(PAGES_BYTES / 2, PAGES_BYTES / 2 + 4)).toString() === 'seen';
    fs.ftruncateSync(fd, PAGES_BYTES / 2);
    const survives = !window.populate(0, PAGES_BYTES);
    window.unmap();
    return seen && survives;
  });
}

/** True when files like those in `folder` can be mapped into memory of our own, and be taken out of it again. */
export function arenaPassesSelfTest(folder: string): boolean {
  const c = libc();
  if (!c) return false;
  return withTestFile(folder, (fd, content) => {
    // Twice as much, for a part of it that is aligned to pages of any size.
    const memory = new Uint8Array(new ArrayBuffer(2 * PAGES_BYTES));
    const from = PAGES_BYTES - (c.addressOf(memory) % PAGES_BYTES);
    const address = c.addressOf(memory) + from;
    const part = memory.subarray(from, from + PAGES_BYTES);
    if (!c.mapReadAt(address, fd, 0, PAGES_BYTES)) return false;
    const shows = content.equals(part);
    fs.writeSync(fd, 'seen', PAGES_BYTES / 2);
    const seen = Buffer.from(part.subarray(PAGES_BYTES / 2, PAGES_BYTES / 2 + 4)).toString() === 'seen';
    if (!c.mapEmptyAt(address, PAGES_BYTES)) throw new Error('memory that is lost');
    return shows && seen && part.every(byte => byte === 0);
  });
}

/** Calls back with a file of random bytes that has no name; false when that fails. */
function withTestFile(folder: string, test: (fd: number, content: Buffer) => boolean): boolean {
  const file = path.join(folder, `${TEMPORARY_PREFIX}${randomBytes(8).toString('hex')}.tmp`);
  const fd = fs.openSync(file, 'wx+');
  try {
    fs.unlinkSync(file);
    const content = randomBytes(PAGES_BYTES);
    fs.writeSync(fd, content);
    return test(fd, content);
  } catch {
    return false;
  } finally {
    fs.closeSync(fd);
  }
}

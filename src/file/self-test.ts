/** Proves at start that a backend maps what a file holds and reports a truncated page instead of dying of it. */
import fs from 'node:fs';
import path from 'node:path';
import { randomBytes } from 'node:crypto';
import { TEMPORARY_PREFIX } from './atomic.js';
import type { MappingBackend } from './mapping.js';

const PAGES_BYTES = 128 * 1024;

/** True when the backend may be used for files like those in `folder`. */
export function passesSelfTest(backend: MappingBackend, folder: string): boolean {
  const file = path.join(folder, `${TEMPORARY_PREFIX}${randomBytes(8).toString('hex')}.tmp`);
  const fd = fs.openSync(file, 'wx+');
  try {
    fs.unlinkSync(file);
    const content = randomBytes(PAGES_BYTES);
    fs.writeSync(fd, content);
    const window = backend.map(fd, 0, PAGES_BYTES);
    if (!window?.populate(0, PAGES_BYTES) || !content.equals(window.bytes)) return false;
    // A positional write must be seen at once, and a page that is gone must be an answer, not a signal.
    fs.writeSync(fd, 'seen', PAGES_BYTES / 2);
    const seen = Buffer.from(window.bytes.subarray(PAGES_BYTES / 2, PAGES_BYTES / 2 + 4)).toString() === 'seen';
    fs.ftruncateSync(fd, PAGES_BYTES / 2);
    const survives = !window.populate(0, PAGES_BYTES);
    window.unmap();
    return seen && survives;
  } catch {
    return false;
  } finally {
    fs.closeSync(fd);
  }
}

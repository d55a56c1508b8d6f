/**
 * A small text file that is read again when it changes: looked at once a second, off the event loop. The caller decides
 * what a missing or unreadable file means; here it is told, and nothing old is kept.
 */
import type { BigIntStats } from 'node:fs';
import fs from 'node:fs/promises';
import { systemErrorCode } from '../errors.js';
import { readText } from '../file/io.js';

const POLL_MS = 1000;
/** Key files hold at most some thousand keys. */
const BYTES_MAX = 16 * 1024 * 1024;

/** The content, undefined where there is no file, or why it cannot be read. */
export type Content = { readonly text: string | undefined } | { readonly error: Error };

export class WatchedFile {
  readonly path: string;
  #stamp: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #changed: (content: Content) => void = () => undefined;

  constructor(path: string) {
    this.path = path;
  }

  /** Reads the file as it is now. */
  async read(): Promise<Content> {
    // Before the content: what changes in between is noticed at the next look.
    this.#stamp = await this.#look();
    try {
      const { size } = await fs.stat(this.path);
      if (size > BYTES_MAX) return { error: new Error('it is too large') };
      return { text: await readText(this.path) };
    } catch (error) {
      const code = systemErrorCode(error);
      return code === 'ENOENT' ? { text: undefined } : { error: new Error(`it cannot be read (${code ?? 'unknown'})`) };
    }
  }

  /** Calls `changed` with what is there whenever it is not what was read last. */
  watch(changed: (content: Content) => void): void {
    this.#changed = changed;
    const poll = async (): Promise<void> => {
      await this.lookAgain();
      this.#timer?.refresh();
    };
    // Started again after each look, so that a slow disk is asked once at a time.
    this.#timer = setTimeout(() => void poll(), POLL_MS);
    this.#timer.unref();
  }

  /** Looks at once, without waiting for the next second. */
  async lookAgain(): Promise<void> {
    if ((await this.#look()) !== this.#stamp) this.#changed(await this.read());
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Whatever changes with the file; the error code where there is none to look at. */
  async #look(): Promise<string | undefined> {
    return fs.stat(this.path, { bigint: true }).then(stampOf, systemErrorCode);
  }
}

function stampOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(':');
}

/**
 * A file as it is written in a worker: runs by position, and elements with gaps between them in memory. Where no other
 * program writes the file, the gaps are written again as they were read. Elsewhere the elements are stored where the
 * kernel has the file's pages, and not a byte beside them.
 * Hazard: a page that another program truncates between the check and the store kills the process (SIGBUS), as with
 * mapping.ts; a stretch is checked when it is its turn.
 */
import fs from 'node:fs';
import type { ScatterFile } from '../layout/scatter.js';
import { LIMITS } from '../limits.js';
import { readFullySync, writeFullySync } from './io.js';
import { libc, type Libc } from './libc.js';
import { pagesAround, WINDOW_ALIGNMENT_BYTES } from './mapping.js';
import { failTruncated } from './refusals.js';

/** `rewrite`: no other program writes the file. `map`: others may. Undefined: only runs can be written. */
export type Gaps = 'rewrite' | 'map' | undefined;

/** What may be done in a file that other programs may write, where files can be mapped. */
export function gapsOfOthers(isMappable: boolean): Gaps {
  return isMappable && libc()?.populatesWrites ? 'map' : undefined;
}

/** Mapping it costs the same whatever its size. */
const WINDOW_BYTES = 64 * LIMITS.pieceBytesMax;

/** Calls back with the file; what is mapped for it is let go of afterwards. */
export function withFile(fd: number, gaps: Gaps, work: (file: ScatterFile) => void): void {
  const write = (offset: number, bytes: Uint8Array): void => writeFullySync(fd, bytes, offset);
  const c = libc();
  if (gaps === 'rewrite') {
    const scratch = new Uint8Array(LIMITS.pieceBytesMax);
    work({
      write,
      alter(offset, length, change) {
        const span = scratch.subarray(0, length);
        readFullySync(fd, span, offset);
        change(span);
        write(offset, span);
        return true;
      },
    });
  } else if (gaps === 'map' && c) {
    const window = new WritableWindow(fd, c);
    try {
      work({
        write,
        alter(offset, length, change) {
          const span = window.holding(offset, length);
          if (!span) return false;
          change(span);
          // Not every file system takes a store for a change of the file; others watch its times.
          write(offset, span.slice(0, 1));
          return true;
        },
      });
    } finally {
      window.close();
    }
  } else work({ write });
}

/** The part of a file that is mapped for writing at the moment: it moves with what is asked for. */
class WritableWindow {
  readonly #fd: number;
  readonly #libc: Libc;
  #mapped: { readonly start: number; readonly address: number } | undefined;

  constructor(fd: number, c: Libc) {
    this.#fd = fd;
    this.#libc = c;
  }

  /** At most a megabyte of the file, ready to be written; undefined where its pages cannot be had. @throws file_changed */
  holding(offset: number, length: number): Uint8Array | undefined {
    const { start, address } = this.#around(offset, length) ?? {};
    if (start === undefined || address === undefined) return undefined;
    const at = address + offset - start;
    const pages = pagesAround(at, length);
    if (this.#libc.populateWrite(pages.first, pages.bytes)) return new Uint8Array(this.#libc.view(at, length));
    const { size } = fs.fstatSync(this.#fd);
    if (size < offset + length) failTruncated(size, offset + length);
    return undefined;
  }

  close(): void {
    if (this.#mapped) this.#libc.unmap(this.#mapped.address, WINDOW_BYTES);
    this.#mapped = undefined;
  }

  #around(offset: number, length: number): { readonly start: number; readonly address: number } | undefined {
    if (this.#mapped && offset >= this.#mapped.start && offset + length <= this.#mapped.start + WINDOW_BYTES) {
      return this.#mapped;
    }
    this.close();
    const start = offset - (offset % WINDOW_ALIGNMENT_BYTES);
    const address = this.#libc.mapWrite(this.#fd, start, WINDOW_BYTES);
    if (address === undefined) return undefined;
    this.#mapped = { start, address };
    return this.#mapped;
  }
}

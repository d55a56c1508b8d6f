/**
 * An open file as a dataset of mode c sees it: what the dataset has written stands over the file's bytes. Everything that
 * is not read through it, such as the lock, the head and the times, is the file's own.
 */
import { overlayPages, pagedSource, touchesPages } from './page-table.js';
import type { PageTable } from '../descriptor.js';
import type { ByteSource } from '../layout/gather.js';
import type { OpenFile } from './open-file.js';
import type { PrivatePages } from './private-pages.js';

const nothing = (): void => {};

/** The file with whatever is private at the moment that it is read. */
export function withPages(file: OpenFile, pages: PrivatePages): OpenFile {
  return seenOver(file, {
    table: () => pages.table,
    frozen(cut) {
      const { table, release } = pages.hold(cut);
      const still: OpenFile = seenOver(file, {
        table: () => table,
        frozen: () => ({ file: still, release: nothing }),
      });
      return { file: still, release };
    },
  });
}

interface Over {
  readonly table: () => PageTable | undefined;
  readonly frozen: OpenFile['frozen'];
}

function seenOver(file: OpenFile, { table, frozen }: Over): OpenFile {
  const own: Partial<OpenFile> = {
    get pages() {
      return table();
    },
    frozen,
    // The mapping shows what is in the file.
    sendsMapped: false,
    readNow(start, length) {
      const bytes = file.readNow(start, length);
      if (bytes) overlayPages(table(), start, bytes);
      return bytes;
    },
    async read(start, into) {
      await file.read(start, into);
      overlayPages(table(), start, into);
    },
    async readPiece(start, into) {
      await file.readPiece(start, into);
      overlayPages(table(), start, into);
    },
    residentSource(start, end) {
      const source = file.residentSource(start, end);
      const pages = table();
      return source && pages ? pagedSource(source, copied(source), pages) : source;
    },
    async populated(start, length) {
      return touchesPages(table(), start, start + length) ? undefined : file.populated(start, length);
    },
    // Another dataset may have it open for writing: no way that leads to the file may be taken.
    checkWritable() {
      throw new Error('what is written to a dataset of mode c went to its file');
    },
    describe: (start, end, isOurs) => ({ ...file.describe(start, end, isOurs), pages: table() }),
  };
  // Its private members are found in the file itself alone, so that no class can stand for it.
  return new Proxy(file, {
    get(target, key): unknown {
      if (key in own) return Reflect.get(own, key) as unknown;
      const value = Reflect.get(target, key, target) as unknown;
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
    set: (target, key, value) => Reflect.set(target, key, value, target),
  });
}

/** Spans that may be changed: a mapping is read-only, and `slice` of what maps it may be no copy. */
function copied(source: ByteSource): ByteSource {
  return { ...source, span: (start, length, usefulBytes) => new Uint8Array(source.span(start, length, usefulBytes)) };
}

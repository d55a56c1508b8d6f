/**
 * The content codings that answers are had in (RFC 9110, 8.4.1): how fast and how small is chosen for a service, whose
 * answers are made anew each time. Of random float32 as JSON, a core does 60 MB a second with gzip at level 1, 100 with
 * brotli at 1, and 170 with zstd at 1, and all three leave 43 to 46 %; higher levels take two to thirty times as long for
 * the same size. Windows of 256 KiB bound what a stream holds.
 */
import zlib, { type BrotliOptions, type ZlibOptions } from 'node:zlib';
import type { Transform } from 'node:stream';

export type CodingName = 'zstd' | 'br' | 'gzip';

/** What zlib gives for each coding. */
export interface CodingStream extends Transform {
  flush(kind: number, done: () => void): void;
}

export interface Coding {
  readonly name: CodingName;
  /** What one stream holds while it lives: its window and tables, and what has come out of it. */
  readonly heldBytes: number;
  /** What makes all that went in come out, so that the reader can have it. */
  readonly flushKind: number;
  start(): CodingStream;
  /** A short body, at once. */
  codeNow(body: Uint8Array): Uint8Array;
}

const KiB = 1024;
const WINDOW_BITS = 18;
const CHUNK: ZlibOptions = { chunkSize: 64 * KiB };
/** What comes out of a piece before it is sent. */
const OUTPUT_BYTES = 256 * KiB;

const { constants } = zlib;
const GZIP: ZlibOptions = { level: 1 };
const BROTLI: BrotliOptions = {
  params: { [constants.BROTLI_PARAM_QUALITY]: 1, [constants.BROTLI_PARAM_LGWIN]: WINDOW_BITS },
};

/** In Node from 22.15 and 23.8 on, and in no older types. */
interface Zstd {
  readonly createZstdCompress?: (options: object) => CodingStream;
  readonly zstdCompressSync?: (body: Uint8Array, options: object) => Uint8Array;
  readonly constants: {
    readonly ZSTD_c_compressionLevel: number;
    readonly ZSTD_c_windowLog: number;
    readonly ZSTD_e_flush: number;
  };
}

function zstd(): Coding[] {
  const { createZstdCompress, zstdCompressSync, constants: c } = zlib as unknown as Zstd;
  if (!createZstdCompress || !zstdCompressSync) return [];
  const options = { params: { [c.ZSTD_c_compressionLevel]: 1, [c.ZSTD_c_windowLog]: WINDOW_BITS } };
  return [
    {
      name: 'zstd',
      heldBytes: 704 * KiB + OUTPUT_BYTES,
      flushKind: c.ZSTD_e_flush,
      start: () => createZstdCompress({ ...options, ...CHUNK }),
      codeNow: body => zstdCompressSync(body, options),
    },
  ];
}

/** In the order in which the service prefers them, where the client does not care. */
export const CODINGS: readonly Coding[] = [
  ...zstd(),
  {
    name: 'br',
    heldBytes: 704 * KiB + OUTPUT_BYTES,
    flushKind: constants.BROTLI_OPERATION_FLUSH,
    start: () => zlib.createBrotliCompress({ ...BROTLI, ...CHUNK }),
    codeNow: body => zlib.brotliCompressSync(body, BROTLI),
  },
  {
    name: 'gzip',
    heldBytes: 320 * KiB + OUTPUT_BYTES,
    flushKind: constants.Z_SYNC_FLUSH,
    start: () => zlib.createGzip({ ...GZIP, ...CHUNK }),
    codeNow: body => zlib.gzipSync(body, GZIP),
  },
];

/** Codings that tags are told apart by, whether this runtime has them or not: a client may keep what another one made. */
const NAMES: readonly CodingName[] = ['zstd', 'br', 'gzip'];
const SUFFIX = new RegExp(`\\.(${NAMES.join('|')})$`);

/** `"7f.3.json.gzip"`: the tag of an answer in a coding, of that of the answer as it is. */
export function codedTag(tag: string, { name }: Pick<Coding, 'name'>): string {
  return `${tag.slice(0, -1)}.${name}"`;
}

/** The value of a tag as it is without a coding, and the coding that it names. */
export function splitTag(value: string): { readonly plain: string; readonly coding: CodingName | undefined } {
  const found = SUFFIX.exec(value);
  return found
    ? { plain: value.slice(0, found.index), coding: found[1] as CodingName }
    : { plain: value, coding: undefined };
}

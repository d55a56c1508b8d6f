/**
 * The worker's side of a pass. It is told of the pass once, claims one chunk after the other from a counter that all
 * workers share, and answers with what it found when no chunk is left or it has to leave (turn.ts). A function on plain
 * data, which tests call without a thread.
 */
import fs from 'node:fs';
import type { SourceDescriptor } from '../descriptor.js';
import { invariant } from '../errors.js';
import type { Arena, KeptFile } from '../file/arena.js';
import { touchesPages } from '../file/page-table.js';
import { openSource } from '../file/sources.js';
import { gather } from '../layout/gather.js';
import {
  chunkAt,
  type ChunkTask,
  PartialBuffer,
  type Scan,
  scanChunks,
  type SinkSpec,
  type TileSource,
  turnsAreShort,
} from '../statistics/index.js';
import { claimChunk } from './unread.js';
import type { Workplace } from './tasks.js';
import { Turn, type Lane } from './turn.js';
import { type PackedPartials, packPartials } from './packed-partials.js';

export interface ScanTask {
  readonly specs: readonly SinkSpec[];
  readonly scan: Scan;
  /** The same for all tasks of one scan over the data, and for no other's. */
  readonly scanId: number;
  /** Shared: 1 as soon as nobody wants the answer any more. */
  readonly cancel: Int32Array;
  /** Chunks `[first, end)` of the scan, how many of them are claimed (shared), and how many this turn may claim. */
  readonly first: number;
  readonly end: number;
  readonly claimed: Int32Array;
  readonly chunksMax: number;
  /** The computation's datasets; undefined where these chunks read none of it. */
  readonly sources: readonly (SourceDescriptor | undefined)[];
  /** What writers have saved of each dataset (shared), and how much of that `sources` know. */
  readonly saves: readonly Int32Array[];
  readonly savesKnown: readonly number[];
  /** Where partials are put that have space in it (partialBytesOf), so that none is given memory of its own. */
  readonly buffer?: SharedArrayBuffer | undefined;
}

export interface ScanAnswer {
  /** The chunks that were read, ascending. */
  readonly chunks: readonly number[];
  /** So many of them, from the first on, were read before a writer saved anything that `sources` do not know. */
  readonly clean: number;
  /** Useful bytes that were read. */
  readonly bytes: number;
  /** What each sink found in each chunk; undefined where it is part of a later one's. */
  readonly found: readonly PackedPartials[];
}

export function runScan({ engine, arena, waiting }: Workplace, task: ScanTask, lane: Lane): ScanAnswer {
  const { specs, scan, first, end, claimed, chunksMax, cancel, saves, savesKnown, buffer } = task;
  const turn = new Turn(waiting, lane);
  const isShort = turnsAreShort(specs);
  const chunks: number[] = [];
  let clean = 0;
  let bytes = 0;
  // An exchange keeps its place behind the reads of the data; a load might go before them.
  const isUntouched = (): boolean => saves.every((count, i) => Atomics.add(count, 0, 0) === savesKnown[i]);
  function* claims(): Generator<ChunkTask, void> {
    while (chunks.length < chunksMax && Atomics.load(cancel, 0) === 0) {
      const number = claimChunk(claimed, first, end);
      if (number === undefined) return;
      const chunk = chunkAt(scan, number);
      yield chunk;
      const isClean = clean === chunks.length && isUntouched();
      chunks.push(number);
      bytes += chunk.bytes;
      if (isClean) clean++;
      if (turn.isOver(isShort || !isClean)) return;
    }
  }
  const sources = task.sources.map(source => tileSource(source, arena, task.scanId));
  const partials = scanChunks(engine, specs, claims(), sources, new PartialBuffer(buffer));
  const found = specs.map(({ kind }, i) => {
    const column = partials.map(each => each[i]);
    return packPartials(column, kind === 'reduce', buffer);
  });
  return { chunks, clean, bytes, found };
}

/** The end of a file that is mapped is looked at so often. */
const KEPT_CHECK_MS = 10;

function tileSource(descriptor: SourceDescriptor | undefined, arena: Arena | undefined, scanId: number): TileSource {
  const source = descriptor && openSource(descriptor);
  let kept: ReturnType<typeof keptFile>;
  let checkedMs = Number.NEGATIVE_INFINITY;
  const lookedAt = (): typeof kept => {
    const now = performance.now();
    if (now - checkedMs < KEPT_CHECK_MS) return kept;
    checkedMs = now;
    return (kept = descriptor && keptFile(descriptor));
  };
  return {
    read(view, itemsize, into) {
      invariant(source !== undefined, 'a task describes what its chunks read');
      gather(source, view, itemsize, into);
    },
    kept(start, end) {
      if (touchesPages(descriptor?.pages, start, end)) return undefined;
      const file = arena && lookedAt();
      return file && end <= file.bytes ? arena.find(file, start, end, scanId) : undefined;
    },
  };
}

/** Old bytes in the place of present ones are no file's; and whoever truncated one after all must not end us. */
function keptFile({ fd, keptAs, patches }: SourceDescriptor): (KeptFile & { readonly bytes: number }) | undefined {
  if (keptAs === undefined || patches) return undefined;
  return { fd, keptAs, bytes: fs.fstatSync(fd).size };
}

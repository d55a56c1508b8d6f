/** Private pages of a file, looked at by whoever reads it in this thread: which there are, and what stands in them. */
import type { PageTable } from '../descriptor.js';
import { PAGE_BYTES } from '../layout/boxes.js';
import type { ByteSource } from '../layout/gather.js';
import { LIMITS } from '../limits.js';
import { lowerBound } from '../lower-bound.js';

/** The memory of a slot. */
export function slotBytes(arenas: readonly Uint8Array[], slot: number): Uint8Array {
  const arena = arenas[Math.floor(slot / LIMITS.arenaPages)]!;
  const from = (slot % LIMITS.arenaPages) * PAGE_BYTES;
  return arena.subarray(from, from + PAGE_BYTES);
}

/** Whether any byte of `[start, end)` is private. */
export function touchesPages(table: PageTable | undefined, start: number, end: number): boolean {
  if (!table || start >= end) return false;
  const first = firstFrom(table, start);
  return first < table.numbers.length && table.numbers[first]! * PAGE_BYTES < end;
}

/** The private bytes of a page; undefined where it is the file's. */
export function pageOf(table: PageTable | undefined, number: number): Uint8Array | undefined {
  if (!table) return undefined;
  const at = lowerBound(table.numbers.length, i => table.numbers[i]! >= number);
  return table.numbers[at] === number ? slotBytes(table.arenas, table.slots[at]!) : undefined;
}

/** Puts what is private over bytes that were read from `start`. */
export function overlayPages(table: PageTable | undefined, start: number, into: Uint8Array): void {
  if (!table) return;
  const end = start + into.byteLength;
  for (let i = firstFrom(table, start); i < table.numbers.length; i++) {
    const pageStart = table.numbers[i]! * PAGE_BYTES;
    if (pageStart >= end) return;
    const from = Math.max(start, pageStart);
    const to = Math.min(end, pageStart + PAGE_BYTES);
    const bytes = slotBytes(table.arenas, table.slots[i]!);
    into.set(bytes.subarray(from - pageStart, to - pageStart), from - start);
  }
}

/** A source with what is private in its place; spans that hold some of it are made in a copy. */
export function pagedSource(source: ByteSource, positional: ByteSource, table: PageTable): ByteSource {
  return {
    span(start, length, usefulBytes) {
      if (!touchesPages(table, start, start + length)) return source.span(start, length, usefulBytes);
      const bytes = positional.span(start, length, usefulBytes);
      overlayPages(table, start, bytes);
      return bytes;
    },
    read(start, into) {
      source.read(start, into);
      overlayPages(table, start, into);
    },
  };
}

/** Index of the first page with bytes from a position on. */
function firstFrom({ numbers }: PageTable, position: number): number {
  const number = Math.floor(position / PAGE_BYTES);
  return lowerBound(numbers.length, i => numbers[i]! >= number);
}

/** The byte sources that a worker thread gathers from. Both report a file that became too short as `file_changed`. */
import type { Patch, SourceDescriptor, WindowDescriptor } from '../descriptor.js';
import { LIMITS } from '../limits.js';
import type { ByteSource } from '../layout/gather.js';
import { lowerBound } from '../lower-bound.js';
import { readFullySync } from './io.js';
import { joinedSource } from './part-source.js';
import { libc } from './libc.js';
import { pagesAround } from './mapping.js';
import { pagedSource } from './page-table.js';

/** One span of scratch memory per thread, for files that are not mapped. */
let scratch: Uint8Array | undefined;

/** Makes a described file readable in this thread. */
export function openSource(descriptor: SourceDescriptor): ByteSource {
  const { fd, windows, patches = [], pages, parts } = descriptor;
  const positional = parts ? joinedSource(parts) : positionalSource(fd);
  const source = windows.length > 0 && libc() ? mappedSource(descriptor) : positional;
  if (patches.length === 0) return pages ? pagedSource(source, positional, pages) : source;
  const patched = patchedSource(source, positional, patches);
  // Pages go over patches: what was overwritten in the file since is none of theirs.
  return pages ? pagedSource(patched, patchedSource(positional, positional, patches), pages) : patched;
}

/** A source in which earlier bytes stand in the place of present ones. */
function patchedSource(source: ByteSource, positional: ByteSource, patches: readonly Patch[]): ByteSource {
  return {
    span(start, length, usefulBytes) {
      if (firstPatchIn(patches, start, start + length) === undefined) return source.span(start, length, usefulBytes);
      // In a copy: a mapped span must not be changed.
      const bytes = positional.span(start, length, usefulBytes);
      overlay(patches, start, bytes);
      return bytes;
    },
    read(start, into) {
      source.read(start, into);
      overlay(patches, start, into);
    },
  };
}

/** Puts patches over bytes that were read from `start`. */
export function overlay(patches: readonly Patch[], start: number, into: Uint8Array): void {
  const end = start + into.byteLength;
  for (let i = firstPatchIn(patches, start, end); i !== undefined && i < patches.length; i++) {
    const patch = patches[i]!;
    if (patch.start >= end) return;
    const from = Math.max(start, patch.start);
    const to = Math.min(end, patch.start + patch.bytes.byteLength);
    into.set(patch.bytes.subarray(from - patch.start, to - patch.start), from - start);
  }
}

/** Index of the first patch with bytes in `[start, end)`. */
function firstPatchIn(patches: readonly Patch[], start: number, end: number): number | undefined {
  const first = lowerBound(patches.length, i => patches[i]!.start + patches[i]!.bytes.byteLength > start);
  return first < patches.length && patches[first]!.start < end ? first : undefined;
}

export function positionalSource(fd: number): ByteSource {
  return {
    span(start, length) {
      scratch ??= new Uint8Array(LIMITS.spanBytesMax);
      const bytes = scratch.subarray(0, length);
      readFullySync(fd, bytes, start);
      return bytes;
    },
    read: (start, into) => readFullySync(fd, into, start),
  };
}

/** Views of windows, by address and length: making one takes a hundred microseconds. Looked at only while lent. */
const knownViews = new Map<string, Uint8Array>();
const KNOWN_VIEWS_MAX = 64;

function viewOf({ address, length }: WindowDescriptor): Uint8Array {
  const key = `${address}:${length}`;
  let view = knownViews.get(key);
  if (!view) {
    if (knownViews.size >= KNOWN_VIEWS_MAX) knownViews.clear();
    view = new Uint8Array(libc()!.view(address, length));
    knownViews.set(key, view);
  }
  return view;
}

/**
 * From this share of useful bytes on, a span is copied by a positional read: the copy costs little beside the gather,
 * and a file that is truncated meanwhile is an error instead of a signal. Sparser spans are touched in place, for the
 * microseconds that their few elements take.
 */
const DENSE_SHARE = 1 / 8;

function mappedSource({ fd, windows, residencyTrusted }: SourceDescriptor): ByteSource {
  const c = libc()!;
  const positional = positionalSource(fd);
  const views = windows.map(window => ({ ...window, bytes: window.bytes ?? viewOf(window) }));
  return {
    span(start, length, usefulBytes) {
      if (usefulBytes >= length * DENSE_SHARE) return positional.span(start, length, usefulBytes);
      const window = views.find(each => start >= each.start && start + length <= each.start + each.length);
      if (!window) throw new Error('a span lies outside the windows that were lent');
      const from = start - window.start;
      const pages = pagesAround(window.address + from, length);
      // Asking is twenty times cheaper than populating what is there. Pages that a truncation took away are not there,
      // and populating them is the error that a touch would turn into a signal; a read tells the client.
      const ready =
        (residencyTrusted && c.isResident(pages.first, pages.bytes)) || c.populateRead(pages.first, pages.bytes);
      return ready ? window.bytes.subarray(from, from + length) : positional.span(start, length, usefulBytes);
    },
    read: (start, into) => positional.read(start, into),
  };
}

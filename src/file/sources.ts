/** The byte sources that a worker thread gathers from. Both report a file that became too short as `file_changed`. */
import type { SourceDescriptor, WindowDescriptor } from '../descriptor.js';
import { LIMITS } from '../limits.js';
import type { ByteSource } from '../layout/gather.js';
import { failTruncated, readFullySync } from './io.js';
import { libc } from './libc.js';
import { pagesAround } from './mapping.js';

/** One span of scratch memory per thread, for files that are not mapped. */
let scratch: Uint8Array | undefined;

/** Makes a described file readable in this thread. */
export function openSource(descriptor: SourceDescriptor): ByteSource {
  return descriptor.windows.length > 0 && libc() ? mappedSource(descriptor) : positionalSource(descriptor.fd);
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

function mappedSource({ fd, windows }: SourceDescriptor): ByteSource {
  const c = libc()!;
  const views = windows.map(window => ({ ...window, bytes: viewOf(window) }));
  return {
    span(start, length) {
      const window = views.find(each => start >= each.start && start + length <= each.start + each.length);
      if (!window) throw new Error('a span lies outside the windows that were lent');
      const from = start - window.start;
      const pages = pagesAround(window.address + from, length);
      // An error here is what a touch of a vanished page would turn into a signal.
      if (!c.populateRead(pages.first, pages.bytes)) failTruncated();
      return window.bytes.subarray(from, from + length);
    },
    read: (start, into) => readFullySync(fd, into, start),
  };
}

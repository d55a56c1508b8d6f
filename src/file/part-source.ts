/**
 * Several files read as one, in a worker: each is opened when its bytes are wanted, and a few are kept open for what comes
 * next, so that thousands of files need a handful of descriptors.
 * Hazard: a path may lead to another file by now; what was opened is compared with what the table says.
 */
import fs from 'node:fs';
import type { PartList, PartRow, PartTable } from '../descriptor.js';
import { fail, HyperslabError, systemErrorCode } from '../errors.js';
import type { ByteSource } from '../layout/source.js';
import { partAt, readPart, rowBytesOf } from '../layout/part-views.js';
import { LIMITS } from '../limits.js';
import { readFullySync } from './io.js';
import { ofPart } from './refusals.js';
import { isShortage } from './descriptors.js';

/** Of this thread. */
const KEPT_TABLES = 4;
const KEPT_FILES = 3;
/** A file that nobody wants any more is not held for longer. */
const KEPT_MS = 1000;

const tables = new Map<number, PartList>();

function listOf({ id, json }: PartTable): PartList {
  let list = tables.get(id);
  if (!list) {
    if (tables.size >= KEPT_TABLES) tables.delete(tables.keys().next().value!);
    list = JSON.parse(Buffer.from(json.buffer, json.byteOffset, json.byteLength).toString()) as PartList;
    tables.set(id, list);
  }
  return list;
}

interface KeptFile {
  readonly fd: number;
  usedMs: number;
}

const files = new Map<string, KeptFile>();
let sweeping: NodeJS.Timeout | undefined;

function closeUnused(): void {
  const now = performance.now();
  for (const [key, { fd, usedMs }] of files) {
    if (now - usedMs < KEPT_MS) continue;
    files.delete(key);
    fs.closeSync(fd);
  }
  sweeping = files.size > 0 ? setTimeout(closeUnused, KEPT_MS).unref() : undefined;
}

function closeOldest(): void {
  const [oldest] = files;
  if (!oldest) return;
  files.delete(oldest[0]);
  fs.closeSync(oldest[1].fd);
}

/** @throws file_changed */
function descriptorOf(part: PartRow): number {
  const { fault } = part;
  if (fault) fail(fault.code as 'file_changed', fault.detail, { part: part.name, reason: fault.reason });
  const key = `${part.device}:${part.inode}:${part.path}`;
  const kept = files.get(key);
  if (kept) {
    // The one that was used last comes last.
    files.delete(key);
    files.set(key, kept);
    kept.usedMs = performance.now();
    return kept.fd;
  }
  while (files.size >= KEPT_FILES) closeOldest();
  const fd = openPart(part);
  files.set(key, { fd, usedMs: performance.now() });
  sweeping ??= setTimeout(closeUnused, KEPT_MS).unref();
  return fd;
}

function openPart(part: PartRow): number {
  const { O_RDONLY, O_NONBLOCK, O_NOFOLLOW } = fs.constants;
  let fd: number;
  try {
    fd = fs.openSync(part.path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
  } catch (error) {
    if (isShortage(error)) throw error;
    if (systemErrorCode(error) === 'ENOENT') failPart(part, 'deleted', 'The file is gone. Put it back.');
    return failPart(part, 'replaced', 'Another thing stands in its place. Repeat the request.');
  }
  const { dev, ino } = fs.fstatSync(fd);
  if (dev === part.device && ino === part.inode) return fd;
  fs.closeSync(fd);
  return failPart(part, 'replaced', 'Another file took its place while it was read. Repeat the request.');
}

function failPart(part: PartRow, reason: string, detail: string): never {
  throw ofPart(new HyperslabError('file_changed', detail, { reason }), part.name);
}

let scratch: Uint8Array | undefined;

/** The bytes of the whole. */
export function joinedSource(table: PartTable): ByteSource {
  const list = listOf(table);
  const read = (start: number, into: Uint8Array): void => readJoined(list, start, into);
  return {
    span(start, length) {
      scratch ??= new Uint8Array(LIMITS.spanBytesMax);
      const bytes = scratch.subarray(0, length);
      read(start, bytes);
      return bytes;
    },
    read,
  };
}

function readJoined(list: PartList, start: number, into: Uint8Array): void {
  const rowBytes = rowBytesOf(list);
  for (let done = 0; done < into.byteLength;) {
    const part = list.parts[partAt(list.parts, start + done)]!;
    const from = start + done - part.start;
    const bytes = into.subarray(done, done + Math.min(into.byteLength - done, part.rows * rowBytes - from));
    const fd = descriptorOf(part);
    const source: ByteSource = {
      read: (at, target) => readFullySync(fd, target, at),
      span(at, length) {
        ordered ??= new Uint8Array(LIMITS.spanBytesMax);
        const span = ordered.subarray(0, length);
        readFullySync(fd, span, at);
        return span;
      },
    };
    try {
      readPart(source, list, part, from, bytes);
    } catch (error) {
      throw ofPart(error, part.name);
    }
    done += bytes.byteLength;
  }
}

/** For files of another order than C, whose elements are gathered. */
let ordered: Uint8Array | undefined;

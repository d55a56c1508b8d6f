import { randomBytes } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import t from 'tap';
import { PreImages, preImageBytes, type OldBytes } from '../../src/file/pre-images.js';
import type { Snapshot } from '../../src/file/snapshot.js';
import { overlay } from '../../src/file/sources.js';
import { PieceCursor } from '../../src/layout/pieces.js';
import { extentOf, packedView, type View } from '../../src/layout/view.js';
import { LIMITS } from '../../src/limits.js';
import { seededRandom, type Random } from '../helpers/random.js';
import { offsetsOf, packedBytes, randomView } from '../layout/model.js';

const IDENTITY = { dev: 1n, ino: 2n };

/** A file in memory that writers overwrite and readers read in pieces. */
class MemoryFile implements OldBytes {
  readonly identity = IDENTITY;
  readonly bytes: Buffer;
  readBytes = 0;

  constructor(length: number) {
    this.bytes = randomBytes(length);
  }

  async read(start: number, into: Uint8Array): Promise<void> {
    if (start < 0 || start + into.byteLength > this.bytes.byteLength) throw new Error('outside the file');
    this.readBytes += into.byteLength;
    into.set(this.bytes.subarray(start, start + into.byteLength));
  }

  /** As a writer does: first the old bytes are kept, then every element is written. */
  async write(preImages: PreImages, target: View, itemsize: number): Promise<void> {
    await preImages.keep(this, target, itemsize);
    for (const offset of offsetsOf(target)) randomBytes(itemsize).copy(this.bytes, offset);
  }
}

/** One answer on its way, and the file as it was when it was opened. */
interface Reader {
  readonly view: View;
  readonly itemsize: number;
  readonly before: Buffer;
  readonly cursor: PieceCursor;
  readonly snapshot: Snapshot;
}

function openReader(preImages: PreImages, file: MemoryFile, view: View, itemsize: number): Reader {
  const cursor = new PieceCursor(view, itemsize);
  const snapshot = preImages.open(IDENTITY, cursor.remaining());
  return { view, itemsize, before: Buffer.from(file.bytes), cursor, snapshot };
}

/** Reads the next piece; false after the last. @throws when it holds a byte of a later write */
function readPiece({ cursor, itemsize, snapshot, before }: Reader, file: MemoryFile, bytesMax: number): boolean {
  const piece = cursor.next(bytesMax);
  if (!piece) return false;
  const { start, end } = extentOf(piece, itemsize);
  const seen = Buffer.from(file.bytes);
  overlay(snapshot.patches({ start, end }), 0, seen);
  if (!packedBytes(seen, piece, itemsize).equals(packedBytes(before, piece, itemsize))) {
    throw new Error(`a piece is not of its generation: ${JSON.stringify(piece)}`);
  }
  snapshot.shrink(cursor.remaining());
  return true;
}

function randomTarget(random: Random): { view: View; itemsize: number; fileBytes: number } {
  const itemsize = random.pick([1, 2, 4, 8]);
  return { ...randomView(random, itemsize), itemsize };
}

t.test('250 random histories: every piece of every reader is of the moment its answer was opened', async t => {
  const random = seededRandom(51);
  let patched = 0;
  for (let round = 0; round < 250; round++) {
    const targets = Array.from({ length: 5 }, () => randomTarget(random));
    const file = new MemoryFile(Math.max(...targets.map(({ fileBytes }) => fileBytes)));
    const preImages = new PreImages({ gapBytesMax: random.pick([0, 3, 50, 5000]) });
    let readers: Reader[] = [];
    for (let step = 0; step < 40; step++) {
      const { view, itemsize } = random.pick(targets);
      const chance = random.next();
      if (chance < 0.2) readers.push(openReader(preImages, file, view, itemsize));
      // oxlint-disable-next-line no-await-in-loop
      else if (chance < 0.5) await file.write(preImages, view, itemsize);
      else readers = readers.filter(reader => isReadOn(reader, file));
    }
    patched += preImages.heldBytes;
    for (const reader of readers) while (isReadOn(reader, file));
    t.equal(preImages.heldBytes, 0, 'nothing is kept for nobody');
    t.ok(preImages.isIdle);
  }
  t.ok(patched > 0, 'old bytes were needed');
  t.equal(preImageBytes(), 0);

  function isReadOn(reader: Reader, file: MemoryFile): boolean {
    if (readPiece(reader, file, random.integer(1, 300))) return true;
    reader.snapshot.close();
    return false;
  }
});

t.test('what is overwritten a hundred times for one reader is kept once', async t => {
  const preImages = new PreImages();
  const file = new MemoryFile(100_000);
  const view = packedView([25_000], 4, 'C', 0);
  const reader = openReader(preImages, file, view, 4);
  for (let i = 0; i < 100; i++) {
    // oxlint-disable-next-line no-await-in-loop
    await preImages.keep(file, view, 4);
    file.bytes.fill(i);
  }
  t.equal(file.readBytes, 100_000);
  t.equal(preImages.heldBytes, 100_000);
  while (readPiece(reader, file, 9000));
  t.equal(preImages.heldBytes, 0, 'and let go of as the reader proceeds');
  reader.snapshot.close();
});

t.test('a writer elsewhere in the file, or of another file in its place, keeps nothing', async t => {
  const preImages = new PreImages();
  const file = new MemoryFile(100_000);
  const reader = openReader(preImages, file, packedView([1000], 4, 'C', 0), 4);
  await preImages.keep(file, packedView([1000], 4, 'C', 4000), 4);
  t.equal(file.readBytes, 0);
  const other = { identity: { dev: 1n, ino: 3n }, read: (): never => t.fail('is not read') as never };
  await preImages.keep(other, reader.view, 4);
  t.equal(preImages.heldBytes, 0);
  reader.snapshot.close();
});

t.test('past the bound the oldest reader is cut, and only as many as it takes', async t => {
  const preImages = new PreImages({ bytesMax: 10_000, rangesMax: 100 });
  const file = new MemoryFile(20_000);
  const block = (start: number, bytes: number): View => packedView([bytes], 1, 'C', start);
  const elsewhere = openReader(preImages, file, block(18_000, 100), 1);
  const readers: Reader[] = [];
  for (let i = 0; i < 3; i++) {
    readers.push(openReader(preImages, file, block(0, 6000), 1));
    // oxlint-disable-next-line no-await-in-loop
    await file.write(preImages, block(0, 4000), 1);
  }
  t.strictSame(
    readers.map(({ snapshot }) => snapshot.isCut),
    [true, false, false],
  );
  t.notOk(elsewhere.snapshot.isCut, 'one that holds nothing up is left alone');
  t.equal(preImages.heldBytes, 8000);
  for (const reader of readers.slice(1)) while (readPiece(reader, file, 1000));
  t.equal(preImages.heldBytes, 0);
  let cuts = 0;
  const last = openReader(preImages, file, block(0, 20_000), 1);
  last.snapshot.onCut(() => cuts++);
  await file.write(preImages, block(0, 10_001), 1);
  t.ok(last.snapshot.isCut, 'a write that alone is too large to keep');
  t.equal(cuts, 1, 'is told to the reader');
  last.snapshot.onCut(() => cuts++);
  t.equal(cuts, 2, 'also to one that asks later');
  t.equal(preImages.heldBytes, 0);
});

t.test('the bound of all files together cuts the oldest reader wherever it stands', async t => {
  const bytes = LIMITS.preImageBytesMax;
  const view = packedView([bytes], 1, 'C', 0);
  const zeros: OldBytes = { identity: IDENTITY, read: async () => {} };
  const files = [new PreImages(), new PreImages(), new PreImages()];
  const snapshots = files.map(preImages => preImages.open(IDENTITY, extentOf(view, 1)));
  for (const preImages of files) {
    // oxlint-disable-next-line no-await-in-loop
    await preImages.keep(zeros, view, 1);
  }
  t.strictSame(
    snapshots.map(({ isCut }) => isCut),
    [true, false, false],
  );
  t.equal(preImageBytes(), 2 * bytes);
  for (const snapshot of snapshots) snapshot.close();
  t.equal(preImageBytes(), 0);
});

t.test('writes that are saved at the same time share the bound', async t => {
  const bytesMax = 10_000;
  const preImages = new PreImages({ bytesMax });
  const file = new MemoryFile(20_000);
  let most = 0;
  const slow: OldBytes = {
    identity: IDENTITY,
    async read(start, into) {
      most = Math.max(most, preImages.heldBytes);
      await nextTurn();
      await file.read(start, into);
    },
  };
  const halves = [0, 10_000].map(start => packedView([6000], 1, 'C', start));
  const readers = halves.map(view => openReader(preImages, file, view, 1));
  await Promise.all(halves.map(view => preImages.keep(slow, view, 1)));
  t.ok(most <= bytesMax, `${most} bytes at most`);
  const kept = readers.filter(({ snapshot }) => !snapshot.isCut);
  t.equal(kept.length, 1);
  while (readPiece(kept[0]!, file, 1000));
  kept[0]!.snapshot.close();
  t.equal(preImages.heldBytes, 0);
});

t.test('a reader for whom too many scattered ranges would be kept is cut', async t => {
  const preImages = new PreImages({ bytesMax: 1000, rangesMax: 3 });
  const file = new MemoryFile(100_000);
  const reader = openReader(preImages, file, packedView([100_000], 1, 'C', 0), 1);
  for (const start of [9, 90_000, 50_000]) {
    // oxlint-disable-next-line no-await-in-loop
    await file.write(preImages, packedView([1], 1, 'C', start), 1);
  }
  t.notOk(reader.snapshot.isCut);
  await file.write(preImages, packedView([1], 1, 'C', 70_000), 1);
  t.ok(reader.snapshot.isCut);
  t.equal(preImages.heldBytes, 0);
});

t.test('old bytes that cannot be read cut the readers that need them, and not the write', async t => {
  const preImages = new PreImages();
  const file = new MemoryFile(1000);
  const needs = openReader(preImages, file, packedView([1000], 1, 'C', 0), 1);
  const needsNot = openReader(preImages, file, packedView([100], 1, 'C', 0), 1);
  const broken: OldBytes = { identity: IDENTITY, read: () => Promise.reject(new Error('EIO')) };
  await preImages.keep(broken, packedView([500], 1, 'C', 500), 1);
  t.ok(needs.snapshot.isCut);
  t.notOk(needsNot.snapshot.isCut);
  preImages.cutAll();
  t.ok(needsNot.snapshot.isCut);
  t.ok(preImages.isIdle);
});

/**
 * A journal of three records, damaged in every way that one byte or one cut can: what comes of it is always the array
 * after the first 0, 1, 2 or 3 records, or a refusal that has changed nothing.
 */
import fs from 'node:fs';
import path from 'node:path';
import t, { type Test } from 'tap';
import { isErrorCode } from '../../../src/errors.js';
import type { Change } from '../../../src/file/change.js';
import { RECORDS_START } from '../../../src/file/journal/format.js';
import { Journal } from '../../../src/file/journal/journal.js';
import { recoverJournal } from '../../../src/file/journal/recovery.js';
import { caseCount, caseStride } from '../../helpers/cases.js';
import { temporaryFolder } from '../../helpers/server.js';

// Thousands of recoveries, each with its syncs: in memory where that is possible.
const folder = fs.existsSync('/dev/shm') ? fs.mkdtempSync('/dev/shm/hyperslab-test-') : temporaryFolder();
t.teardown(() => fs.rmSync(folder, { recursive: true }));
const journalPath = path.join(folder, 'a.journal');
const arrayPath = path.join(folder, 'array.raw');
const FILE_ID = '0123456789abcdef';
const ARRAY_BYTES = 64;

/** One run, a column, and two overlapping fills: every way that a record can describe a change. */
const RECORDS: readonly (readonly Change[])[] = [
  [filled([16], [1], 0, 0x11)],
  [{ ...filled([4], [16], 3, 0), source: view([4], [1], 0), bytes: Uint8Array.of(0x21, 0x22, 0x23, 0x24) }],
  [filled([32], [1], 8, 0x31), filled([8, 2], [4, 1], 30, 0x32)],
];

function view(shape: number[], strides: number[], offset: number): Change['target'] {
  return { shape, strides, offset };
}

/** One byte, everywhere. */
function filled(shape: number[], strides: number[], offset: number, byte: number): Change {
  const source = view(
    shape,
    shape.map(() => 0),
    0,
  );
  return { target: view(shape, strides, offset), itemsize: 1, source, bytes: Uint8Array.of(byte) };
}

/** The array after each number of records, made without any of the code under test. */
function statesOf(): Buffer[] {
  const states = [Buffer.alloc(ARRAY_BYTES)];
  const next = (change: (array: Buffer) => void): void => {
    const array = Buffer.from(states.at(-1)!);
    change(array);
    states.push(array);
  };
  next(array => array.fill(0x11, 0, 16));
  next(array => [3, 19, 35, 51].forEach((at, i) => (array[at] = 0x21 + i)));
  next(array => {
    array.fill(0x31, 8, 40);
    for (let row = 0; row < 8; row++) array.fill(0x32, 30 + 4 * row, 32 + 4 * row);
  });
  return states;
}

const STRIDE = caseStride(5);

const STATES = statesOf();

interface Made {
  readonly bytes: Buffer;
  /** Where each record begins, and the last one ends. */
  readonly bounds: readonly number[];
}

/** A journal with the three records. */
async function makeJournal(syncs: 'each' | 'together', room: 'plain' | 'preallocated'): Promise<Made> {
  const journal = await Journal.create(journalPath, FILE_ID, 7n);
  const bounds = [RECORDS_START];
  for (const record of RECORDS) {
    await journal.append([record]);
    if (syncs === 'each') await journal.sync();
    bounds.push(RECORDS_START + journal.liveBytes);
  }
  await journal.sync();
  await journal.close();
  const bytes = fs.readFileSync(journalPath);
  return { bytes: room === 'plain' ? bytes.subarray(0, bounds.at(-1)) : bytes, bounds };
}

/** How many records a recovery applied, or that it refused. @throws when the array is none of the states */
async function recover(bytes: Uint8Array): Promise<number | 'quarantined'> {
  fs.writeFileSync(journalPath, bytes);
  fs.writeFileSync(arrayPath, STATES[0]!);
  const fd = fs.openSync(arrayPath, 'r+');
  let outcome: 'recovered' | 'quarantined' = 'recovered';
  try {
    const file = { fileId: FILE_ID, fd, bytes: ARRAY_BYTES, ino: 7n, isOurs: false };
    const { journal } = await recoverJournal(journalPath, file);
    if (journal.isEmpty === journal.isRecovered) throw new Error('what was recovered is not kept');
    await journal.close();
  } catch (error) {
    if (!isErrorCode(error, 'quarantined')) throw error;
    outcome = 'quarantined';
  } finally {
    fs.closeSync(fd);
  }
  const array = fs.readFileSync(arrayPath);
  const applied = STATES.findIndex(state => state.equals(array));
  if (applied === -1) throw new Error('the array is a mixture');
  if (outcome === 'recovered') return applied;
  if (applied > 0) throw new Error('a quarantined array was changed');
  return 'quarantined';
}

/** Runs damages and returns what came of each, by the part of the journal that was hit. */
async function tally(
  t: Test,
  { bytes, bounds }: Made,
  damage: (at: number) => Uint8Array,
): Promise<Record<string, Set<number | 'quarantined'>>> {
  const found: Record<string, Set<number | 'quarantined'>> = {};
  for (let at = 0; at < bytes.byteLength; at++) {
    // Bytes that are never read: one in thirty-two will do.
    const isUnused = (at >= 512 && at < RECORDS_START) || at >= bounds.at(-1)!;
    if (at % (isUnused ? 32 : STRIDE) > 0 && !bounds.includes(at)) continue;
    const part =
      at < 88 ? 'header' : at < RECORDS_START ? 'unused' : `record ${bounds.findLastIndex(start => at >= start)}`;
    try {
      (found[part] ??= new Set()).add(await recover(damage(at)));
    } catch (error) {
      t.fail(`byte ${at}: ${String(error)}`);
    }
  }
  return found;
}

for (const room of ['plain', 'preallocated'] as const) {
  t.test(`a whole journal is applied whole (${room})`, async t => {
    const { bytes, bounds } = await makeJournal('each', room);
    t.equal(bytes.byteLength > bounds.at(-1)!, room === 'preallocated');
    t.equal(await recover(bytes), 3);
  });

  t.test(`every flipped byte leaves a prefix or a refusal (${room})`, { timeout: 240_000 }, async t => {
    const made = await makeJournal('each', room);
    for (const mask of [0x01, 0xff, 0x80].slice(0, caseCount(1, 3))) {
      const found = await tally(t, made, at => {
        const damaged = Buffer.from(made.bytes);
        damaged[at]! ^= mask;
        return damaged;
      });
      t.strictSame(found['header'], new Set(['quarantined']), 'a damaged header');
      t.strictSame(found['unused'], new Set([3]), 'bytes that mean nothing');
      t.strictSame(found['record 0'], new Set(['quarantined']), 'a later record says that it was on disk');
      t.strictSame(found['record 1'], new Set(['quarantined']), 'the same');
      t.strictSame(found['record 2'], new Set([2]), 'the last is taken for a torn tail');
      if (room === 'preallocated') t.strictSame(found['record 3'], new Set([3]), 'room behind the records');
    }
  });

  t.test(`every truncation leaves a prefix or a refusal (${room})`, { timeout: 240_000 }, async t => {
    const made = await makeJournal('each', room);
    const found = await tally(t, made, at => made.bytes.subarray(0, at));
    t.strictSame(found['header'], new Set(['quarantined']));
    t.strictSame(found['unused'], new Set(['quarantined']));
    // Cut at its first byte or later, a record is not there; those before it are.
    t.strictSame(found['record 0'], new Set([0]));
    t.strictSame(found['record 1'], new Set([1]));
    t.strictSame(found['record 2'], new Set([2]));
    if (room === 'preallocated') t.strictSame(found['record 3'], new Set([3]));
  });

  t.test(`records of one sync that was cut are applied up to the first bad one (${room})`, async t => {
    const made = await makeJournal('together', room);
    const found = await tally(t, made, at => {
      const damaged = Buffer.from(made.bytes);
      damaged[at]! ^= 0xff;
      return damaged;
    });
    t.strictSame(found['record 0'], new Set([0]));
    t.strictSame(found['record 1'], new Set([1]));
    t.strictSame(found['record 2'], new Set([2]));
  });
}

t.test(
  'records stay until the file is on disk: the next recovery finds them, and nothing is appended behind',
  async t => {
    const { bytes, bounds } = await makeJournal('together', 'preallocated');
    // The second record is torn, and a third one of the same sync stands whole behind it.
    const torn = Buffer.from(bytes);
    torn[bounds[2]! - 1]! ^= 0xff;
    t.equal(await recover(torn), 1);
    t.equal(fs.statSync(journalPath).size, bounds[1], 'what follows the last whole record is gone');
    t.equal(await recover(fs.readFileSync(journalPath)), 1);
    fs.writeFileSync(journalPath, torn);
    const fd = fs.openSync(arrayPath, 'r+');
    t.teardown(() => fs.closeSync(fd));
    const file = { fileId: FILE_ID, fd, bytes: ARRAY_BYTES, ino: 7n, isOurs: false };
    const { journal } = await recoverJournal(journalPath, file);
    t.ok(journal.isRecovered && journal.replayBytes > 0);
    await t.rejects(journal.append([[filled([16], [1], 0, 0x11)]]), /behind what was recovered/);
    await journal.reset(7n, 'give back');
    t.ok(journal.isEmpty && !journal.isRecovered);
    await journal.append([[filled([16], [1], 0, 0x11)]]);
    await journal.close();
  },
);

t.test('records of an older epoch, of another file or for another inode are never applied', async t => {
  const { bytes, bounds } = await makeJournal('each', 'preallocated');
  const journal = new Uint8Array(bytes);
  fs.writeFileSync(journalPath, journal);
  const fd = fs.openSync(arrayPath, 'r+');
  t.teardown(() => fs.closeSync(fd));
  const file = { fileId: FILE_ID, fd, bytes: ARRAY_BYTES, ino: 7n, isOurs: false };
  await t.rejects(recoverJournal(journalPath, { ...file, fileId: 'fedcba9876543210' }), { code: 'quarantined' });
  await t.rejects(recoverJournal(journalPath, { ...file, ino: 8n }), { code: 'quarantined' });
  await t.rejects(recoverJournal(journalPath, { ...file, bytes: 10 }), { code: 'file_changed' });
  const { journal: again, replayedRecords } = await recoverJournal(journalPath, { ...file, ino: 8n, isOurs: true });
  t.equal(replayedRecords, 3, 'a file that the service made may have been copied');
  await again.close();

  // A header of a new epoch in front of the records of the old one, as after a reset that keeps the room.
  const reset = await Journal.create(journalPath, FILE_ID, 7n);
  await reset.close();
  const header = fs.readFileSync(journalPath);
  t.equal(await recover(Buffer.concat([header, bytes.subarray(RECORDS_START, bounds.at(-1))])), 0);
});

t.test('records that make no sense are refused, however right their checksums are', async t => {
  const good = filled([16], [1], 0, 0x11);
  for (const [title, change] of Object.entries<Change>({
    'many elements in one place': { ...good, target: view([1_000_000], [0], 0) },
    'a place before the file': { ...good, target: view([16], [1], -8) },
    'a place before the file, by strides': { ...good, target: view([16], [-1], 8) },
    'half a byte': { ...good, target: view([16], [1], 0.5) },
    'a negative length': { ...good, target: view([-16], [1], 0) },
    'bytes behind the payload': { ...good, source: view([16], [1], 0) },
    'bytes before the payload': { ...good, source: view([16], [0], -1) },
    'no item': { ...good, itemsize: 0 },
    'no number': { ...good, target: view([16], [Number.NaN], 0) },
    'too many axes': {
      ...good,
      target: view(
        Array.from({ length: 65 }, () => 1),
        Array.from({ length: 65 }, () => 1),
        0,
      ),
    },
  })) {
    const journal = await Journal.create(journalPath, FILE_ID, 7n);
    await journal.append([[RECORDS[0]![0]!], [change]]);
    await journal.sync();
    await journal.close();
    t.equal(await recover(fs.readFileSync(journalPath)), 'quarantined', title);
  }
});

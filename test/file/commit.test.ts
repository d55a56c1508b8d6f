/** Commits that come together share a sync and keep their order; what bypasses the journal finds it empty. */
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { flushFile } from '../../src/file/checkpoint.js';
import { applyTo, type Change } from '../../src/file/change.js';
import { commitChanges, type Applier } from '../../src/file/commit.js';
import { Generations } from '../../src/file/generations.js';
import { holdSpace } from '../../src/file/hold-space.js';
import { LIMITS } from '../../src/limits.js';
import { writeThrough } from '../../src/file/write-through.js';
import { newFileTable } from '../helpers/file-table.js';
import { temporaryFolder } from '../helpers/server.js';

const FILE_BYTES = 4096;

const applier: Applier = {
  async apply({ fd }, change) {
    applyTo(fd, change);
  },
  async hold({ fd }, { target, itemsize }) {
    holdSpace(fd, target, itemsize);
  },
};

async function newFile(t: Test) {
  const folder = temporaryFolder();
  const realPath = path.join(folder, 'file.raw');
  fs.writeFileSync(realPath, Buffer.alloc(FILE_BYTES));
  const table = newFileTable(folder);
  t.teardown(async () => {
    await table.close();
    fs.rmSync(folder, { recursive: true });
  });
  const reference = { fileId: 'f', realPath, writable: true, registration: { isForgotten: false } };
  const file = await table.open(reference);
  const commit = async (
    change: Change,
    precondition: (generation: number) => void = () => undefined,
  ): Promise<number> => commitChanges(file, table, { changes: [change], precondition, applier });
  return { folder, realPath, table, reference, file, commit };
}

/** `length` bytes of one value from `offset` on. */
function fill(offset: number, length: number, value: number): Change {
  return {
    target: { shape: [length], strides: [1], offset },
    itemsize: 1,
    source: { shape: [length], strides: [0], offset: 0 },
    bytes: Uint8Array.of(value),
  };
}

t.test('writers that wait together share a sync, and each gets a generation of its own', async t => {
  const { table, commit } = await newFile(t);
  const { counts } = table.journals;
  const generations = await Promise.all(Array.from({ length: 100 }, (_, i) => commit(fill(i, 1, i))));
  t.strictSame(
    generations,
    Array.from({ length: 100 }, (_, i) => i + 2),
  );
  t.equal(counts.records, 100);
  t.ok(counts.syncs <= 3, `${counts.syncs} syncs`);
});

t.test('commits of one batch that touch the same bytes are applied in the order of asking', async t => {
  const { realPath, commit } = await newFile(t);
  await Promise.all(Array.from({ length: 60 }, (_, i) => commit(fill(i % 7, 100, i + 1))));
  const found = fs.readFileSync(realPath);
  const expected = Buffer.alloc(FILE_BYTES);
  for (let i = 0; i < 60; i++) expected.fill(i + 1, i % 7, (i % 7) + 100);
  t.ok(found.equals(expected));
});

t.test('a commit of a batch is refused at the generation that those before it make, and moves none', async t => {
  const { commit } = await newFile(t);
  const seen: number[] = [];
  const refuse = (generation: number): void => {
    seen.push(generation);
    throw new Error('refused');
  };
  const outcomes = await Promise.allSettled([
    commit(fill(0, 1, 1)),
    commit(fill(0, 1, 2), refuse),
    commit(fill(0, 1, 3), generation => void seen.push(generation)),
    commit(fill(0, 1, 4), refuse),
    commit(fill(0, 1, 5)),
  ]);
  t.strictSame(seen, [2, 2, 3]);
  t.strictSame(
    outcomes.map(each => (each.status === 'fulfilled' ? each.value : 'refused')),
    [2, 'refused', 3, 'refused', 4],
  );
});

t.test('what bypasses the journal finds it empty; a flush and a stop leave it so', async t => {
  const { folder, table, file, commit } = await newFile(t);
  await commit(fill(0, 10, 1));
  t.equal(file.state.journal?.isEmpty, false);
  await writeThrough(file, table, { precondition: () => undefined }, async () => {
    t.equal(file.state.journal?.isEmpty, true, 'while a write without a journal is applied');
  });
  await commit(fill(0, 10, 2));
  await flushFile(file, table.journals);
  t.equal(file.state.journal?.isEmpty, true, 'after a flush');
  await commit(fill(0, 10, 3));
  await table.withFileToItself('f', async () => t.equal(file.state.journal?.isEmpty, true, 'while it is exchanged'));
  await commit(fill(0, 10, 4));
  await table.close();
  t.strictSame(
    fs.readdirSync(folder).filter(name => name.endsWith('.journal')),
    [],
  );
});

t.test('a commit does not make a file long again that was cut, nor write one that was replaced', async t => {
  const { realPath, table, reference, file, commit } = await newFile(t);
  await commit(fill(0, 10, 1));
  fs.truncateSync(realPath, 100);
  await t.rejects(commit(fill(200, 10, 2)), { code: 'file_changed', values: { reason: 'truncated' } });
  t.equal(fs.statSync(realPath).size, 100);
  t.equal(await commit(fill(90, 10, 2)), 4, 'what is left of it can be written, above what was done to it');
  fs.writeFileSync(`${realPath}.new`, Buffer.alloc(FILE_BYTES));
  fs.renameSync(`${realPath}.new`, realPath);
  table.drop('f');
  await t.rejects(commit(fill(0, 10, 3)), { code: 'file_changed', values: { reason: 'replaced' } });
  const replaced = await table.open(reference);
  t.not(replaced, file);
  const change = { changes: [fill(0, 10, 4)], precondition: () => undefined, applier };
  await commitChanges(replaced, table, change);
  t.equal(fs.readFileSync(realPath)[0], 4);
});

t.test('fills that are a few bytes in the journal are many in a replay, and empty it in time', async t => {
  const { file, realPath, table, commit } = await newFile(t);
  const bytes = 1024 * 1024;
  fs.truncateSync(realPath, bytes);
  for (let i = 1; i <= 2 + LIMITS.replayBytesMax / bytes; i++) await commit(fill(0, bytes, i % 256));
  t.equal(table.journals.counts.checkpoints, 1);
  t.ok(file.state.journal!.liveBytes < 1000);
});

t.test('holes get their blocks before a commit is promised', async t => {
  const { realPath, file, commit } = await newFile(t);
  fs.truncateSync(realPath, 0);
  fs.truncateSync(realPath, 1024 * 1024);
  t.equal(file.extent().isSparse, true);
  const before = fs.statSync(realPath).blocks;
  const scattered = { ...fill(0, 1, 9), target: { shape: [64], strides: [16_384], offset: 5 } };
  holdSpace(file.fd, scattered.target, 1);
  const held = fs.statSync(realPath).blocks;
  // And a few for the file system's own tables.
  t.ok(held - before >= (64 * 4096) / 512, 'one block for each run');
  t.ok(held < (1024 * 1024) / 512, 'but not the holes between them');
  t.ok(
    fs.readFileSync(realPath).every(byte => byte === 0),
    'and no byte changed',
  );
  await commit({ ...scattered, source: { shape: [64], strides: [0], offset: 0 } });
  t.equal(fs.readFileSync(realPath)[5 + 16_384], 9);
});

t.test('a commit to a file that was opened anew is put in it when it is idle, too', async t => {
  const { realPath, table, reference, commit } = await newFile(t);
  await commit(fill(0, 10, 1));
  table.drop('f');
  const again = await table.open(reference);
  const change = { changes: [fill(0, 10, 2)], precondition: () => undefined, applier };
  await commitChanges(again, table, change);
  t.equal(again.state.journal?.isEmpty, false);
  for (let i = 0; i < 100 && again.state.journal?.isEmpty === false; i++) await sleep(100);
  t.equal(again.state.journal?.isEmpty, true);
  t.equal(fs.readFileSync(realPath)[0], 2);
});

t.test('a file that the disk failed does not get an exact generation', async t => {
  const { folder, table, file, commit } = await newFile(t);
  const generation = await commit(fill(0, 10, 1));
  file.state.durabilityUnknown = true;
  await table.close();
  await table.generations.close(fileId => table.isUncertain(fileId));
  const later = new Generations(folder);
  await later.load();
  t.ok(later.current('f') > generation + 1, `${later.current('f')} is above all that could have been used`);
});

t.test('commits that wait behind a stream are refused when it begins', async t => {
  const { table, file, commit } = await newFile(t);
  let open: () => void;
  const gate = file.state.writers.run(() => new Promise<void>(resolve => (open = resolve)));
  const stream = writeThrough(file, table, { precondition: () => undefined, bulk: true }, () => sleep(50));
  const waiting = commit(fill(0, 10, 2));
  await Promise.resolve();
  open!();
  await gate;
  await t.rejects(waiting, { code: 'bulk_load' });
  await stream;
});

t.test('a write whose client went away before its turn is not made, and the others are', async t => {
  const { realPath, table, file, commit } = await newFile(t);
  const controller = new AbortController();
  const { signal } = controller;
  let letGo: (() => void) | undefined;
  const options = { precondition: () => undefined };
  const first = writeThrough(file, table, options, () => new Promise<void>(resolve => (letGo = resolve)));
  // oxlint-disable-next-line no-await-in-loop, no-unmodified-loop-condition
  while (!letGo) await sleep(1);
  const given = { changes: [fill(0, 10, 1)], applier, signal, ...options };
  const gone = commitChanges(file, table, given);
  const past = writeThrough(file, table, { ...options, signal }, async () => void t.fail('is not made'));
  const other = commit(fill(10, 10, 2));
  controller.abort();
  await Promise.all([t.rejects(gone, { code: 'cancelled' }), t.rejects(past, { code: 'cancelled' })]);
  t.equal(file.state.commits.size, 1);
  letGo();
  t.strictSame(await Promise.all([first, other]), [2, 3]);
  await t.rejects(commitChanges(file, table, given), { code: 'cancelled' });
  t.strictSame([...fs.readFileSync(realPath).subarray(0, 20)], [...Array(10).fill(0), ...Array(10).fill(2)]);
});

t.test('clients take turns with their writes of a file, and one fills a share of the line', async t => {
  const { table, file } = await newFile(t);
  const precondition = (): undefined => undefined;
  const commitOf = (id: string): Promise<number> =>
    commitChanges(file, table, {
      changes: [fill(0, 1, 1)],
      precondition,
      applier,
      client: { id, share: 0.75 },
    });
  const heldBy = async (id: string, work: () => Promise<void>): Promise<number> =>
    writeThrough(file, table, { precondition, client: { id, share: 0.75 } }, work);
  let letGo: (() => void) | undefined;
  const first = heldBy('ann', () => new Promise<void>(resolve => (letGo = resolve)));
  // oxlint-disable-next-line no-await-in-loop, no-unmodified-loop-condition
  while (!letGo) await sleep(1);
  const ownMax = LIMITS.commitsWaitingMax * 0.75;
  const many = Array.from({ length: ownMax }, () => commitOf('ann'));
  await t.rejects(commitOf('ann'), { code: 'busy' });
  const commits = [commitOf('bob'), commitOf('bob')] as const;
  const streams = Array.from({ length: 5 }, () => heldBy('ann', async () => undefined));
  const stream = heldBy('bob', async () => undefined);
  letGo();
  const [one, two, through] = await Promise.all([commits[0], commits[1], stream]);
  // The first, one write past the journal of each client, and a commit of the other before each of one's own.
  t.ok(one < 8 && two < 10 && through < LIMITS.batchCommitsMax + 5, `${one} ${two} ${through}`);
  await Promise.all([first, ...many, ...streams]);
});

t.test('what a recovery would read, and which files cannot be used, are known without a look at each file', async t => {
  const { table, file, reference, commit } = await newFile(t);
  const { live } = table.journals;
  const checkSum = (title: string): void => void t.equal(live.bytes, file.state.journal?.liveBytes ?? 0, title);
  await commit(fill(0, 10, 1));
  await commit(fill(0, 10, 2));
  t.ok(live.bytes > 0);
  checkSum('after two commits');
  await flushFile(file, table.journals);
  t.equal(live.bytes, 0, 'after a flush');
  await commit(fill(0, 10, 3));
  checkSum('after another commit');
  file.state.durabilityUnknown = true;
  t.strictSame(table.failedFileIds, ['f']);
  t.strictSame(table.damagedFiles, []);
  file.state.damage = 'torn';
  t.strictSame(table.damagedFiles, [{ fileId: 'f', reason: 'torn' }]);
  await table.forget(reference.fileId);
  t.equal(live.bytes, 0, 'when it is forgotten with its journal');
  t.strictSame([table.failedFileIds, table.damagedFiles], [[], []]);
});

t.test('a record of many small and some large payloads is replayed as it was written', async t => {
  const { folder, realPath, table, file } = await newFile(t);
  const small = (first: number): Change[] => Array.from({ length: 1200 }, (_, i) => fill(first + 2 * i, 1, i % 251));
  // More than is copied together.
  const large = { ...fill(4000, 1, 0), bytes: Buffer.alloc(3 * FILE_BYTES, 9) };
  const changes = [...small(0), large, ...small(1), { ...fill(FILE_BYTES - 3, 3, 0), bytes: Buffer.of(5) }];
  await commitChanges(file, table, { changes, precondition: () => undefined, applier });
  const expected = fs.readFileSync(realPath);
  const copy = temporaryFolder();
  t.teardown(() => fs.rmSync(copy, { recursive: true }));
  fs.cpSync(folder, copy, { recursive: true });
  const target = path.join(copy, 'file.raw');
  fs.writeFileSync(target, Buffer.alloc(FILE_BYTES));
  const again = newFileTable(copy);
  await again.journals.load();
  await again.open({ fileId: 'f', realPath: target, writable: true, registration: { isForgotten: false } });
  t.ok(fs.readFileSync(target).equals(expected));
  await again.close();
});

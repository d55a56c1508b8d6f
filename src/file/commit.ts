/**
 * The one way to change a file so that it lasts: the changes go to the journal, one sync makes those of all writers that
 * wait durable (group commit), then they are applied under the write lock, and only then answered. A crash before the
 * sync leaves none of a commit, a crash after it all of it. Memory: the changes that wait, which their bodies' budget
 * counts, and once more up to a megabyte.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { cancelledError, checkWanted, whenCancelled } from '../cancelled.js';
import { fail } from '../errors.js';
import type { Client } from '../fair-line.js';
import { LIMITS } from '../limits.js';
import { changedBytes, checkFits, costBytes, isEnding, singleRun, type Change, type Step } from './change.js';
import { checkpoint, checkpointWhenIdle, durabilityLost } from './checkpoint.js';
import type { Generations } from './generations.js';
import type { Journals } from './journal/journals.js';
import { recordBytes } from './journal/format.js';
import { extentOf } from '../layout/view.js';
import { applyEnding, holdBehind, type Grown, type Growth } from './growth.js';
import type { FileState } from './file-state.js';
import { countNoticed } from './noticed.js';
import type { OpenFile } from './open-file.js';
import { failCutOff } from './refusals.js';
import { fromSystemError } from './system-errors.js';
import { Turnstile } from './turnstile.js';

export type Durability = 'commit' | 'none';

export interface Storage {
  readonly generations: Generations;
  readonly journals: Journals;
}

/** How changes reach the file; the room above knows which of them need a worker. */
export interface Applier {
  /** Makes sure that applying the change finds room on the disk. @throws ENOSPC */
  hold(file: OpenFile, change: Change): Promise<void>;
  apply(file: OpenFile, change: Change): Promise<void>;
}

export interface CommitRequest {
  /** Applied in this order; together they are one generation. Of a growth they say what it costs. */
  readonly changes: readonly Change[];
  /** Moves the end of the file; what it does is decided by what those before it did. */
  readonly growth?: Growth;
  /** Runs when all earlier commits are decided, before anything is changed; throws to refuse. */
  readonly precondition: (generation: number) => void;
  /** The precondition asks how long the array is: no growth comes before it in its batch, which nobody sees yet. */
  readonly asksShape?: boolean;
  /** It is the only one of its batch, and on the disk of the file before the next: a recovery finds nothing behind it. */
  readonly isAlone?: boolean;
  readonly applier: Applier;
  /** Fires when nobody waits for it any more: it is left out if its batch has not begun. */
  readonly signal?: AbortSignal | undefined;
  /** Whose commit it is: clients take turns. */
  readonly client?: Client | undefined;
}

/** One whose preconditions hold, and what it does. */
interface Accepted extends PendingCommit {
  readonly steps: readonly Step[];
  readonly grown: Grown | undefined;
}

/** A commit that waits for its batch. */
export interface PendingCommit {
  readonly file: OpenFile;
  readonly request: CommitRequest;
  /** What it costs: see costOf. */
  readonly cost: number;
  readonly resolve: (generation: number) => void;
  readonly reject: (error: unknown) => void;
}

/** Commits changes and returns the generation that they make. The caller holds a lease on the file. @throws cancelled */
export async function commitChanges(file: OpenFile, storage: Storage, request: CommitRequest): Promise<number> {
  const { state } = file;
  checkWanted(request.signal);
  file.checkWritable();
  if (!state.commits.hasRoomFor(request.client, LIMITS.commitsWaitingMax)) {
    fail('busy', 'Too many writes of this file wait for the disk. Repeat the request in a moment.', {
      limit: LIMITS.commitsWaitingMax,
    });
  }
  let forget: (() => void) | undefined;
  const committed = new Promise<number>((resolve, reject) => {
    const pending: PendingCommit = { file, request, cost: costOf(request.changes), resolve, reject };
    forget = whenCancelled(request.signal, () => {
      if (state.commits.remove(pending, request.client)) reject(cancelledError());
    });
    state.commits.push(pending, request.client);
    if (!state.isCommitting) void leadBatches(state, storage);
  });
  return committed.finally(forget);
}

/** Turns of the event loop that a batch waits at most while each brings another commit. */
const JOINING_TURNS_MAX = 8;
/** However slow the disk is. */
const JOINING_MS_MAX = 5;

/** Commits what waits, batch by batch; whatever else wants to write the file gets its turn in between. */
async function leadBatches(state: FileState, storage: Storage): Promise<void> {
  state.isCommitting = true;
  while (state.commits.size > 0) {
    // oxlint-disable-next-line no-await-in-loop
    await state.writers.run(async () => {
      await letJoin(state);
      const batch = takeBatch(state);
      try {
        if (batch.length > 0) await commitBatch(batch, storage);
      } catch (error) {
        for (const { reject } of batch) reject(fromSystemError(error));
      }
    });
  }
  state.isCommitting = false;
}

/**
 * Writers that were answered together come back together: turns of the event loop let them join. Those that were there
 * a moment ago are waited for, for less time than a sync of their own would take.
 */
async function letJoin({ commits, lastSyncMs, writersSeen }: FileState): Promise<void> {
  const deadline = performance.now() + Math.min(lastSyncMs / 2, JOINING_MS_MAX);
  for (let turn = 0, before = 0; commits.size > 0; turn++) {
    const isExpected = commits.size < writersSeen && performance.now() < deadline;
    if (!isExpected && (turn >= JOINING_TURNS_MAX || commits.size === before)) return;
    before = commits.size;
    // oxlint-disable-next-line no-await-in-loop
    await nextTurn();
  }
}

/** What a batch holds up others by: the bytes of its records, or what they cost the file. */
function costOf(changes: readonly Change[]): number {
  return Math.max(
    recordBytes(changes),
    changes.reduce((sum, change) => sum + costBytes(change), 0),
  );
}

/** Takes the next commits in turn that go to one descriptor and fit together. */
function takeBatch({ commits }: FileState): PendingCommit[] {
  const batch: PendingCommit[] = [];
  let grows = false;
  let changes = 0;
  let bytes = 0;
  for (let next = commits.first(); next; next = commits.first()) {
    changes += next.request.changes.length;
    bytes += next.cost;
    const fits =
      batch.length < LIMITS.batchCommitsMax && changes <= LIMITS.batchWritesMax && bytes <= LIMITS.batchBytesMax;
    const { asksShape = false, isAlone = false } = next.request;
    const isOther = next.file !== batch[0]?.file || (grows && asksShape) || isAlone;
    if (batch.length > 0 && (!fits || isOther)) break;
    grows ||= next.request.growth !== undefined;
    batch.push(commits.take()!);
    if (isAlone) break;
  }
  return batch;
}

/** The same for who has the turn of the file's writer already; it is over when nothing of it is under way any more. */
export async function commitInTurn(file: OpenFile, storage: Storage, request: CommitRequest): Promise<number> {
  let done = Promise.resolve();
  const committed = new Promise<number>((resolve, reject) => {
    const pending = { file, request, cost: costOf(request.changes), resolve, reject };
    done = commitBatch([pending], storage).catch(error => reject(fromSystemError(error)));
  });
  await Promise.allSettled([committed, done]);
  return committed;
}

/** What is committed and not yet on the disk of its file: a recovery would have to apply all of it. */
const costly = new Turnstile(LIMITS.commitCostBytesMax);

/** Batches that cost much are under way together only as far as a recovery has the time for them. */
function commitBatch(batch: readonly PendingCommit[], storage: Storage): Promise<void> {
  const total = batch.reduce((sum, { cost }) => sum + cost, 0);
  const commit = (): Promise<void> => commitNow(batch, storage);
  return total > LIMITS.replayBytesMax ? costly.run(commit, undefined, undefined, total) : commit();
}

async function commitNow(batch: readonly PendingCommit[], storage: Storage): Promise<void> {
  const { file } = batch[0]!;
  try {
    file.recheck();
    await countNoticed(file, storage.generations);
    await commitAccepted(batch, storage);
  } finally {
    // Refused after room was held for it: the times of the file were moved by us all the same.
    if (file.state.isWriting) file.noteOwnWrite();
  }
}

async function commitAccepted(batch: readonly PendingCommit[], { generations, journals }: Storage): Promise<void> {
  const { file } = batch[0]!;
  const { state } = file;
  const { fileId } = state;
  const accepted = await acceptInOrder(batch, generations.current(fileId));
  if (accepted.length === 0) return;
  await generations.reserve(fileId, accepted.length);

  state.journal ??= await journals.create(fileId, file.identity.ino);
  const { journal } = state;
  const records = accepted.map(({ steps }) => steps);
  try {
    // What was recovered is brought to the file first: nothing is appended behind it.
    if (journal.isRecovered) await checkpoint(file, journals, 'keep');
    await journal.belongTo(file.identity.ino);
    await journal.append(records);
  } catch (error) {
    // A full disk is found out before anything is written; after any other failure the journal says nothing for sure.
    if (fromSystemError(error).code === 'disk_full') throw error;
    throw durabilityLost(state, journals, error);
  }
  try {
    const started = performance.now();
    await journal.sync();
    state.lastSyncMs = performance.now() - started;
    journals.counts.syncs++;
    journals.counts.records += records.length;
    await state.lock.withWrite(async () => {
      const last = accepted.findLast(({ grown }) => grown)?.grown;
      state.isMovingEnd = last !== undefined;
      await applyInOrder(accepted);
      await last?.save?.();
      file.noteOwnWrite();
      // In one turn: nobody sees the one without the other.
      const made = accepted.map(() => generations.advance(fileId));
      last?.settle();
      // It is known by now, and has moved on.
      if (last) state.recoveredEnd = undefined;
      state.isMovingEnd = false;
      for (const [i, { resolve }] of accepted.entries()) resolve(made[i]!);
    });
    state.writersSeen = batch.length + state.commits.size;
  } catch (error) {
    state.isMovingEnd = false;
    // Committed or not, it is not known what the file shows; the next start replays what the disk has.
    throw durabilityLost(state, journals, error);
  }
  const isLong =
    journal.liveBytes > LIMITS.journalBytesMax ||
    journal.replayBytes > LIMITS.replayBytesMax ||
    journals.live.costBytes > LIMITS.replayBytesTotalMax;
  if (isLong || accepted.some(({ request }) => request.isAlone)) await checkpoint(file, journals, 'keep');
  else checkpointWhenIdle(file, journals);
}

/**
 * Those whose preconditions hold at the generation they will follow, and for which there is room. Others are told. Growths
 * that follow each other get their blocks together, in one call; where there is no room for all of them, one by one.
 */
async function acceptInOrder(
  batch: readonly PendingCommit[],
  current: number,
  oneByOne = false,
): Promise<readonly Accepted[]> {
  const accepted: Accepted[] = [];
  const { bytes, isSparse } = batch[0]!.file.extent();
  const room = new BatchRoom(bytes);
  for (const pending of batch) {
    const { file, request } = pending;
    try {
      file.checkWritable();
      request.precondition(current + accepted.length);
      file.state.isWriting = true;
      const grown = request.growth?.plan(room.grown, room.bytes);
      for (const change of request.growth ? [] : request.changes) {
        room.check(change);
        // oxlint-disable-next-line no-await-in-loop
        if (isSparse) await request.applier.hold(file, change);
      }
      // oxlint-disable-next-line no-await-in-loop
      if (grown && oneByOne) await holdBehind(file.fd, grown.ending, grown.holds);
      if (grown) room.take(grown);
      accepted.push({ ...pending, steps: grown?.steps ?? request.changes, grown });
    } catch (error) {
      pending.reject(fromSystemError(error));
    }
  }
  try {
    // Where they came one by one, again: one that found no room gave back what was held before it.
    await holdTogether(accepted);
    return accepted;
  } catch (error) {
    if (accepted.length > 1 && !oneByOne) return acceptInOrder(accepted, current, true);
    for (const { reject } of accepted) reject(fromSystemError(error));
    return [];
  }
}

/** Gets the blocks of growths that follow each other. @throws disk_full, too_large */
async function holdTogether(accepted: readonly Accepted[]): Promise<void> {
  const growths = accepted.flatMap(({ grown }) => grown ?? []);
  const [first, last] = [growths[0], growths.at(-1)];
  if (!first || !last) return;
  await holdBehind(accepted[0]!.file.fd, { from: first.ending.from, end: last.ending.end }, last.holds);
}

/** How long the file is after those of a batch that were accepted, and what they leave of the array. */
class BatchRoom {
  bytes: number;
  grown: Grown | undefined;
  /** The least end that one of them leaves. */
  #cutAt = Number.POSITIVE_INFINITY;

  constructor(bytes: number) {
    this.bytes = bytes;
  }

  /** @throws moved, file_changed */
  check(change: Change): void {
    if (changedBytes(change) > 0 && extentOf(change.target, change.itemsize).end > this.#cutAt)
      failCutOff(this.grown!.shape);
    checkFits(change, this.bytes);
  }

  take(grown: Grown): void {
    const { from, end } = grown.ending;
    if (end < from) this.#cutAt = Math.min(this.#cutAt, end);
    this.bytes = end;
    this.grown = grown;
  }
}

/** Changes under way at once: enough for the threads that make the calls. */
const APPLIED_AT_ONCE = 16;

interface Applying {
  readonly start: number;
  readonly end: number;
  readonly done: Promise<void>;
}

/**
 * Changes that do not touch each other are applied at the same time; a later one waits for those it may overwrite. What says
 * how long the array is, is written when all that it counts is there: once, for growths that follow each other.
 */
async function applyInOrder(accepted: readonly Accepted[]): Promise<void> {
  const applying = new ApplyingChanges();
  let header: Change | undefined;
  for (const { file, request, steps, grown } of accepted) {
    file.state.beginWrite();
    const apply = (change: Change): Promise<void> => applying.apply(change, () => request.applier.apply(file, change));
    if (!grown) {
      // oxlint-disable-next-line no-await-in-loop
      for (const step of steps) if (!isEnding(step)) await apply(step);
    } else if (grown.ending.end < grown.ending.from) {
      // oxlint-disable-next-line no-await-in-loop
      await applying.end();
      // oxlint-disable-next-line no-await-in-loop
      if (grown.header) await request.applier.apply(file, grown.header);
      header = undefined;
      // oxlint-disable-next-line no-await-in-loop
      await applyEnding(file, grown.ending);
    } else {
      const isOneRun = grown.data.length === 1 && singleRun(grown.data[0]!) !== undefined;
      // oxlint-disable-next-line no-await-in-loop
      if (!isOneRun) await applyEnding(file, grown.ending);
      // oxlint-disable-next-line no-await-in-loop
      for (const change of grown.data) await apply(change);
      ({ header } = grown);
    }
  }
  await applying.end();
  const { file, request } = accepted.at(-1)!;
  if (header) await request.applier.apply(file, header);
}

class ApplyingChanges {
  #underWay: Applying[] = [];

  async apply({ target, itemsize }: Change, work: () => Promise<void>): Promise<void> {
    const { start, end } = extentOf(target, itemsize);
    if (this.#underWay.length >= APPLIED_AT_ONCE || this.#underWay.some(each => start < each.end && each.start < end)) {
      await this.end();
    }
    this.#underWay.push({ start, end, done: work() });
  }

  async end(): Promise<void> {
    const underWay = this.#underWay;
    this.#underWay = [];
    await allDone(underWay);
  }
}

/** Waits for all of them, also when one fails: the lock must not be let go of while bytes are being written. */
async function allDone(underWay: readonly Applying[]): Promise<void> {
  const results = await Promise.allSettled(underWay.map(({ done }) => done));
  const failed = results.find(result => result.status === 'rejected');
  if (failed) throw failed.reason;
}

/** The thread's side of the pool: each export is one kind of task. Buffers are moved back, not copied. */
import { BroadcastChannel, parentPort, threadId } from 'node:worker_threads';
import { Piscina, workerData } from 'piscina';
import type { ConvertTask, HoldTask, ScatterTask } from '../dataset/off-loop.js';
import type { Change } from '../file/change.js';
import {
  doPictureTask,
  encodeJsonStretch,
  type Converted,
  type ConvertStepTask,
  type EncodeTask,
  type FoundLayout,
  type JsonTask,
  type Kept,
  type Looked,
  type LookTask,
  type PictureFound,
  type PictureTask,
} from '../formats/index.js';
import type { Arranged } from '../layout/arrange.js';
import { holdSpace } from '../file/hold-space.js';
import { messageOf, outcomeOf, type Outcome, type ThreadReady } from './messages.js';
import { fail } from '../errors.js';
import type { Lane } from './turn.js';
import { CLOSED_FILES_CHANNEL, type WorkerData } from './pool.js';
import { runScan, type ScanAnswer, type ScanTask } from './scan-task.js';
import {
  arrangeChange,
  convertBody,
  convertItems,
  encodeElements,
  gatherView,
  layoutOfBody,
  lookAtBody,
  newWorkplace,
  numbersOfTrue,
  scatterView,
  type GatherTask,
  type TrueTask,
  type Workplace,
} from './tasks.js';
import { warmUp } from '../kernels/warm-up.js';

const { kernels, keepsFiles, waiting } = workerData as WorkerData;
let workplace: Workplace | undefined;
let lacking: string | undefined;
try {
  if (kernels) warmUp((workplace = newWorkplace(kernels, keepsFiles, waiting)).engine);
} catch (error) {
  lacking = messageOf(error);
}

if (keepsFiles) {
  const closedFiles = new BroadcastChannel(CLOSED_FILES_CHANNEL);
  // oxlint-disable-next-line prefer-add-event-listener -- Node's channel has no other.
  closedFiles.onmessage = ({ data }: { data: string }) => workplace?.arena?.forget(data);
  closedFiles.unref();
}

const ready: ThreadReady = { threadId, ...(lacking !== undefined && { lacking }) };
// oxlint-disable-next-line require-post-message-target-origin -- Threads have no origin.
parentPort?.postMessage(ready);

/** For a pool that lacks a thread. */
export function nothing(): void {}

export function gather(task: GatherTask): Outcome<number | undefined> {
  return outcomeOf(() => gatherView(task));
}

export function convert(task: ConvertTask): Outcome<void> {
  return outcomeOf(() => convertItems(task));
}

export function encode(task: EncodeTask): Outcome<number> {
  return outcomeOf(() => encodeElements(task));
}

export function json(task: JsonTask): Outcome<number> {
  return outcomeOf(() => encodeJsonStretch(task));
}

export function look(task: LookTask): Outcome<Looked<Kept>> {
  return outcomeOf(() => lookAtBody(task));
}

export function layout(task: LookTask): Outcome<FoundLayout> {
  return outcomeOf(() => layoutOfBody(task));
}

export function decode(task: ConvertStepTask): Outcome<Converted<Kept>> {
  return outcomeOf(() => convertBody(task));
}

export function picture(task: PictureTask): Outcome<PictureFound> {
  return outcomeOf(() => doPictureTask(task));
}

export function trues(task: TrueTask): Outcome<Uint32Array> {
  return outcomeOf(() => numbersOfTrue(task));
}

export function arrange(task: Change): Outcome<Arranged> {
  return outcomeOf(() => arrangeChange(task));
}

export function scatter(task: ScatterTask): Outcome<void> {
  return outcomeOf(() => scatterView(task));
}

export function hold({ fd, target, itemsize }: HoldTask): Outcome<void> {
  return outcomeOf(() => holdSpace(fd, target, itemsize));
}

export function scan({ lane, ...task }: ScanTask & { readonly lane: Lane }): Outcome<ScanAnswer> {
  return moved(outcomeOf(() => runScan(workplaceNow(), task, lane)));
}

/** The memory of the kernels may be had later where it could not be had at first. @throws no_kernels */
function workplaceNow(): Workplace {
  try {
    return (workplace ??= newWorkplace(kernels!, keepsFiles, waiting));
  } catch (error) {
    return fail('no_kernels', `Statistics cannot be computed now: ${messageOf(error)}. Repeat the request later.`);
  }
}

/** Marks an answer so that the memory of its partials changes hands. */
function moved(outcome: Outcome<ScanAnswer>): Outcome<ScanAnswer> {
  const transferred = 'value' in outcome ? buffersOf(outcome.value) : [];
  const message = { [Piscina.transferableSymbol]: transferred, [Piscina.valueSymbol]: outcome };
  return Piscina.move(message as never) as unknown as Outcome<ScanAnswer>;
}

/** The distinct buffers of all typed arrays in the partials. */
function buffersOf({ found }: ScanAnswer): ArrayBuffer[] {
  const buffers = found
    .flatMap(each => ('partials' in each ? arraysIn(each.partials) : []))
    .map(({ buffer }) => buffer);
  return [...new Set(buffers)].filter(buffer => buffer instanceof ArrayBuffer);
}

/** The typed arrays of plain data that is a few levels deep. */
function arraysIn(data: unknown): ArrayBufferView[] {
  if (ArrayBuffer.isView(data)) return [data];
  return typeof data === 'object' && data !== null ? Object.values(data).flatMap(arraysIn) : [];
}

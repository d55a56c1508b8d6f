/** The thread's side of the pool: each export is one kind of task. Buffers are moved back, not copied. */
import { Piscina } from 'piscina';
import type { HoldTask, ScatterTask } from '../dataset/off-loop.js';
import { holdSpace } from '../file/hold-space.js';
import type { Partial, StatisticsResult } from '../statistics/index.js';
import { outcomeOf, type Outcome } from './messages.js';
import {
  finishStatistics,
  gatherView,
  reduceChunk,
  scatterView,
  type FinishTask,
  type GatherTask,
  type StatisticsTask,
} from './tasks.js';

export function gather(task: GatherTask): Outcome<void> {
  return outcomeOf(() => gatherView(task));
}

export function scatter(task: ScatterTask): Outcome<void> {
  return outcomeOf(() => scatterView(task));
}

export function hold({ fd, target, itemsize }: HoldTask): Outcome<void> {
  return outcomeOf(() => holdSpace(fd, target, itemsize));
}

export function statistics(task: StatisticsTask): Outcome<Partial> {
  return moved(outcomeOf(() => reduceChunk(task)));
}

export function finish(task: FinishTask): Outcome<StatisticsResult> {
  return outcomeOf(() => finishStatistics(task));
}

/** Marks a result so that the memory in it changes hands. */
function moved<T extends object>(outcome: Outcome<T>): Outcome<T> {
  const transferred = 'value' in outcome ? buffersIn(outcome.value) : [];
  const message = { [Piscina.transferableSymbol]: transferred, [Piscina.valueSymbol]: outcome };
  return Piscina.move(message as never) as unknown as Outcome<T>;
}

/** The distinct buffers of the typed arrays that an object is, or holds one level down. */
function buffersIn(value: object): ArrayBuffer[] {
  const arrays = ArrayBuffer.isView(value) ? [value] : Object.values(value).filter(each => ArrayBuffer.isView(each));
  return [...new Set(arrays.map(array => array.buffer))].filter(buffer => buffer instanceof ArrayBuffer);
}

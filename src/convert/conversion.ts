/**
 * A conversion: packed items of one dtype → packed items of another. One notion for casts, byte orders and chosen fields;
 * a function of any number of items, so that a piece, an answer and a body are converted alike. Padding becomes zero.
 */
import { isFull, parseDType, withByteOrder, type DType } from '../dtype/index.js';
import { kernelOf } from './elements.js';
import type { Loss } from './kernel.js';
import { movesOf, type Move } from './moves.js';
import { failLost, failNoConversion } from './refusals.js';
import { runnerOf, type Runner } from './run-move.js';
import { shownElement } from './shown-element.js';

/** What a conversion is made from: plain data, which goes to workers. */
export interface ConversionSpec {
  readonly from: string;
  readonly to: string;
  readonly loss: Loss;
}

export interface Conversion {
  readonly spec: ConversionSpec;
  readonly from: DType;
  readonly to: DType;
  /** Nothing is done: the bytes may be used as they are. */
  readonly isIdentity: boolean;
  /**
   * Converts whole items; both stretches hold the same number, of each dtype.
   * @param first items before these in the whole, for messages
   * @throws would_lose
   */
  run(source: Uint8Array, target: Uint8Array, first?: number): void;
}

/** Conversions of this thread, the last ones that were asked for. */
const kept = new Map<string, Conversion>();
const KEPT_MAX = 64;

/** @throws unsupported_dtype where there is no way from one to the other */
export function conversionOf(from: DType, to: DType, loss: Loss): Conversion {
  const key = `${loss} ${from.typestr} ${to.typestr}`;
  const known = kept.get(key);
  kept.delete(key);
  const conversion = known ?? newConversion(from, to, loss);
  kept.set(key, conversion);
  if (kept.size > KEPT_MAX) kept.delete(kept.keys().next().value!);
  return conversion;
}

/** The same in another thread. */
export function conversionFrom({ from, to, loss }: ConversionSpec): Conversion {
  return kept.get(`${loss} ${from} ${to}`) ?? conversionOf(parseDType(from), parseDType(to), loss);
}

function newConversion(from: DType, to: DType, loss: Loss): Conversion {
  const runners = runnersOf(from, to, loss);
  const leavesGaps = !isFull(to) || runners.reduce((bytes, { move }) => bytes + bytesOfMove(move), 0) !== to.itemsize;
  // Of another byte order alone, items are whole ones still, and carry their padding.
  const keepsPadding = withByteOrder(from, '<').typestr === withByteOrder(to, '<').typestr;
  return {
    spec: { from: from.typestr, to: to.typestr, loss },
    from,
    to,
    isIdentity: from.typestr === to.typestr && runners.every(({ isCopy }) => isCopy),
    run(source, target, first = 0) {
      if (leavesGaps && keepsPadding) target.set(source);
      else if (leavesGaps) target.fill(0);
      for (const runner of runners) {
        const lost = runner.run(source, target, source.byteLength / from.itemsize);
        if (!lost) continue;
        const { move } = runner;
        const value = shownElement(move.from, lost.element);
        const field = move.path.length > 0 ? move.path.join('.') : undefined;
        failLost({ from: move.from, to: move.to, value, index: first + lost.item, field });
      }
    },
  };
}

function runnersOf(from: DType, to: DType, loss: Loss): Runner[] {
  return movesOf(from, to).map(move => {
    const kernel = kernelOf(move.from, move.to, loss) ?? failNoConversion(move.from, move.to, move.path);
    return runnerOf(move, kernel, from.itemsize, to.itemsize);
  });
}

/** Of the target, for one item. */
function bytesOfMove({ to, axes }: Move): number {
  return axes.reduce((bytes, { length }) => bytes * length, to.itemsize);
}

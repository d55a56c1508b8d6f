/**
 * Cells whose elements are all at hand. Elements become sort keys; then those of wanted ranks are found without sorting the
 * rest.
 */

import { keyOf, Values } from './codes';
import { Lanes } from './lanes';
import { forType, Is, Kernel } from './types';

/** Ranges of keys up to this length are sorted by insertion. */
const SHORT: usize = 24;
/** Ranges beyond this length take their pivot from nine keys instead of three. */
const LONG: usize = 512;

class Key {
  @inline static get<T>(keys: usize, i: usize): T {
    return load<T>(keys + i * sizeof<T>());
  }

  @inline static set<T>(keys: usize, i: usize, key: T): void {
    store<T>(keys + i * sizeof<T>(), key);
  }
}

/**
 * Writes the sort keys of `count` elements, `step` bytes apart, to `to`: 64 bits each for 64-bit types, 32 for all others.
 * Answers how many of them are NaN.
 */
export function toKeys(type: i32, ptr: usize, step: usize, count: usize, to: usize): usize {
  return forType<ToKeys>(Values.of(type, ptr, step, 0, count, to));
}

class ToKeys extends Kernel {
  run<T>(args: usize): usize {
    const values = changetype<Values>(args);
    if (Is.single<T>() && values.stride === 4) return packedFloats32(values.from, values.count, values.to);
    return keysOf<T>(values.from, values.stride, values.count, values.to);
  }
}

function keysOf<T>(ptr: usize, step: usize, count: usize, to: usize): usize {
  let nans: usize = 0;
  for (let i: usize = 0; i < count; i++, ptr += step) {
    if (sizeof<T>() === 8) Key.set<u64>(to, i, keyOf<T>(ptr));
    else Key.set<u32>(to, i, u32(keyOf<T>(ptr)));
    if (isFloat<T>()) nans += usize(load<T>(ptr) !== load<T>(ptr));
  }
  return nans;
}

function packedFloats32(ptr: usize, count: usize, to: usize): usize {
  const sign = i32x4.splat(0x80000000);
  let counts = i32x4.splat(0);
  let i: usize = 0;
  for (; i + 4 <= count; i += 4) {
    const bits = v128.load(ptr + (i << 2));
    const nan = f32x4.ne(bits, bits);
    const key = v128.xor(bits, v128.or(i32x4.shr_s(bits, 31), sign));
    v128.store(to + (i << 2), v128.or(key, nan));
    counts = i32x4.sub(counts, nan);
  }
  const nans = Lanes.sumCounts(counts);
  return usize(nans) + keysOf<f32>(ptr + (i << 2), 4, count - i, to + (i << 2));
}

/**
 * The 32-bit keys of `rankCount` ranks, which are 32-bit numbers below `count` at `ranks`, ascending and distinct: written
 * to `to` in that order. The keys themselves end up in another order.
 */
export function selectKeys32(keys: usize, count: usize, ranks: usize, rankCount: usize, to: usize): void {
  selectRanks<u32>(keys, 0, count, ranks, 0, rankCount, to);
}

/** The same for 64-bit keys. */
export function selectKeys64(keys: usize, count: usize, ranks: usize, rankCount: usize, to: usize): void {
  selectRanks<u64>(keys, 0, count, ranks, 0, rankCount, to);
}

/** The middle one of the ranks parts the keys for those before it and those after it. */
function selectRanks<T>(
  keys: usize,
  from: usize,
  end: usize,
  ranks: usize,
  firstRank: usize,
  endRank: usize,
  to: usize,
): void {
  while (firstRank < endRank) {
    const middle = (firstRank + endRank) >> 1;
    const rank = <usize>load<u32>(ranks + (middle << 2));
    selectOne<T>(keys, from, end, rank);
    Key.set<T>(to, middle, Key.get<T>(keys, rank));
    selectRanks<T>(keys, from, rank, ranks, firstRank, middle, to);
    from = rank + 1;
    firstRank = middle + 1;
  }
}

/**
 * Brings the key of a rank to its place, smaller ones before it, larger ones behind it: Hoare's FIND with branches that
 * do not depend on the data. Ranges that do not shrink in time are sorted instead.
 */
function selectOne<T>(keys: usize, from: usize, end: usize, rank: usize): void {
  let attempts = 8 + 4 * (64 - <i32>clz<u64>(<u64>(end - from)));
  while (end - from > SHORT) {
    if (attempts-- == 0) {
      heapSort<T>(keys, from, end);
      return;
    }
    const pivot = pivotOf<T>(keys, from, end);
    const split = partBelow<T>(keys, from, end, pivot);
    if (rank < split) end = split;
    else if (split > from) from = split;
    else {
      const equal = partUpTo<T>(keys, from, end, pivot);
      if (rank < equal) return;
      from = equal;
    }
  }
  insertionSort<T>(keys, from, end);
}

function pivotOf<T>(keys: usize, from: usize, end: usize): T {
  const length = end - from;
  const middle = from + (length >> 1);
  if (length <= LONG) {
    return median<T>(Key.get<T>(keys, from), Key.get<T>(keys, middle), Key.get<T>(keys, end - 1));
  }
  const step = length >> 3;
  return median<T>(
    medianAt<T>(keys, from, from + step, from + 2 * step),
    medianAt<T>(keys, middle - step, middle, middle + step),
    medianAt<T>(keys, end - 1 - 2 * step, end - 1 - step, end - 1),
  );
}

function medianAt<T>(keys: usize, a: usize, b: usize, c: usize): T {
  return median<T>(Key.get<T>(keys, a), Key.get<T>(keys, b), Key.get<T>(keys, c));
}

function median<T>(a: T, b: T, c: T): T {
  const low = a < b ? a : b;
  const high = a < b ? b : a;
  return c < low ? low : c > high ? high : c;
}

/** Keys below the pivot first; answers where the others begin. */
function partBelow<T>(keys: usize, from: usize, end: usize, pivot: T): usize {
  let split = from;
  for (let i = from; i < end; i++) {
    const key = Key.get<T>(keys, i);
    Key.set<T>(keys, i, Key.get<T>(keys, split));
    Key.set<T>(keys, split, key);
    split += usize(key < pivot);
  }
  return split;
}

/** Keys up to the pivot first; answers where the others begin. */
function partUpTo<T>(keys: usize, from: usize, end: usize, pivot: T): usize {
  let split = from;
  for (let i = from; i < end; i++) {
    const key = Key.get<T>(keys, i);
    Key.set<T>(keys, i, Key.get<T>(keys, split));
    Key.set<T>(keys, split, key);
    split += usize(key <= pivot);
  }
  return split;
}

function insertionSort<T>(keys: usize, from: usize, end: usize): void {
  for (let i = from + 1; i < end; i++) {
    const key = Key.get<T>(keys, i);
    let at = i;
    for (; at > from && Key.get<T>(keys, at - 1) > key; at--) Key.set<T>(keys, at, Key.get<T>(keys, at - 1));
    Key.set<T>(keys, at, key);
  }
}

function heapSort<T>(keys: usize, from: usize, end: usize): void {
  const heap = keys + from * sizeof<T>();
  const length = end - from;
  for (let i = length >> 1; i > 0; i--) sink<T>(heap, i - 1, length);
  for (let last = length - 1; last > 0; last--) {
    const key = Key.get<T>(heap, last);
    Key.set<T>(heap, last, Key.get<T>(heap, 0));
    Key.set<T>(heap, 0, key);
    sink<T>(heap, 0, last);
  }
}

function sink<T>(heap: usize, at: usize, length: usize): void {
  const key = Key.get<T>(heap, at);
  for (;;) {
    let child = (at << 1) + 1;
    if (child >= length) break;
    if (child + 1 < length && Key.get<T>(heap, child) < Key.get<T>(heap, child + 1)) child++;
    if (key >= Key.get<T>(heap, child)) break;
    Key.set<T>(heap, at, Key.get<T>(heap, child));
    at = child;
  }
  Key.set<T>(heap, at, key);
}

/**
 * Texts of a fixed length, zeros behind them: bytes, or 32-bit code points of either byte order. They compare by their units,
 * the first that differs decides.
 */
import { at } from './codes';

/** Bytes, code points of this machine's order, and of the other one. */
const BYTES: i32 = 0;
const POINTS: i32 = 1;

/** A text of a file as code points, or bytes. */
class Unit {
  @inline static load<T>(ptr: usize, swaps: bool): u32 {
    return swaps ? bswap<u32>(load<u32>(ptr)) : u32(load<T>(ptr));
  }
}

/** How many units a key holds: it has 64 bits. */
function keyUnits<T>(): usize {
  return 8 / sizeof<T>();
}

class Key {
  /**
   * The first units of a text as one number, the first one highest and zeros where it ends: texts that differ among these are
   * ordered as their keys are. Reads nothing behind the text.
   */
  @inline static of<T>(text: usize, length: usize, swaps: bool): u64 {
    if (sizeof<T>() == 1) {
      if (length >= 8) return bswap<u64>(load<u64>(text));
      if (length >= 4) {
        // Two stretches that overlap in bytes which are the same.
        const end = u64(bswap<u32>(load<u32>(text + length - 4))) << (8 * (8 - u64(length)));
        return (u64(bswap<u32>(load<u32>(text))) << 32) | end;
      }
      let key: u64 = 0;
      for (let i: usize = 0; i < length; i++) key |= u64(load<u8>(text + i)) << (56 - 8 * u64(i));
      return key;
    }
    if (length == 0) return 0;
    const second = length > 1 ? Unit.load<T>(text + 4, swaps) : 0;
    return (u64(Unit.load<T>(text, swaps)) << 32) | second;
  }
}

/** True where one of the bytes is not zero. */
function hasMore(from: usize, bytes: usize): bool {
  let i: usize = 0;
  for (; i + 8 <= bytes; i += 8) if (load<u64>(from + i)) return true;
  if (i + 4 <= bytes) {
    if (load<u32>(from + i)) return true;
    i += 4;
  }
  for (; i < bytes; i++) if (load<u8>(from + i)) return true;
  return false;
}

/**
 * -1, 0 or 1: whether a text of `length` units comes before an entry, equals it, or comes after it. An entry has `units`
 * units of this machine's order, the last of which is 1 where it goes on behind the others. The first `known` units are
 * known to be alike.
 */
function order<T>(text: usize, length: usize, swaps: bool, entry: usize, units: usize, known: usize): i32 {
  const most = units - 1;
  const common = min<usize>(length, most);
  let i = min<usize>(known, common);
  if (!swaps) {
    const step = keyUnits<T>();
    while (i + step <= common && load<u64>(text + i * sizeof<T>()) == load<u64>(entry + i * sizeof<T>())) i += step;
  }
  for (; i < common; i++) {
    const own = Unit.load<T>(text + i * sizeof<T>(), swaps);
    const other = u32(load<T>(entry + i * sizeof<T>()));
    if (own != other) return own < other ? -1 : 1;
  }
  if (length > common && hasMore(text + common * sizeof<T>(), (length - common) * sizeof<T>())) return 1;
  return load<T>(entry + most * sizeof<T>()) ? -1 : 0;
}

/** Entries whose keys are kept while texts are looked at. */
const KEYS_MAX: usize = 512;
const KEYS = memory.data(8 * 512, 8);

/** Among few entries. */
function keyedPlaces<T>(
  from: usize,
  stride: usize,
  count: usize,
  length: usize,
  swaps: bool,
  entries: usize,
  units: usize,
  n: usize,
  to: usize,
): void {
  const entryBytes = units * sizeof<T>();
  for (let i: usize = 0; i < n; i++) store<u64>(KEYS + i * 8, Key.of<T>(entries + i * entryBytes, units - 1, false));
  for (let i: usize = 0; i < count; i++, from += stride) {
    const key = Key.of<T>(from, length, swaps);
    let low: usize = 0;
    let high = n;
    let isEqual = false;
    while (low < high) {
      const middle = (low + high) >> 1;
      const entry = entries + middle * entryBytes;
      const other = load<u64>(KEYS + middle * 8);
      const sign = key == other ? order<T>(from, length, swaps, entry, units, keyUnits<T>()) : key < other ? -1 : 1;
      low = sign > 0 ? middle + 1 : low;
      high = sign > 0 ? high : middle;
      if (sign == 0) {
        low = middle;
        isEqual = true;
        break;
      }
    }
    store<u32>(to + i * 4, 2 * u32(low) + u32(isEqual));
  }
}

function placesOf<T>(
  from: usize,
  stride: usize,
  count: usize,
  length: usize,
  swaps: bool,
  entries: usize,
  units: usize,
  n: usize,
  to: usize,
): void {
  if (n <= KEYS_MAX) return keyedPlaces<T>(from, stride, count, length, swaps, entries, units, n, to);
  const entryBytes = units * sizeof<T>();
  let last: usize = 0;
  for (let i: usize = 0; i < count; i++, from += stride) {
    // Neighbours are often the same.
    if (order<T>(from, length, swaps, entries + last * entryBytes, units, 0) == 0) {
      store<u32>(to + i * 4, 2 * u32(last) + 1);
      continue;
    }
    let low: usize = 0;
    let high = n;
    let isEqual = false;
    while (low < high) {
      const middle = (low + high) >> 1;
      const sign = order<T>(from, length, swaps, entries + middle * entryBytes, units, 0);
      if (sign > 0) low = middle + 1;
      else {
        high = middle;
        isEqual = sign == 0;
        if (isEqual) {
          low = middle;
          break;
        }
      }
    }
    store<u32>(to + i * 4, 2 * u32(low) + u32(isEqual));
    if (isEqual) last = low;
  }
}

/**
 * `count` texts of `length` units, `stride` bytes apart → u32 places among `n` ascending entries of `units` units:
 * 2 i + 1 for a text that equals entry i, 2 i for one between it and the entry before. `form`: BYTES, POINTS, or points of
 * the other byte order.
 */
export function textPlaces(
  form: i32,
  from: usize,
  stride: usize,
  count: usize,
  length: usize,
  entries: usize,
  units: usize,
  n: usize,
  to: usize,
): void {
  if (form == BYTES) placesOf<u8>(from, stride, count, length, false, entries, units, n, to);
  else placesOf<u32>(from, stride, count, length, form != POINTS, entries, units, n, to);
}

/** FNV-1a over 32 bits at a time, and over the bytes that are left. */
function hashOf(text: usize, bytes: usize): u32 {
  let hash: u32 = 0x811c_9dc5;
  let i: usize = 0;
  for (; i + 4 <= bytes; i += 4) {
    hash = (hash ^ load<u32>(text + i)) * 0x0100_0193;
    hash ^= hash >> 15;
  }
  for (; i < bytes; i++) hash = (hash ^ u32(load<u8>(text + i))) * 0x0100_0193;
  return hash ^ (hash >> 16);
}

/**
 * Items of `bytes` bytes → the different ones among them, packed at `entries`, by an open-addressed table of 2 ** bits slots
 * (number plus one, 0 is free). How often each was met is added to its u32 at `counts`. `state` holds how many are known
 * before and after. Stops before the item that would be the one after `knownMax`; answers how many items were done.
 */
export function distinctItems(
  from: usize,
  stride: usize,
  rows: usize,
  count: usize,
  bytes: usize,
  slots: usize,
  bits: i32,
  entries: usize,
  counts: usize,
  knownMax: usize,
  state: usize,
): usize {
  const mask = (u32(1) << bits) - 1;
  let known = load<u32>(state);
  let number: u32 = 0;
  let done: usize = 0;
  for (; done < count; done++) {
    const item = at(from, stride, rows, done);
    // Neighbours are often the same.
    if (!number || memory.compare(item, entries + usize(number - 1) * bytes, bytes) != 0) {
      let slot = hashOf(item, bytes) & mask;
      number = load<u32>(slots + usize(slot) * 4);
      while (number && memory.compare(item, entries + usize(number - 1) * bytes, bytes) != 0) {
        slot = (slot + 1) & mask;
        number = load<u32>(slots + usize(slot) * 4);
      }
      if (!number) {
        if (usize(known) == knownMax) break;
        number = known + 1;
        memory.copy(entries + usize(known) * bytes, item, bytes);
        store<u32>(counts + usize(known) * 4, 0);
        store<u32>(slots + usize(slot) * 4, ++known);
      }
    }
    const own = counts + usize(number - 1) * 4;
    store<u32>(own, load<u32>(own) + 1);
  }
  store<u32>(state, known);
  return done;
}

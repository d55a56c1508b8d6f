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

/**
 * -1, 0 or 1: whether a text of `length` units comes before an entry, equals it, or comes after it. An entry has `units`
 * units of this machine's order, the last of which is 1 where it goes on behind the others.
 */
function order<T>(text: usize, length: usize, swaps: bool, entry: usize, units: usize): i32 {
  const most = units - 1;
  const common = min<usize>(length, most);
  let i: usize = 0;
  if (sizeof<T>() == 1) {
    while (i + 8 <= common && load<u64>(text + i) == load<u64>(entry + i)) i += 8;
  }
  for (; i < common; i++) {
    const own = Unit.load<T>(text + i * sizeof<T>(), swaps);
    const other = u32(load<T>(entry + i * sizeof<T>()));
    if (own != other) return own < other ? -1 : 1;
  }
  for (; i < length; i++) if (load<T>(text + i * sizeof<T>())) return 1;
  return load<T>(entry + most * sizeof<T>()) ? -1 : 0;
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
  const entryBytes = units * sizeof<T>();
  let last: usize = 0;
  for (let i: usize = 0; i < count; i++, from += stride) {
    // Neighbours are often the same.
    if (last < n && order<T>(from, length, swaps, entries + last * entryBytes, units) == 0) {
      store<u32>(to + i * 4, 2 * u32(last) + 1);
      continue;
    }
    let low: usize = 0;
    let high = n;
    let isEqual = false;
    while (low < high) {
      const middle = (low + high) >> 1;
      const sign = order<T>(from, length, swaps, entries + middle * entryBytes, units);
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

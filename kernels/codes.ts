/**
 * Where values stand, and the unsigned integers that stand for them. A sort key orders as its element does, NaN last, -0
 * just before 0. A code is the same with one zero: groups are told apart by codes.
 */

/** Where value `i` stands. */
export function at(from: usize, stride: usize, rows: usize, i: usize): usize {
  return from + (rows ? usize(load<u32>(rows + i * 4)) : i) * stride;
}

/** Values of a native type, one per row, for `forType`: what each call of a kernel tells of them, and where results go. */
@unmanaged
export class Values {
  type: i32;
  from: usize;
  stride: usize;
  rows: usize;
  count: usize;
  to: usize;

  static of(type: i32, from: usize, stride: usize, rows: usize, count: usize, to: usize): usize {
    const values = changetype<Values>(VALUES);
    values.type = type;
    values.from = from;
    values.stride = stride;
    values.rows = rows;
    values.count = count;
    values.to = to;
    return VALUES;
  }
}

const VALUES = memory.data(24, 8);

/** The sort key of the element at an address; that of all NaN is the largest of the type's bits. */
export function keyOf<T>(from: usize): u64 {
  if (isFloat<T>()) {
    const value = load<T>(from);
    if (value !== value) return sizeof<T>() === 4 ? 0xffff_ffff : u64.MAX_VALUE;
    if (sizeof<T>() === 4) {
      const bits = load<u32>(from);
      return u64(bits ^ (u32(i32(bits) >> 31) | 0x8000_0000));
    }
    const bits = load<u64>(from);
    return bits ^ (u64(i64(bits) >> 63) | (u64(1) << 63));
  }
  return codeOf<T>(from);
}

/** The number that the sort key of a number is of. */
export function valueOf<T>(key: u64): T {
  if (isFloat<T>()) {
    if (sizeof<T>() === 4) return reinterpret<f32>(u32(key) >> 31 ? u32(key) ^ 0x8000_0000 : ~u32(key)) as T;
    return reinterpret<f64>(key >> 63 ? key ^ (u64(1) << 63) : ~key) as T;
  }
  if (isSigned<T>()) {
    const bits: i64 = sizeof<T>() * 8;
    return (i64(key) - (i64(1) << (bits - 1))) as T;
  }
  return key as T;
}

/** The code of the value at an address. */
export function codeOf<T>(from: usize): u64 {
  if (isFloat<T>()) {
    const value = load<T>(from);
    if (value !== value) return sizeof<T>() === 4 ? 0xffff_ffff : u64.MAX_VALUE;
    if (sizeof<T>() === 4) {
      const bits = load<u32>(from);
      return u64(bits >> 31 ? 0x8000_0000 - (bits & 0x7fff_ffff) : bits + 0x8000_0000);
    }
    const bits = load<u64>(from);
    return bits >> 63 ? (u64(1) << 63) - (bits & (u64.MAX_VALUE >> 1)) : bits + (u64(1) << 63);
  }
  if (isSigned<T>()) {
    const bits: i64 = sizeof<T>() * 8;
    return u64(i64(load<T>(from)) + (i64(1) << (bits - 1)));
  }
  return u64(load<T>(from));
}

/** What kernels of groups read: values by their address, and codes, unsigned integers that order and compare like them. */

/** Where value `i` stands. */
export function at(from: usize, stride: usize, rows: usize, i: usize): usize {
  return from + (rows ? usize(load<u32>(rows + i * 4)) : i) * stride;
}

/** Both zeros have one code, and so have all NaN: the largest. */
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

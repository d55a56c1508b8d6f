/** Vectors: what several kernels do with them. Inlined: a vector is never passed between functions. */
export class Lanes {
  @inline static high(x: v128): v128 {
    return v128.shuffle<i64>(x, x, 1, 1);
  }

  /** Of two float64. */
  @inline static sum(x: v128): f64 {
    return f64x2.extract_lane(x, 0) + f64x2.extract_lane(x, 1);
  }

  /** The sums of each of two vectors of two float64. */
  @inline static sums(x: v128, y: v128): v128 {
    return f64x2.add(v128.shuffle<i64>(x, y, 0, 2), v128.shuffle<i64>(x, y, 1, 3));
  }

  /** Of two int64. */
  @inline static sumIntegers(x: v128): i64 {
    return i64x2.extract_lane(x, 0) + i64x2.extract_lane(x, 1);
  }

  /** Of four int32. */
  @inline static sumCounts(x: v128): i32 {
    return i32x4.extract_lane(x, 0) + i32x4.extract_lane(x, 1) + i32x4.extract_lane(x, 2) + i32x4.extract_lane(x, 3);
  }

  /** Sums of four neighbours, or two, of 8, or 16, bits as int32. */
  @inline static sumsOfFour<T>(x: v128): v128 {
    if (isSigned<T>()) return i32x4.extadd_pairwise_i16x8_s(sizeof<T>() == 1 ? i16x8.extadd_pairwise_i8x16_s(x) : x);
    return i32x4.extadd_pairwise_i16x8_u(sizeof<T>() == 1 ? i16x8.extadd_pairwise_i8x16_u(x) : x);
  }

  /** The low, or the high, two integers of 32 bits as int64. */
  @inline static lowTwo<T>(x: v128): v128 {
    return isSigned<T>() ? i64x2.extend_low_i32x4_s(x) : i64x2.extend_low_i32x4_u(x);
  }

  @inline static highTwo<T>(x: v128): v128 {
    return isSigned<T>() ? i64x2.extend_high_i32x4_s(x) : i64x2.extend_high_i32x4_u(x);
  }

  /** The least of four float32. The first of equal lanes wins, which decides between zeros of both signs. */
  @inline static least4(x: v128): f32 {
    let best = f32x4.extract_lane(x, 0);
    if (f32x4.extract_lane(x, 1) < best) best = f32x4.extract_lane(x, 1);
    if (f32x4.extract_lane(x, 2) < best) best = f32x4.extract_lane(x, 2);
    if (f32x4.extract_lane(x, 3) < best) best = f32x4.extract_lane(x, 3);
    return best;
  }

  @inline static most4(x: v128): f32 {
    let best = f32x4.extract_lane(x, 0);
    if (f32x4.extract_lane(x, 1) > best) best = f32x4.extract_lane(x, 1);
    if (f32x4.extract_lane(x, 2) > best) best = f32x4.extract_lane(x, 2);
    if (f32x4.extract_lane(x, 3) > best) best = f32x4.extract_lane(x, 3);
    return best;
  }

  @inline static least2(x: v128): f64 {
    let best = f64x2.extract_lane(x, 0);
    if (f64x2.extract_lane(x, 1) < best) best = f64x2.extract_lane(x, 1);
    return best;
  }

  @inline static most2(x: v128): f64 {
    let best = f64x2.extract_lane(x, 0);
    if (f64x2.extract_lane(x, 1) > best) best = f64x2.extract_lane(x, 1);
    return best;
  }

  /** Four integers of less than 64 bits as int32; unsigned ones of 32 bits as they are. */
  @inline static four<T>(ptr: usize): v128 {
    if (sizeof<T>() == 4) return v128.load(ptr);
    if (sizeof<T>() == 2) return isSigned<T>() ? v128.load16x4_s(ptr) : v128.load16x4_u(ptr);
    const x = v128.load32_zero(ptr);
    if (isSigned<T>()) return i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(x));
    return i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(x));
  }

  /** The low two of what `four` gave, as float64. */
  @inline static convert<T>(x: v128): v128 {
    if (sizeof<T>() == 4 && !isSigned<T>()) return f64x2.convert_low_i32x4_u(x);
    return f64x2.convert_low_i32x4_s(x);
  }

  /** Two elements as float64; 64-bit integers are rounded. Of four, with `Second` the second two. */
  @inline static two<T, Second = void>(ptr: usize): v128 {
    const at = isVoid<Second>() ? 0 : 2 * sizeof<T>();
    if (isFloat<T>()) {
      return sizeof<T>() == 8 ? v128.load(ptr, at) : f64x2.promote_low_f32x4(v128.load64_zero(ptr, at));
    }
    if (sizeof<T>() == 4) return Lanes.convert<T>(v128.load64_zero(ptr, at));
    if (sizeof<T>() == 2) {
      const x = v128.load32_zero(ptr, at);
      return f64x2.convert_low_i32x4_s(isSigned<T>() ? i32x4.extend_low_i16x8_s(x) : i32x4.extend_low_i16x8_u(x));
    }
    if (sizeof<T>() == 1) {
      const x = i16x8.splat(load<i16>(ptr, at));
      if (isSigned<T>()) {
        return f64x2.convert_low_i32x4_s(i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(x)));
      }
      return f64x2.convert_low_i32x4_s(i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(x)));
    }
    return f64x2(f64(load<T>(ptr)), f64(load<T>(ptr, sizeof<T>())));
  }

  /** The low, or the high, halves of two 64-bit integers as float64. */
  @inline static lows(x: v128): v128 {
    return f64x2.convert_low_i32x4_u(v128.shuffle<i32>(x, x, 0, 2, 0, 2));
  }

  @inline static highs<T>(x: v128): v128 {
    const high = v128.shuffle<i32>(x, x, 1, 3, 1, 3);
    return isSigned<T>() ? f64x2.convert_low_i32x4_s(high) : f64x2.convert_low_i32x4_u(high);
  }

  /** One vector of elements, lesser and greater ones by lanes; of a NaN and a number, `a`. */
  @inline static min<T>(a: v128, b: v128): v128 {
    if (isFloat<T>()) return sizeof<T>() == 4 ? f32x4.pmin(a, b) : f64x2.pmin(a, b);
    if (sizeof<T>() == 8) return v128.bitselect(b, a, Lanes.less<T>(b, a));
    return v128.min<T>(a, b);
  }

  @inline static max<T>(a: v128, b: v128): v128 {
    if (isFloat<T>()) return sizeof<T>() == 4 ? f32x4.pmax(a, b) : f64x2.pmax(a, b);
    if (sizeof<T>() == 8) return v128.bitselect(b, a, Lanes.less<T>(a, b));
    return v128.max<T>(a, b);
  }

  /** Of 64-bit integers; there is no comparison of unsigned ones, so their order is turned into that of signed ones. */
  @inline static less<T>(a: v128, b: v128): v128 {
    if (isSigned<T>()) return i64x2.lt_s(a, b);
    const sign = i64x2.splat(i64.MIN_VALUE);
    return i64x2.lt_s(v128.xor(a, sign), v128.xor(b, sign));
  }
}

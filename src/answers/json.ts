/** Results as the text of JSON, in pieces, and as arrays. */
import type { Block } from '../block.js';
import { dateText, isText, isTime, NAT, numberDType, type DType, type TimeDType } from '../dtype/index.js';
import { fail } from '../errors.js';
import { textOfKey, type TextKey } from '../filter/texts.js';
import { toFloat16Bits } from '../float16.js';
import { LIMITS } from '../limits.js';
import type { Distinct, Numbers, OperationResult, StatisticsResult } from '../statistics/result.js';
import { narrowTo } from '../narrow.js';
import { isTurnOver } from '../turns.js';

/**
 * The `results` member of an answer as pieces of JSON text, each of a bounded number of values: an object with an entry
 * per operation, a number or nested lists.
 */
export function* toJson(result: StatisticsResult): Generator<string, void> {
  let separator = '{';
  for (const entry of result.results) {
    yield `${separator}${JSON.stringify(entry.name)}:`;
    if (entry.edges) {
      yield '{"counts":';
      yield* valuesToJson(entry);
      yield ',"edges":';
      yield* valuesToJson(entry.edges);
      yield '}';
    } else if (entry.distinct) {
      yield '{"values":';
      yield* distinctToJson(entry.distinct);
      yield ',"counts":';
      yield* valuesToJson(entry);
      yield '}';
    } else yield* valuesToJson(entry);
    separator = ',';
  }
  yield '}';
}

/** Characters of texts that are written in one turn. */
const CHARACTERS_PER_TURN = 256 * 1024;

function* distinctToJson({ dtype, values }: Distinct): Generator<string, void> {
  if (!isText(dtype)) {
    const numbers = values as Numbers['values'];
    yield* valuesToJson({ dtype, shape: [dtype.kind === 'c' ? numbers.length / 2 : numbers.length], values: numbers });
    return;
  }
  let texts = '[';
  for (const [i, key] of (values as readonly TextKey[]).entries()) {
    texts += `${i > 0 ? ',' : ''}${JSON.stringify(textOfKey(key))}`;
    if (texts.length < CHARACTERS_PER_TURN && !isTurnOver(i, LIMITS.jsonElementsPerTurn)) continue;
    yield texts;
    texts = '';
  }
  yield `${texts}]`;
}

/** The `count` member of an answer as JSON: a number, or nested lists where it differs between cells. */
export function* countToJson({ count }: StatisticsResult): Generator<string, void> {
  if (typeof count === 'number') yield String(count);
  else yield* valuesToJson(count);
}

/** Complex numbers as the pairs that stand for them: with one axis more, of both parts. */
export function withParts<T extends Numbers>(entry: T): T {
  const { dtype, shape } = entry;
  return dtype.kind === 'c' ? { ...entry, dtype: numberDType(`<f${dtype.itemsize / 2}`), shape: [...shape, 2] } : entry;
}

/** One operation as JSON: a bare value for rank 0, else nested lists. */
export function* valuesToJson(entry: Numbers): Generator<string, void> {
  const { shape, values, dtype } = withParts(entry);
  if (shape.includes(0)) {
    yield emptyLists(shape);
    return;
  }
  // Joined in the turn that writes them: a text that grows is put together by who sends it, in one step.
  let texts: string[] = [];
  for (let i = 0; i < values.length; i++) {
    // A list opens, or closes, before the elements that its length divides.
    let opened = 0;
    for (let axis = shape.length - 1, size = 1; axis >= 0; axis--) {
      size *= shape[axis]!;
      if (i % size !== 0) break;
      opened++;
    }
    if (i > 0) texts.push(']'.repeat(opened), ',');
    texts.push('['.repeat(opened), writeValue(values[i]!, dtype));
    if ((i + 1) % LIMITS.jsonElementsPerTurn === 0) {
      yield texts.join('');
      texts = [];
    }
  }
  yield texts.join('') + ']'.repeat(shape.length);
}

function emptyLists(shape: readonly number[]): string {
  const [length, ...inner] = shape;
  if (length === undefined || length === 0) return '[]';
  return `[${Array.from({ length }, () => emptyLists(inner)).join(',')}]`;
}

export function writeValue(value: number | bigint, dtype: DType): string {
  if (dtype.kind === 'b') return value === 0 ? 'false' : 'true';
  if (isTime(dtype)) return timeText(value, dtype);
  if (typeof value === 'bigint' || dtype.kind !== 'f') return String(value);
  return Number.isFinite(value) ? shortest(value, dtype) : `"${value}"`;
}

/** A date as the text that numpy prints; a duration, or a date without a unit, as its count; NaT as text. */
function timeText(value: number | bigint, { kind, unit }: TimeDType): string {
  if (value === NAT) return '"NaT"';
  return kind === 'M' && unit ? `"${dateText(BigInt(value), unit)}"` : String(value);
}

/** The shortest digits that are read back as the same value of the dtype. */
function shortest(value: number, dtype: DType): string {
  if (dtype.itemsize === 8) return String(value);
  const narrow = narrowTo(dtype);
  const readsBack = (digits: number): boolean => narrow(Number(value.toPrecision(digits))) === value;
  // Most need about as many digits as the dtype has: fewer are looked for where these are enough.
  const usual = dtype.itemsize === 4 ? 6 : 3;
  let digits = readsBack(usual) ? 1 : usual + 1;
  while (digits < 9 && !readsBack(digits)) digits++;
  return String(Number(value.toPrecision(digits)));
}

const MAKERS: Partial<Record<string, (values: readonly number[] | Float64Array) => ArrayBufferView>> = {
  bool: values => Uint8Array.from(values),
  int8: values => Int8Array.from(values),
  int16: values => Int16Array.from(values),
  int32: values => Int32Array.from(values),
  uint8: values => Uint8Array.from(values),
  uint16: values => Uint16Array.from(values),
  uint32: values => Uint32Array.from(values),
  float16: values => Uint16Array.from(values, toFloat16Bits),
  float32: values => Float32Array.from(values),
  // As they are: nobody writes to them any more.
  float64: asDoubles,
  // Both parts of each.
  complex64: values => Float32Array.from(values),
  complex128: asDoubles,
};

function asDoubles(values: readonly number[] | Float64Array): Float64Array {
  return values instanceof Float64Array ? values : Float64Array.from(values);
}

/**
 * One operation as an array of its dtype.
 * @throws would_lose when an exact integer is outside 64 bits
 */
export function toBlock(entry: Pick<OperationResult, 'name' | keyof Numbers>): Block {
  const { dtype, shape, values } = entry;
  const make = MAKERS[dtype.name];
  const array = make && values instanceof Float64Array ? make(values) : integers64(entry);
  return { dtype, shape, bytes: new Uint8Array(array.buffer, array.byteOffset, array.byteLength) };
}

function integers64({ name, dtype, values }: Parameters<typeof toBlock>[0]): BigInt64Array | BigUint64Array {
  const signed = dtype.kind !== 'u';
  const array = signed ? new BigInt64Array(values.length) : new BigUint64Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = BigInt(values[i]!);
    array[i] = value;
    if (array[i] !== value) {
      fail('would_lose', `${name} is ${value}, which ${dtype.name} cannot hold. Ask for JSON, which has all digits.`, {
        dtype: dtype.typestr,
        value: String(value),
      });
    }
  }
  return array;
}

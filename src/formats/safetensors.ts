/**
 * The header of a .safetensors file (https://github.com/huggingface/safetensors#format): eight bytes of length, then JSON with
 * a member for each tensor, then the bytes of the tensors, which lie one behind the other. Pure: bytes in, places out.
 * Hazard: it comes from anybody. Offsets have to meet the shapes and each other, or the file is refused as a whole.
 */
import { fail, HyperslabError } from '../errors.js';
import { shown } from '../shown.js';
import { isTurnOver } from '../turns.js';
import { expectByte, membersOfObject, skipValue } from './json-members.js';
import { JsonScanner } from './json-scan.js';

export interface Tensor {
  readonly name: string;
  /** As the header names it: `F32`. */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Of its first byte, and behind its last, in the file. */
  readonly start: number;
  readonly end: number;
}

/** What stands before the JSON: its length, little-endian. */
export const LENGTH_BYTES = 8;

/** Every dtype of the format that is known: its bits, and numpy's name where numpy has it. */
const TENSOR_DTYPES: Readonly<Record<string, { readonly bits: number; readonly typestr?: string }>> = {
  BOOL: { bits: 8, typestr: '|b1' },
  U8: { bits: 8, typestr: '|u1' },
  I8: { bits: 8, typestr: '|i1' },
  U16: { bits: 16, typestr: '<u2' },
  I16: { bits: 16, typestr: '<i2' },
  F16: { bits: 16, typestr: '<f2' },
  U32: { bits: 32, typestr: '<u4' },
  I32: { bits: 32, typestr: '<i4' },
  F32: { bits: 32, typestr: '<f4' },
  U64: { bits: 64, typestr: '<u8' },
  I64: { bits: 64, typestr: '<i8' },
  F64: { bits: 64, typestr: '<f8' },
  C64: { bits: 64, typestr: '<c8' },
  BF16: { bits: 16 },
  F8_E4M3: { bits: 8 },
  F8_E5M2: { bits: 8 },
  F8_E8M0: { bits: 8 },
  F6_E2M3: { bits: 6 },
  F6_E3M2: { bits: 6 },
  F4: { bits: 4 },
};

/** The dtype as numpy spells it; undefined where numpy has none. */
export function typestrOfTensor(dtype: string): string | undefined {
  return Object.hasOwn(TENSOR_DTYPES, dtype) ? TENSOR_DTYPES[dtype]!.typestr : undefined;
}

const METADATA = '__metadata__';
const TENSORS_PER_TURN = 256;

/** The length of the JSON. @throws bad_container */
export function headerLengthOf(head: Uint8Array, fileBytes: number, limit: number): number {
  if (head.byteLength < LENGTH_BYTES) refuse(`it has ${fileBytes} bytes, and its header alone begins with 8`);
  const length = new DataView(head.buffer, head.byteOffset, LENGTH_BYTES).getBigUint64(0, true);
  if (length > BigInt(limit)) {
    refuse(`its header is said to have ${length} bytes, and at most ${limit} are read`, {
      limit,
      asked: String(length),
    });
  }
  if (LENGTH_BYTES + Number(length) > fileBytes) {
    refuse(`its header is said to have ${length} bytes, and the file has ${fileBytes}`);
  }
  return Number(length);
}

/**
 * The tensors of a header, in its order, in turns.
 * @param json what stands behind the length
 * @param fileBytes the size of the whole file, which the tensors fill to its end; undefined leaves that open
 * @throws bad_container
 */
export function* tensorsOf(json: Uint8Array, fileBytes: number | undefined): Generator<void, Tensor[]> {
  try {
    const tensors = yield* readTensors(json);
    yield* checkPlaces(tensors, LENGTH_BYTES + json.byteLength, fileBytes);
    return tensors;
  } catch (error) {
    // What the reader of JSON says is right, but it calls the text a body.
    if (error instanceof HyperslabError && error.code === 'bad_json') {
      refuse(
        `its header is no JSON that can be read: ${error.message.replace(/^The (JSON cannot be read: )?|\.$/g, '')}`,
      );
    }
    throw error;
  }
}

function* readTensors(json: Uint8Array): Generator<void, Tensor[]> {
  const scanner = new JsonScanner(json);
  scanner.expectUtf8();
  if (json[0] !== OPEN_OBJECT) refuse('its header does not begin with {');
  const start = LENGTH_BYTES + json.byteLength;
  const names = new Set<string>();
  const tensors: Tensor[] = [];
  for (const name of membersOfObject(scanner)) {
    if (names.has(name)) refuse(`its header has ${shown(name)} twice`);
    names.add(name);
    if (name === METADATA) yield* skipMetadata(scanner);
    else tensors.push(tensorAt(scanner, name, start));
    if (isTurnOver(names.size, TENSORS_PER_TURN)) yield;
  }
  // Writers pad the header with spaces, so that the tensors begin at a multiple of eight.
  if (scanner.peek() !== -1) refuse('something stands behind the JSON of its header');
  return tensors;
}

const OPEN_OBJECT = 0x7b;
const OPEN_LIST = 0x5b;

/** Texts by name, which nothing here needs. */
function* skipMetadata(scanner: JsonScanner): Generator<void> {
  if (scanner.peek() !== OPEN_OBJECT) refuse('__metadata__ in its header is no object');
  const text = yield* skipValue(scanner);
  for (const key of namesOnce(new JsonScanner(text))) void key;
}

/** The keys of an object whose values are texts, each of them once. */
function* namesOnce(scanner: JsonScanner): Generator<string> {
  const seen = new Set<string>();
  for (const name of membersOfObject(scanner)) {
    if (seen.has(name)) refuse(`its header has ${shown(name)} twice`);
    seen.add(name);
    yield name;
    if (scanner.peek() !== 0x22) refuse(`${shown(name)} in __metadata__ is no text`);
    scanner.readString();
  }
}

function tensorAt(scanner: JsonScanner, name: string, dataStart: number): Tensor {
  const found: Partial<Record<string, unknown>> = {};
  for (const key of membersOfObject(scanner)) {
    if (Object.hasOwn(found, key)) refuse(`the tensor ${shown(name)} has ${shown(key)} twice`);
    if (key === 'dtype') found[key] = dtypeAt(scanner, name);
    else if (key === 'shape' || key === 'data_offsets') found[key] = integersAt(scanner, name, key);
    else refuse(`the tensor ${shown(name)} has a member ${shown(key)}, which the format does not know`);
  }
  const {
    dtype,
    shape,
    data_offsets: offsets,
  } = found as {
    readonly dtype?: string;
    readonly shape?: number[];
    readonly data_offsets?: number[];
  };
  if (dtype === undefined || shape === undefined || offsets === undefined) {
    return refuse(`the tensor ${shown(name)} has to have dtype, shape and data_offsets`);
  }
  const [start, end] = offsets;
  if (offsets.length !== 2 || start! > end!) {
    return refuse(
      `the data_offsets of the tensor ${shown(name)} are ${shown(offsets)}, no place from a start to an end`,
    );
  }
  const known = Object.hasOwn(TENSOR_DTYPES, dtype) ? TENSOR_DTYPES[dtype] : undefined;
  if (known) checkBytes(name, shape, known.bits, end! - start!);
  return { name, dtype, shape, start: dataStart + start!, end: dataStart + end! };
}

function dtypeAt(scanner: JsonScanner, name: string): string {
  if (scanner.peek() !== 0x22) refuse(`the dtype of the tensor ${shown(name)} is no text`);
  const begin = scanner.at;
  scanner.readString();
  return scanner.decoded(Buffer.from(scanner.bytes.subarray(begin, scanner.at)).toString());
}

function integersAt(scanner: JsonScanner, name: string, key: string): number[] {
  if (scanner.peek() !== OPEN_LIST) refuse(`${key} of the tensor ${shown(name)} is no list`);
  expectByte(scanner, OPEN_LIST, 'a list');
  const integers: number[] = [];
  if (scanner.peek() === 0x5d) {
    scanner.at++;
    return integers;
  }
  for (;;) {
    scanner.peek();
    const value = scanner.readNumber();
    if (!/^[0-9]{1,16}$/.test(scanner.token()) || !Number.isSafeInteger(value)) {
      refuse(`${key} of the tensor ${shown(name)} holds ${scanner.shownToken()}, which is no count`);
    }
    integers.push(value);
    const next = scanner.peek();
    scanner.at++;
    if (next === 0x5d) return integers;
    if (next !== 0x2c) scanner.refuseFor(scanner.at - 1, 'a comma or a closing bracket');
  }
}

/** The shape and the offsets say the same. */
function checkBytes(name: string, shape: readonly number[], bits: number, bytes: number): void {
  let needed = BigInt(bits);
  for (const length of shape) needed *= BigInt(length);
  if (needed !== 8n * BigInt(bytes)) {
    refuse(
      `the tensor ${shown(name)} of shape ${shown(shape)} has ${needed / 8n} bytes, and its data_offsets ${bytes}`,
    );
  }
}

/** Tensors lie one behind the other and fill the file: nothing is told twice, and nothing is hidden. */
function* checkPlaces(tensors: readonly Tensor[], dataStart: number, fileBytes: number | undefined): Generator<void> {
  yield;
  const byPlace = tensors.toSorted((a, b) => a.start - b.start || a.end - b.end);
  let end = dataStart;
  for (const [i, tensor] of byPlace.entries()) {
    if (tensor.start !== end) {
      const what = tensor.start < end ? 'lies over another one' : `leaves ${tensor.start - end} bytes before it`;
      refuse(`the tensor ${shown(tensor.name)} ${what}`);
    }
    end = tensor.end;
    if (isTurnOver(i)) yield;
  }
  if (fileBytes !== undefined && end !== fileBytes)
    refuse(`its tensors end at byte ${end}, and the file at ${fileBytes}`);
}

/** @throws bad_container */
function refuse(why: string, values: Readonly<Record<string, unknown>> = {}): never {
  return fail(
    'bad_container',
    `The file is no .safetensors that can be served: ${why}. Copy it again, or write it with safetensors.`,
    values,
  );
}

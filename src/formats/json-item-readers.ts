/**
 * JSON → single items of every dtype, put together once for a dtype and then called for each item. Short ones are read at
 * once; what may be longer than a turn is read in steps. Every reader begins before a value, and ends behind it.
 */
import {
  failUnknown,
  isNumber,
  isStructure,
  isText,
  isTime,
  numberDType,
  subArrayOf,
  type ComplexDType,
  type DType,
  type Field,
  type NumberDType,
  type StructureDType,
  type TextDType,
  type VoidDType,
} from '../dtype/index.js';
import { invariant } from '../errors.js';
import { shown } from '../shown.js';
import { failAt, refuseItem, refuseNext, withPlace, type ItemPlace } from './json-item-place.js';
import { NumberReader } from './json-numbers.js';
import { jsonItemSize, keyBytes } from './json-size.js';
import { storeAt } from './number-store.js';
import { StringReader, textSink, voidSink, type PointSink } from './json-strings.js';
import { timeReader } from './json-times.js';

/** Reads the item that begins at a byte. */
export type ReadItem = (offset: number) => void;

export type ItemReader = ShortReader | LongReader;

interface ShortReader {
  readonly read: ReadItem;
}

interface LongReader {
  /** Yields where others may have a turn. */
  readonly steps: (offset: number) => Generator<void, void>;
}

/** Values that are read without a turn for others. */
const SHORT_VALUES = 256;
/** The same of characters. */
const SHORT_CHARACTERS = 4096;
/** Text of a long string that is read in one step. */
const STEP_BYTES = 16 * 1024;

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

export function itemReader(place: ItemPlace): ItemReader {
  const { dtype } = place;
  if (isStructure(dtype)) return objectReader(dtype, place);
  if (isText(dtype) || dtype.kind === 'V') return stringReader(dtype, place);
  if (isNumber(dtype)) return { read: scalarReader(dtype, place) };
  if (isTime(dtype)) return { read: timeReader(dtype, place) };
  invariant(dtype.kind === 'c', 'all others have no JSON');
  return { read: pairReader(dtype, place) };
}

function isShort(reader: ItemReader): reader is ShortReader {
  return 'read' in reader;
}

function* stepsOf(reader: ItemReader, offset: number): Generator<void, void> {
  if (isShort(reader)) reader.read(offset);
  else yield* reader.steps(offset);
}

function scalarReader(dtype: NumberDType, place: ItemPlace): ReadItem {
  const { scanner } = place.context;
  const store = storeAt(dtype, place.context.buffer.view);
  const reader = new NumberReader(dtype, scanner, store, why => refuseItem(place, 'would_lose', why));
  return offset => {
    const next = scanner.peek();
    if (next === OPEN_LIST || next === OPEN_OBJECT || next === -1) refuseNext(place, 'it takes one value');
    reader.read(offset);
  };
}

function pairReader({ itemsize, byteOrder }: ComplexDType, place: ItemPlace): ReadItem {
  const { scanner } = place.context;
  const half = itemsize / 2;
  const part = scalarReader(numberDType(`${byteOrder}f${half}`), place);
  const expect = (byte: number): void => {
    if (scanner.peek() !== byte) refuseNext(place, 'it takes a pair, [re, im]');
    scanner.at++;
  };
  return offset => {
    expect(OPEN_LIST);
    part(offset);
    expect(COMMA);
    part(offset + half);
    expect(CLOSE_LIST);
  };
}

function stringReader(dtype: TextDType | VoidDType, place: ItemPlace): ItemReader {
  const { scanner, buffer } = place.context;
  const sink: PointSink = dtype.kind === 'V' ? voidSink(dtype, buffer) : textSink(dtype, buffer);
  const reader = new StringReader(scanner, sink, ({ code, why }) => refuseItem(place, code, why));
  const wanted = dtype.kind === 'V' ? 'it takes base64 in quotes' : 'it takes text in quotes';
  const begin = (offset: number): void => {
    if (scanner.peek() !== QUOTE) refuseNext(place, wanted);
    reader.begin(offset);
  };
  if (dtype.itemsize <= SHORT_CHARACTERS) {
    return {
      read: offset => {
        begin(offset);
        while (!reader.readSome(STEP_BYTES));
      },
    };
  }
  return {
    *steps(offset) {
      begin(offset);
      while (!reader.readSome(STEP_BYTES)) yield;
    },
  };
}

/** A field of a structure while items are read. */
interface Member {
  readonly name: string;
  /** Its name as it is usually written, in quotes. */
  readonly key: Uint8Array;
  readonly offset: number;
  readonly reader: ItemReader;
  isRead: boolean;
}

function objectReader(dtype: StructureDType, place: ItemPlace): ItemReader {
  const members = dtype.fields.map((field): Member => {
    const { name, offset } = field;
    const path = [...place.path, name];
    return { name, key: keyBytes(name), offset, reader: fieldReader(field, { ...place, path }), isRead: false };
  });
  const isAllShort = members.every(({ reader }) => isShort(reader));
  const names = new MemberNames(members, dtype, place);
  if (!isAllShort || jsonItemSize(dtype).values > SHORT_VALUES) {
    return {
      *steps(offset) {
        names.open();
        for (let member = names.first(); member; member = names.next()) {
          yield* stepsOf(member.reader, offset + member.offset);
          yield;
        }
      },
    };
  }
  return {
    read: offset => {
      names.open();
      for (let member = names.first(); member; member = names.next()) {
        if (isShort(member.reader)) member.reader.read(offset + member.offset);
      }
    },
  };
}

/** Goes through the members of one object after the other: each field once, in any order. */
class MemberNames {
  readonly #members: readonly Member[];
  readonly #byName: ReadonlyMap<string, Member>;
  readonly #dtype: StructureDType;
  readonly #place: ItemPlace;
  readonly #keyBytesMax: number;
  /** How many were read: where they come in the order of the fields, the next one stands there. */
  #count = 0;

  constructor(members: readonly Member[], dtype: StructureDType, place: ItemPlace) {
    this.#members = members;
    this.#byName = new Map(members.map(member => [member.name, member]));
    this.#dtype = dtype;
    this.#place = place;
    // A character may be an escape of six bytes.
    this.#keyBytesMax = 6 * Math.max(...members.map(({ name }) => name.length)) + 2;
  }

  open(): void {
    const { scanner } = this.#place.context;
    if (scanner.peek() !== OPEN_OBJECT) {
      refuseNext(this.#place, `it takes an object with the fields ${shown(this.#members.map(({ name }) => name))}`);
    }
    scanner.start = scanner.at++;
    this.#count = 0;
    for (const member of this.#members) member.isRead = false;
  }

  first(): Member | undefined {
    const { scanner } = this.#place.context;
    if (scanner.peek() !== CLOSE_OBJECT) return this.#readName();
    return this.#end();
  }

  /** Behind a value. */
  next(): Member | undefined {
    const { scanner } = this.#place.context;
    const next = scanner.peek();
    if (next === CLOSE_OBJECT) return this.#end();
    if (next !== COMMA) scanner.refuseFor(scanner.at, 'a comma or a closing bracket');
    scanner.at++;
    return this.#readName();
  }

  #end(): undefined {
    const { scanner } = this.#place.context;
    scanner.start = scanner.at++;
    if (this.#count === this.#members.length) return;
    const missing = this.#members.find(({ isRead }) => !isRead)!;
    const what = `The object lacks the field ${shown(missing.name)}`;
    failAt(this.#place, 'bad_value', what, 'all fields are required', { missing: missing.name.slice(0, 60) });
  }

  #readName(): Member {
    const { scanner } = this.#place.context;
    if (scanner.peek() !== QUOTE) scanner.refuseFor(scanner.at, 'the name of a field, in quotes,');
    const member = this.#nextInOrder() ?? this.#named();
    if (member.isRead) {
      failAt(this.#place, 'bad_value', `The object has the field ${shown(member.name)} twice`, 'give each field once');
    }
    member.isRead = true;
    this.#count++;
    if (scanner.peek() !== COLON) scanner.refuseFor(scanner.at, 'a colon');
    scanner.at++;
    return member;
  }

  /** The field that follows the last one, where its name stands as it is usually written. */
  #nextInOrder(): Member | undefined {
    const { scanner } = this.#place.context;
    const member = this.#members[this.#count];
    if (!member) return undefined;
    const { key } = member;
    for (let i = 0; i < key.length; i++) if (scanner.bytes[scanner.at + i] !== key[i]) return undefined;
    scanner.start = scanner.at;
    scanner.at += key.length;
    return member;
  }

  #named(): Member {
    const { scanner } = this.#place.context;
    scanner.readString();
    const end = Math.min(scanner.at, scanner.start + Math.max(this.#keyBytesMax, 100));
    const text = Buffer.from(scanner.bytes.subarray(scanner.start, end)).toString();
    const name = end < scanner.at ? text.slice(1) : scanner.decoded(text);
    const member = this.#byName.get(name);
    if (member) return member;
    try {
      return failUnknown(this.#dtype, name);
    } catch (error) {
      throw withPlace(this.#place, error);
    }
  }
}

/** Of a sub-array nested lists of exactly its shape. */
function fieldReader(field: Field, place: ItemPlace): ItemReader {
  const { shape, strides } = subArrayOf(field);
  const inner = { ...place, dtype: field.dtype satisfies DType };
  let reader = itemReader(inner);
  let values = jsonItemSize(field.dtype).values;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const length = shape[axis]!;
    values *= length;
    reader = listReader({ length, stride: strides[axis]!, shape, values }, reader, inner);
  }
  return reader;
}

interface SubArrayAxis {
  readonly length: number;
  readonly stride: number;
  /** Of the whole, for messages. */
  readonly shape: readonly number[];
  /** In one list of this axis. */
  readonly values: number;
}

function listReader({ length, stride, shape, values }: SubArrayAxis, reader: ItemReader, place: ItemPlace): ItemReader {
  const { scanner } = place.context;
  const expect = (byte: number): void => {
    const next = scanner.peek();
    scanner.start = scanner.at;
    if (next === byte) {
      scanner.at++;
      return;
    }
    if (next === -1) scanner.refuseFor(scanner.at, 'a value');
    const why = `nested lists of the shape [${shape.join(', ')}] should stand there`;
    failAt(place, 'shape_mismatch', 'The lists have another shape than the field', why, { expected: shape });
  };
  if (isShort(reader) && values <= SHORT_VALUES) {
    const { read } = reader;
    return {
      read: offset => {
        for (let i = 0; i < length; i++) {
          expect(i === 0 ? OPEN_LIST : COMMA);
          read(offset + i * stride);
        }
        expect(CLOSE_LIST);
      },
    };
  }
  return {
    *steps(offset) {
      for (let i = 0; i < length; i++) {
        expect(i === 0 ? OPEN_LIST : COMMA);
        yield* stepsOf(reader, offset + i * stride);
        if (i % SHORT_VALUES === SHORT_VALUES - 1) yield;
      }
      expect(CLOSE_LIST);
    },
  };
}

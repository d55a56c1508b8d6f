/** dtypes as types of Arrow (format 1.5, https://arrow.apache.org/docs/format): what a schema says, and how columns nest. */
import {
  isNumber,
  isStructure,
  isText,
  isTime,
  leavesOf,
  type ComplexDType,
  type DType,
  type TimeDType,
} from '../dtype/index.js';
import type { FlatBuffer, FlatValue } from './flat-buffer.js';

/** Of little-endian elements. */
export interface ArrowField {
  readonly name: string;
  readonly type: ArrowType;
  readonly children: readonly ArrowField[];
  readonly metadata?: Readonly<Record<string, string>>;
  /** Bytes from the start of what it is a part of. */
  readonly offset: number;
}

export type ArrowType =
  | { readonly kind: 'bool' | 'utf8'; readonly dtype: DType }
  | { readonly kind: 'struct'; readonly dtype: DType }
  | { readonly kind: 'int'; readonly dtype: DType; readonly isSigned: boolean }
  | { readonly kind: 'float' | 'binary'; readonly dtype: DType }
  | {
      readonly kind: 'date' | 'timestamp' | 'duration';
      readonly dtype: DType;
      readonly unit: number;
      readonly factor: bigint;
    }
  /** Elements side by side. */
  | { readonly kind: 'list'; readonly length: number; readonly stride: number };

const SECONDS: Readonly<Record<string, bigint>> = { W: 604_800n, D: 86_400n, h: 3600n, m: 60n, s: 1n };
/** Units of Arrow, by their number. */
const UNITS = ['s', 'ms', 'us', 'ns'];

/** Why a dtype is no type of Arrow; undefined where it is. */
export function whyNotArrow(dtype: DType): string | undefined {
  for (const { dtype: leaf } of leavesOf(dtype)) {
    if (isTime(leaf) && !timeType(leaf)) {
      return `${leaf.name} has a unit that Arrow and Parquet have not, which are days, seconds, and their parts down to ns; convert it with dtype=, to M8[D] or M8[ns] for example`;
    }
  }
  return undefined;
}

function timeType(dtype: TimeDType): ArrowType | undefined {
  const { kind, unit } = dtype;
  if (!unit) return undefined;
  if (kind === 'M' && unit.name === 'D' && unit.count === 1) return { kind: 'date', dtype, unit: 0, factor: 1n };
  const seconds = SECONDS[unit.name];
  const index = seconds === undefined ? UNITS.indexOf(unit.name) : 0;
  if (index < 0) return undefined;
  const factor = BigInt(unit.count) * (seconds ?? 1n);
  return { kind: kind === 'M' ? 'timestamp' : 'duration', dtype, unit: index, factor };
}

export function fieldOfDType(name: string, dtype: DType, offset: number): ArrowField {
  if (isStructure(dtype)) {
    const children = dtype.fields.map(field => listsOf(field.name, field.shape, field.dtype, field.offset));
    return { name, type: { kind: 'struct', dtype }, children, offset };
  }
  if (dtype.kind === 'c') return { name, type: { kind: 'struct', dtype }, children: partsOf(dtype), offset };
  const leaf = (type: ArrowType): ArrowField => ({ name, type, children: [], offset });
  if (isTime(dtype)) return leaf(timeType(dtype)!);
  if (isText(dtype)) return leaf({ kind: 'utf8', dtype });
  if (dtype.kind === 'b') return leaf({ kind: 'bool', dtype });
  if (isNumber(dtype) && dtype.kind !== 'f') return leaf({ kind: 'int', dtype, isSigned: dtype.kind === 'i' });
  return leaf({ kind: dtype.kind === 'f' ? 'float' : 'binary', dtype });
}

function partsOf({ itemsize }: ComplexDType): ArrowField[] {
  const half = { kind: 'f', itemsize: itemsize / 2 } as DType;
  return ['re', 'im'].map((name, i) => ({
    name,
    type: { kind: 'float', dtype: half },
    children: [],
    offset: (i * itemsize) / 2,
  }));
}

/** A sub-array as lists in lists. */
export function listsOf(name: string, shape: readonly number[], dtype: DType, offset: number): ArrowField {
  const [length, ...inner] = shape;
  if (length === undefined) return fieldOfDType(name, dtype, offset);
  const stride = inner.reduce((size, each) => size * each, dtype.itemsize);
  return { name, type: { kind: 'list', length, stride }, children: [listsOf('item', inner, dtype, 0)], offset };
}

/** A schema's entry of a field. */
export function writeField(to: FlatBuffer, { name, type, children, metadata }: ArrowField): number {
  const inner = to.references(children.map(child => writeField(to, child)));
  const notes = metadata && writeMetadata(to, metadata);
  const text = to.text(name);
  const [number, values] = typeCode(type);
  const reference = to.table(values);
  return to.table([
    { reference: text },
    { bytes: 1, value: 1 },
    { bytes: 1, value: number },
    { reference },
    undefined,
    { reference: inner },
    notes === undefined ? undefined : { reference: notes },
  ]);
}

export function writeMetadata(to: FlatBuffer, entries: Readonly<Record<string, string>>): number {
  return to.references(
    Object.entries(entries).map(([key, value]) => {
      const [name, text] = [to.text(key), to.text(value)];
      return to.table([{ reference: name }, { reference: text }]);
    }),
  );
}

/** The number of a type in Schema.fbs, and what its table says. */
function typeCode(type: ArrowType): readonly [number, readonly FlatValue[]] {
  const short = (value: number): FlatValue => ({ bytes: 2, value });
  const int = (value: number): FlatValue => ({ bytes: 4, value });
  switch (type.kind) {
    case 'int':
      return [2, [int(8 * type.dtype.itemsize), { bytes: 1, value: type.isSigned ? 1 : 0 }]];
    case 'float':
      return [3, [short(Math.log2(type.dtype.itemsize) - 1)]];
    case 'utf8':
      return [5, []];
    case 'bool':
      return [6, []];
    case 'date':
      return [8, [short(type.unit)]];
    case 'timestamp':
      return [10, [short(type.unit)]];
    case 'struct':
      return [13, []];
    case 'binary':
      return [15, [int(type.dtype.itemsize)]];
    case 'list':
      return [16, [int(type.length)]];
    case 'duration':
      return [18, [short(type.unit)]];
  }
}

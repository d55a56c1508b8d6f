/** The dtypes that are numbers, as a table: what the kernels compute with, and what all others are made of. */
export type ByteOrder = '<' | '>' | '|';

/** What every dtype has. */
export interface Common {
  /** Bytes of an item. */
  readonly itemsize: number;
  /** `|` where an item has no order, or where each of its fields has its own. */
  readonly byteOrder: ByteOrder;
  /**
   * What answers carry and `parseDType` reads: numpy's `dtype.str`, such as `<f4`, `>M8[25us]`, `|S5`; of structures their
   * description as JSON on one line of ASCII, such as `[["x","<f4"],["","|V4"]]`.
   */
  readonly typestr: string;
  /** numpy's `dtype.name`: `float32`, `datetime64[25us]`, `str96`. */
  readonly name: string;
}

/** What the kernels of statistics compute with. */
export interface NumberDType extends Common {
  readonly kind: 'b' | 'i' | 'u' | 'f';
  readonly name: DTypeName;
}

interface NumberRow {
  readonly name: string;
  readonly kind: NumberDType['kind'];
  readonly itemsize: number;
  /** Other spellings that numpy takes for it, without byte order. */
  readonly aliases: readonly string[];
}

export const NUMBERS = [
  { name: 'bool', kind: 'b', itemsize: 1, aliases: ['?', 'bool_'] },
  { name: 'int8', kind: 'i', itemsize: 1, aliases: ['b', 'byte'] },
  { name: 'int16', kind: 'i', itemsize: 2, aliases: ['h', 'short'] },
  { name: 'int32', kind: 'i', itemsize: 4, aliases: ['i', 'intc'] },
  { name: 'int64', kind: 'i', itemsize: 8, aliases: ['q', 'l', 'p', 'n', 'int', 'int_', 'intp', 'long', 'longlong'] },
  { name: 'uint8', kind: 'u', itemsize: 1, aliases: ['B', 'ubyte'] },
  { name: 'uint16', kind: 'u', itemsize: 2, aliases: ['H', 'ushort'] },
  { name: 'uint32', kind: 'u', itemsize: 4, aliases: ['I', 'uintc'] },
  { name: 'uint64', kind: 'u', itemsize: 8, aliases: ['Q', 'L', 'P', 'N', 'uint', 'uintp', 'ulong', 'ulonglong'] },
  { name: 'float16', kind: 'f', itemsize: 2, aliases: ['e', 'half'] },
  { name: 'float32', kind: 'f', itemsize: 4, aliases: ['f', 'single'] },
  { name: 'float64', kind: 'f', itemsize: 8, aliases: ['d', 'double', 'float'] },
] as const satisfies readonly NumberRow[];

export type DTypeName = (typeof NUMBERS)[number]['name'];

/** Every spelling without byte order → its row. */
const ROWS = new Map<string, NumberRow & { name: DTypeName }>();
/** typestr → the one dtype of this thread. */
const INTERNED = new Map<string, NumberDType>();

for (const row of NUMBERS) {
  for (const spelling of [row.name, `${row.kind}${row.itemsize}`, ...row.aliases]) ROWS.set(spelling, row);
  for (const byteOrder of row.itemsize === 1 ? (['|'] as const) : (['<', '>'] as const)) {
    const { name, kind, itemsize } = row;
    const typestr = `${byteOrder}${kind}${itemsize}`;
    INTERNED.set(typestr, { name, kind, itemsize, byteOrder, typestr });
  }
}

/** The number that a spelling without byte order means: `f4`, `float32`, `single`. Undefined where it means none. */
export function numberOf(spelling: string, byteOrder: '<' | '>'): NumberDType | undefined {
  const row = ROWS.get(spelling);
  return row && INTERNED.get(`${orderOf(row.itemsize, byteOrder)}${row.kind}${row.itemsize}`);
}

/** Items of one byte have no order. */
export function orderOf(itemsize: number, byteOrder: '<' | '>'): ByteOrder {
  return itemsize === 1 ? '|' : byteOrder;
}

/** True for 64-bit integers, which do not fit a double; dates and durations are such. */
export function isWide({ itemsize, kind }: { readonly itemsize: number; readonly kind: string }): boolean {
  return itemsize === 8 && 'iuMm'.includes(kind);
}

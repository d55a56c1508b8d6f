/**
 * Words that the components share. What they make is checked by Ajv and told to generators: OpenAPI 3.0 has `nullable`
 * and `enum`, and a choice between types (`anyOf`) would become a class of its own in most languages.
 */
import { Type, type Static, type TSchema } from 'typebox';
import { LIMITS } from '../../src/limits.js';
import { REF, TOLD_AS, UNTOLD } from '../../src/plugins/openapi-shape.js';

interface Words {
  readonly $id?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly example?: unknown;
}

interface Bounds extends Words {
  readonly minimum?: number;
  readonly maximum?: number;
}

/** A whole number that may be beyond 2^31. */
export const int64 = (words: Words = {}) => Type.Integer({ format: 'int64', ...words });

/** A whole number that is small. */
export const int32 = (words: Bounds = {}) => Type.Integer({ format: 'int32', ...words });

/** A number that need not be whole. */
export const double = (words: Bounds = {}) => Type.Number({ format: 'double', ...words });

/** One of a few words. */
export function oneOf<const T extends string>(values: readonly T[], words: Words = {}) {
  const names = values.map(value => ENUM_NAMES[value] ?? value.toUpperCase());
  const named = values.some(value => value in ENUM_NAMES) && { 'x-enum-varnames': names };
  return Type.Unsafe<T>({ type: 'string', enum: [...values], ...named, ...words });
}

/** What generators call values that differ in more than letters; without names, r and r+ are one to some of them. */
const ENUM_NAMES: Readonly<Record<string, string>> = {
  r: 'READ',
  'r+': 'READ_WRITE',
  'w+': 'CREATE',
  c: 'COPY_ON_WRITE',
};

/** A schema with a type, or null. */
export function nullable<T extends TSchema>(schema: T) {
  return Type.Unsafe<Static<T> | null>({ ...schema, nullable: true });
}

/** An object with members of any name and kind. */
export const freeObject = (words: Words = {}) =>
  Type.Unsafe<Record<string, unknown>>({ type: 'object', additionalProperties: true, ...words });

/** Any JSON value. */
export const anyValue = (words: Words = {}) => Type.Unknown({ ...words });

/** Checked by one schema, and told by another, which is simpler. */
export function toldAs<T extends TSchema>(schema: T, told: object) {
  return Type.Unsafe<Static<T>>({ ...schema, [TOLD_AS]: told });
}

/** Checked by one schema, and told as a component. */
export const toldAsRef = <T extends TSchema>(schema: T, component: string) => toldAs(schema, { [REF]: component });

/** A parameter that is taken, and left out of the document. */
export const untold = <T extends TSchema>(schema: T) =>
  Type.Optional(Type.Unsafe<Static<T>>({ ...schema, [UNTOLD]: true }));

/** An optional list of a request. Where it may be null, clients in Java leave out one that is not set; else they send []. */
export const listOrAbsent = <T extends TSchema>(schema: T) => toldAs(schema, { ...schema, nullable: true });

/** Bytes that are not text, as generated clients understand it. */
export const BINARY = Type.Unsafe<Uint8Array>({ type: 'string', format: 'binary' });

/** NDJSON: bytes, since the lines come one by one. */
export const LINES: object = { ...BINARY, 'x-item': { [REF]: 'BatchLine' } };

/** Server-sent events. */
export const EVENTS: object = { type: 'string', 'x-item': { [REF]: 'JobEvent' } };
export const CHANGES: object = { type: 'string', 'x-item': { [REF]: 'ChangeEvent' } };

export const Shape = Type.Array(int64(), {
  maxItems: LIMITS.rankMax,
  description: 'Length of each axis; [] is a scalar.',
});

/** Told as any JSON value: what generated clients have one type for. */
export const DTYPE = {
  description:
    'The type of an element as numpy names it, such as <f4, float32, >M8[ms] or |S5; of structures a list of fields, as ' +
    '[["time","<M8[s]"],["pos","<f8",[3]]], or an object of names, formats, offsets and itemsize.',
};
export const DTypeAnswer = toldAs(Type.Unknown(), DTYPE);
export const DTypeAsked = toldAs(
  Type.Unsafe<unknown>({ type: ['string', 'array', 'object'], minItems: 1, minProperties: 1 }),
  {
    description: `${DTYPE.description} Files without a header default to uint8.`,
  },
);

export const Generation = int64({ description: 'Counts committed writes of the file; never used twice.' });

/** The array that the examples are about: one of those that `npm start` brings. */
export const EXAMPLE_NAME = 'seattle-weather';

export const nameParam = (example: string = EXAMPLE_NAME) =>
  Type.String({ description: 'Name of the dataset.', example });

export const DatasetName = Type.String({ description: 'Name of the dataset.' });

export const NameParams = Type.Object({ name: nameParam() });

export const Cursor = Type.Optional(
  Type.String({ maxLength: 256, description: 'The next_cursor of the page before; absent for the first page.' }),
);

export const pageLimit = (maximum: number) =>
  Type.Optional(int32({ minimum: 1, maximum, default: 100, description: 'How many a page has at most.' }));

export const NextCursor = nullable(
  Type.String({ description: 'Pass it as cursor for the next page; null on the last one.' }),
);

export const FIELD = Type.Optional(
  Type.String({
    description:
      'A field of a structure as an array of its own (tag.a is a field of a field), several with commas between them, ' +
      'or a column that attrs.columns names. Absent: whole items.',
  }),
);

export const SLICE = Type.Optional(
  Type.String({
    description: "The text inside numpy's brackets, such as 100:200,50:100. Absent: everything.",
    example: '0:3',
  }),
);

/** In bodies that name several datasets; in addresses it is given to each route of a dataset (plugins/expected-shape.ts). */
const EXPECTED_SHAPE = {
  description:
    'The shape that the dataset has to have, such as 1000,4, and blank for a scalar; else the answer is `moved`.',
};
export const EXPECTED_SHAPE_ASKED = toldAs(
  Type.Unsafe<string | readonly unknown[]>({ type: ['string', 'array'] }),
  Type.String(EXPECTED_SHAPE),
);

/** Of bodies that are tables. */
export const HEADER_OF_TABLE = Type.Optional(
  Type.Boolean({
    description:
      'Of text: whether its first line has the names of the columns, as it has by default; rows of ndjson say it themselves. `text/csv; header=absent` says false, too.',
  }),
);
export const MEMBER_OF_NPZ = Type.Optional(
  Type.String({
    maxLength: 1000,
    description: 'Of npz: which of its arrays, with or without `.npy`. Needed where there are several.',
  }),
);
export const DTYPE_OF_TABLE = Type.Optional(
  Type.String({
    description:
      'What a table becomes: `float64`, `<i4`, `M8[s]`, or fields as JSON. Absent: what all of its rows together say; dates stay text.',
  }),
);

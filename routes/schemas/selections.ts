/** Selections: what is taken by lists, masks, points and filters. */
import { Type } from 'typebox';
import { CASTINGS } from '../../src/convert/index.js';
import {
  anyValue,
  DatasetName,
  DTypeAnswer,
  EXPECTED_SHAPE_ASKED,
  FIELD,
  Generation,
  int64,
  nullable,
  oneOf,
  Shape,
  toldAsRef,
} from './common.js';

export const SELECTION = {
  index: Type.Optional(
    nullable(
      Type.Array(anyValue(), {
        description:
          'An item for each axis: an integer; a slice as text, "...", or "newaxis"; a list of integers, which may be nested; ' +
          'a list of booleans, which takes as many axes as it is deep; or {"mask": "name"}, a dataset of bool.',
      }),
    ),
  ),
  mode: Type.Optional(
    oneOf(['vectorized', 'orthogonal'], {
      description:
        "Of index: vectorized, the default, is numpy's own rule, by which lists go together; orthogonal lets each choose " +
        'along its own axis.',
    }),
  ),
  mask: Type.Optional(
    anyValue({ description: 'The name of a dataset of bool, or nested booleans: over the leading axes.' }),
  ),
  where: Type.Optional(toldAsRef(Type.Unknown(), 'Filter')),
  slice: Type.Optional(
    Type.String({ description: "Of where: the text inside numpy's brackets, of what the kept rows are." }),
  ),
  limit: Type.Optional(int64({ description: 'Of where: the first rows that are kept, at most so many.' })),
  return: Type.Optional(
    oneOf(['values', 'indices'], { description: 'Of where: the rows, the default, or their numbers as int64.' }),
  ),
  points: Type.Optional(
    nullable(Type.Array(Type.Array(int64()), { description: 'Points, each with an integer for every axis.' })),
  ),
};

const SLICES = nullable(
  Type.Array(Type.String(), { description: 'Several slices, answered as /v1/select answers: as a list, or as npz.' }),
);

export const Selection = Type.Object(
  { ...SELECTION, slices: Type.Optional(SLICES) },
  {
    $id: 'Selection',
    additionalProperties: false,
    description: 'What is taken: one of index, mask, points and where.',
    example: { index: [[0, 2, 5], '1:3'] },
  },
);

const { slice: _, ...OF_READ } = SELECTION;

export const Read = Type.Object(
  {
    dataset: Type.String({ description: 'Name of the dataset.' }),
    name: Type.Optional(Type.String({ description: 'Name of the answer; absent: its number.' })),
    field: FIELD,
    dtype: Type.Optional(
      anyValue({ description: 'What the elements become, as by `dtype=`, which is of reads that say nothing.' }),
    ),
    casting: Type.Optional(oneOf(CASTINGS, { description: 'What `dtype` may lose; safe is the default.' })),
    expected_shape: Type.Optional(EXPECTED_SHAPE_ASKED),
    slice: Type.Optional(
      Type.String({ description: "The text inside numpy's brackets; of where: of what the kept rows are." }),
    ),
    ...OF_READ,
  },
  {
    $id: 'Read',
    description: 'A slice of a dataset, or what else is taken of it.',
    example: { dataset: 'seattle-weather', slice: '0' },
  },
);

export const Reads = Type.Object(
  { reads: Type.Array(Type.Ref('Read'), { description: 'Each dataset is read at one generation.' }) },
  { $id: 'Reads', description: 'Several reads.', example: { reads: [{ dataset: 'seattle-weather', slice: '0' }] } },
);

export const ReadAnswer = Type.Object(
  {
    name: Type.String({ description: 'Name of the answer.' }),
    dataset: DatasetName,
    generation: Generation,
    dtype: DTypeAnswer,
    shape: Shape,
    data: anyValue({ description: 'Nested lists; a bare value for rank 0.' }),
  },
  {
    $id: 'ReadAnswer',
    description: 'One of several answers.',
    example: { name: '0', dataset: 'seattle-weather', generation: 1, dtype: '<f8', shape: [1], data: [0] },
  },
);

export const ReadAnswers = Type.Array(Type.Ref('ReadAnswer'), {
  $id: 'ReadAnswers',
  description: 'An answer for each read, in their order.',
  example: [{ name: '0', dataset: 'seattle-weather', generation: 1, dtype: '<f8', shape: [1], data: [0] }],
});

/** Elements: read, written and flushed. */
import { Type } from 'typebox';
import { LIMITS } from '../../src/limits.js';
import { anyValue, DatasetName, DTypeAnswer, Generation, int64, oneOf, Shape, FIELD } from './common.js';
import { SELECTION } from './selections.js';

export const ArrayAnswer = Type.Object(
  {
    dataset: DatasetName,
    generation: Generation,
    dtype: DTypeAnswer,
    shape: Shape,
    data: anyValue({ description: 'Nested lists; a bare value for rank 0. NaN and infinities are text.' }),
  },
  {
    $id: 'ArrayAnswer',
    description: 'Elements as JSON.',
    example: {
      dataset: 'seattle-weather',
      generation: 1,
      dtype: '<f8',
      shape: [2, 2],
      data: [
        [0, 12.8],
        [10.9, 10.6],
      ],
    },
  },
);

const WRITTEN = {
  elements: int64({ description: 'Number of elements that were written.' }),
  bytes: int64({ description: 'Bytes that were written.' }),
};

const FILES = Type.Optional(
  int64({ description: 'Of an array in several files: how many were written, each with a commit of its own.' }),
);

export const WriteAnswer = Type.Object(
  {
    dataset: DatasetName,
    generation: Generation,
    ...WRITTEN,
    durability: oneOf(['commit', 'none'], { description: 'commit: the write is on disk.' }),
    files: FILES,
  },
  {
    $id: 'WriteAnswer',
    description: 'What a write did.',
    example: { dataset: 'seattle-weather', generation: 2, elements: 4, bytes: 32, durability: 'commit' },
  },
);

export const AppendAnswer = Type.Object(
  {
    ...WriteAnswer.properties,
    shape: Shape,
    rewritten: Type.Optional(
      Type.Boolean({ description: 'The header of the file was made anew, with room for a number that grows.' }),
    ),
  },
  {
    $id: 'AppendAnswer',
    description: 'What an append did, and the shape right after it.',
    example: {
      dataset: 'seattle-weather',
      generation: 2,
      elements: 4,
      bytes: 32,
      durability: 'commit',
      shape: [1462, 4],
    },
  },
);

export const Resize = Type.Object(
  {
    shape: Type.Array(int64(), {
      maxItems: LIMITS.rankMax,
      description: 'All lengths; only that of the axis that grows may be another one.',
    }),
  },
  {
    $id: 'Resize',
    additionalProperties: false,
    description: 'The shape that the array is to have.',
    example: { shape: [1500, 4] },
  },
);

export const ResizeAnswer = Type.Object(
  {
    dataset: DatasetName,
    generation: Generation,
    shape: Shape,
    durability: oneOf(['commit'], { description: 'commit: it is on disk.' }),
    rewritten: AppendAnswer.properties.rewritten,
  },
  {
    $id: 'ResizeAnswer',
    description: 'What a resize did.',
    example: { dataset: 'seattle-weather', generation: 2, shape: [1500, 4], durability: 'commit' },
  },
);

export const SliceWrite = Type.Object(
  {
    slice: Type.Optional(Type.String({ description: "The text inside numpy's brackets. Absent: everything." })),
    field: FIELD,
    index: SELECTION.index,
    mode: SELECTION.mode,
    mask: SELECTION.mask,
    points: SELECTION.points,
    where: SELECTION.where,
    data: anyValue({ description: 'Nested lists, or a bare value that fills the slice.' }),
  },
  { $id: 'SliceWrite', description: 'One write of a batch.', example: { slice: '0', data: [0, 12.8, 5, 4.7] } },
);

export const WriteBatch = Type.Object(
  { writes: Type.Array(Type.Ref('SliceWrite'), { description: 'Applied in this order.' }) },
  {
    $id: 'WriteBatch',
    description: 'Writes that become one commit.',
    example: {
      writes: [
        { slice: '0', data: [0, 12.8, 5, 4.7] },
        { slice: '1,0', data: 10.9 },
      ],
    },
  },
);

export const BatchAnswer = Type.Object(
  {
    dataset: DatasetName,
    generation: int64({ description: 'One for the whole batch.' }),
    writes: int64({ description: 'Slices that were written.' }),
    ...WRITTEN,
    durability: oneOf(['commit', 'none'], {
      description: 'commit: all of them are on disk; none: the dataset has mode c.',
    }),
    files: FILES,
  },
  {
    $id: 'BatchAnswer',
    description: 'What a batch of writes did.',
    example: { dataset: 'seattle-weather', generation: 2, writes: 2, elements: 5, bytes: 40, durability: 'commit' },
  },
);

export const FlushAnswer = Type.Object(
  { dataset: DatasetName, generation: Generation },
  {
    $id: 'FlushAnswer',
    description: 'The state that is on disk.',
    example: { dataset: 'seattle-weather', generation: 1 },
  },
);

export const DiscardAnswer = Type.Object(
  { dataset: DatasetName, generation: Generation },
  {
    $id: 'DiscardAnswer',
    description: 'The state that is left.',
    example: { dataset: 'what-if', generation: 3 },
  },
);

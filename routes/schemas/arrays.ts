/** Elements: read, written and flushed. */
import { Type } from 'typebox';
import { Shape } from './common.js';

export const ArrayAnswer = Type.Object(
  {
    dataset: Type.String(),
    generation: Type.Integer(),
    dtype: Type.String(),
    shape: Shape,
    data: Type.Unknown({ description: 'Nested lists; a bare value for rank 0.' }),
  },
  { $id: 'ArrayAnswer' },
);

export const WriteAnswer = Type.Object(
  {
    dataset: Type.String(),
    generation: Type.Integer(),
    elements: Type.Integer(),
    bytes: Type.Integer(),
    durability: Type.String({ enum: ['commit', 'none'] }),
  },
  { $id: 'WriteAnswer' },
);

export const BatchAnswer = Type.Object(
  {
    dataset: Type.String(),
    generation: Type.Integer({ description: 'One for the whole batch.' }),
    writes: Type.Integer({ description: 'Slices that were written.' }),
    elements: Type.Integer(),
    bytes: Type.Integer(),
    durability: Type.Literal('commit'),
  },
  { $id: 'BatchAnswer' },
);

export const FlushAnswer = Type.Object({ dataset: Type.String(), generation: Type.Integer() }, { $id: 'FlushAnswer' });

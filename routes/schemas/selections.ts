/** Selections: what is taken by lists, masks, points and filters. */
import { Type } from 'typebox';
import { anyValue, int64, nullable, oneOf, toldAsRef } from './common.js';

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

export const Selection = Type.Object(SELECTION, {
  $id: 'Selection',
  additionalProperties: false,
  description: 'What is taken: one of index, mask, points and where.',
  example: { index: [[0, 2, 5], '1:3'] },
});

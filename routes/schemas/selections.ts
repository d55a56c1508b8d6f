/** Selections: what is taken by lists, masks, points and filters. */
import { Type } from 'typebox';
import { anyValue, int64, nullable, oneOf } from './common.js';

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
  points: Type.Optional(
    nullable(Type.Array(Type.Array(int64()), { description: 'Points, each with an integer for every axis.' })),
  ),
};

export const Selection = Type.Object(SELECTION, {
  $id: 'Selection',
  additionalProperties: false,
  description: 'What is taken: one of index, mask and points.',
  example: { index: [[0, 2, 5], '1:3'] },
});

/** Schemas that several components share. */
import { Type } from 'typebox';
import { LIMITS } from '../../src/limits.js';

export const Shape = Type.Array(Type.Integer(), {
  maxItems: LIMITS.rankMax,
  description: 'Length of each axis; [] is a scalar.',
});

/** Bytes that are not text, as generated clients understand it. */
export const BINARY = Type.Unsafe<Uint8Array>({ type: 'string', format: 'binary' });

export const NameParams = Type.Object({ name: Type.String({ description: 'Name of the dataset.' }) });

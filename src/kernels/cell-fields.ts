/**
 * What kernels know of a cell: fields of 8 bytes each, in the order of kernels/cell-fields.ts. A field of neighbouring cells is
 * contiguous; field k of a cell is at cell + k * fieldBytes.
 */
export const CELL_FIELDS = [
  'sum',
  'sumRest',
  'sumCount',
  'count',
  'mean',
  'meanRest',
  'm2',
  'seen',
  'min',
  'max',
  'argmin',
  'argmax',
  'nanIndex',
  'zeros',
] as const;

export type CellField = (typeof CELL_FIELDS)[number];

/** Memory that kernels over rows need for each column, and those of blocks for each short run. */
export const WORKSPACE_BYTES = 32;
export const RUN_WORKSPACE_BYTES = 48;

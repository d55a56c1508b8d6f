/** The items of an index, as read from a body: what numpy's brackets hold, with values but without a shape to fit them to. */
import type { SlicePart } from '../selection.js';

/** Integers that choose along one axis. Nested lists have more than one axis of their own. */
export interface IntegersItem {
  readonly kind: 'integers';
  readonly shape: readonly number[];
  readonly values: Float64Array;
}

/** Booleans that choose along as many axes as they have: the C-order numbers of those that are true, ascending. */
export interface BooleansItem {
  readonly kind: 'booleans';
  readonly shape: readonly number[];
  readonly kept: Float64Array;
}

/** The booleans of a dataset, which have to be read. */
export interface MaskItem {
  readonly kind: 'mask';
  readonly dataset: string;
}

export type ListItem = IntegersItem | BooleansItem;

/** An item that chooses one by one, or a part of a slice. */
export type IndexItem = SlicePart | ListItem;

export type WrittenItem = IndexItem | MaskItem;

/** `vectorized` is numpy's own rule: lists go together. `orthogonal` lets each choose along its own axis. */
export type IndexMode = 'vectorized' | 'orthogonal';

export const INDEX_MODES: readonly IndexMode[] = ['vectorized', 'orthogonal'];

export function isList(item: IndexItem): item is ListItem {
  return item.kind === 'integers' || item.kind === 'booleans';
}

/** Axes of the array that an item takes; undefined for an ellipsis, which takes what the others leave. */
export function axesOf(item: IndexItem): number | undefined {
  if (item.kind === 'ellipsis') return undefined;
  if (item.kind === 'newaxis') return 0;
  return item.kind === 'booleans' ? item.shape.length : 1;
}

/** Memory of its own that other threads can read. */
export function sharedNumbers(length: number): Float64Array {
  return new Float64Array(new SharedArrayBuffer(8 * length));
}

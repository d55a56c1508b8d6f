/** What a body asks for, before it meets a dataset. */
import type { IndexMode, IntegersItem, WrittenItem } from './items.js';

export type Selector =
  | { readonly kind: 'index'; readonly items: readonly WrittenItem[]; readonly mode: IndexMode }
  | { readonly kind: 'points'; readonly points: Pick<IntegersItem, 'shape' | 'values'> }
  | WhereSelector;

/** The first rows that a filter keeps, and a slice of what they are. */
export interface WhereSelector {
  readonly kind: 'where';
  /** JSON of a filter. */
  readonly where: string;
  readonly slice: string | undefined;
  readonly limit: number | undefined;
  readonly returns: 'values' | 'indices';
}

export const SELECTORS = ['index', 'mask', 'points', 'where'] as const;

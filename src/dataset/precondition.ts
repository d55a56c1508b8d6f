/** What a request may ask of the state that it would change (RFC 9110, 13). It is asked when it is the request's turn. */
import type { Dataset } from './dataset.js';

/**
 * What stands under the name that a request is about: a dataset at a generation, something that has no entity tag, or
 * nothing.
 */
export type Standing = { readonly id: string; readonly generation: number } | 'untagged' | undefined;

/** Throws where the request is to be refused. */
export type Precondition = (standing: Standing) => void;

export const UNCONDITIONAL: Precondition = () => {};

export function standingOf({ record, generation }: Dataset): Standing {
  return { id: record.id, generation };
}

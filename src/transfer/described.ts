/** What a body says of the array that is made of it, beside its elements: the names of columns, and attrs and dims as we send them. */
import type { DatasetRecord } from '../dataset/record.js';
import { parseExactJson, type FoundLayout } from '../formats/index.js';
import { LIMITS } from '../limits.js';
import { checkAttrs, checkDims } from '../registry/request.js';

export type Described = Pick<DatasetRecord, 'attrs' | 'dims'>;

/** Other programs may mean something else by these names: what is no attrs and no dims is passed over. */
export function describedBy(
  { columns, attrs, dims }: Omit<FoundLayout, 'layout'>,
  shape: readonly number[],
): Described {
  const named = columns ? { columns } : {};
  return { attrs: attrsOf(attrs, named) ?? named, dims: dimsOf(dims, shape.length) ?? null };
}

function attrsOf(text: string | undefined, named: Described['attrs']): Described['attrs'] | undefined {
  return usable(text, said => {
    if (typeof said !== 'object' || said === null || Array.isArray(said)) return undefined;
    const attrs = { ...said, ...named };
    checkAttrs(attrs);
    return attrs;
  });
}

function dimsOf(text: string | undefined, rank: number): Described['dims'] | undefined {
  return usable(text, said => {
    if (!Array.isArray(said) || !said.every(name => typeof name === 'string')) return undefined;
    checkDims(said, rank);
    return said;
  });
}

function usable<T>(text: string | undefined, take: (said: unknown) => T): T | undefined {
  if (text === undefined || text.length > LIMITS.attrsBytesMax) return undefined;
  try {
    return take(parseExactJson(text));
  } catch {
    return undefined;
  }
}

/** Whose jobs a caller sees. A service without keys, and its anonymous callers, are one owner each. */
import { rankOf } from '../access/scopes.js';
import type { Principal } from '../access/principal.js';
import type { Viewer } from './jobs.js';

const ADMIN = rankOf(['admin']);

/** Their own; all of them with the scope admin, unless the caller is held to some datasets. */
export function viewerOf({ kind, id, rank, patterns }: Principal): Viewer {
  return { owner: `${kind}:${id}`, seesAll: rank === ADMIN && patterns === undefined };
}

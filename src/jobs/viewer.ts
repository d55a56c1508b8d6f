/** Whose jobs a caller sees. A service without keys, and its anonymous callers, are one owner each. */
import { fail } from '../errors.js';
import { rankOf } from '../access/scopes.js';
import type { Principal } from '../access/principal.js';
import type { Viewer } from './jobs.js';

const ADMIN = rankOf(['admin']);

/** Their own, if there can be any; all of them with the scope admin, unless the caller is held to some datasets. */
export function viewerOf({ kind, owner, rank, patterns }: Principal): Viewer {
  return {
    owner: owner === undefined ? undefined : `${kind}:${owner}`,
    seesAll: rank === ADMIN && patterns === undefined,
  };
}

/** Who a new job belongs to. @throws forbidden */
export function ownerOf(principal: Principal): string {
  return (
    viewerOf(principal).owner ??
    fail(
      'forbidden',
      'The token names nobody (sub, client_id or jti) that a job could belong to. Get one that does, or wait for the answer: leave out Prefer: respond-async.',
      { reason: 'no_subject' },
    )
  );
}

/** The two ways to be refused, as errors with what a client needs to do better. */
import { fail, HyperslabError, type ErrorValues } from '../errors.js';
import { hasCredentials, type Principal } from './principal.js';
import { nameOfRank, type Scope } from './scopes.js';

/** Credentials that are missing, or do not hold. `reason` is a word for programs. */
export function unauthenticated(reason: 'missing' | 'invalid_token', detail: string): HyperslabError {
  return new HyperslabError('unauthenticated', detail, { reason });
}

/** Somebody known who may not do this; who has shown nothing is asked for credentials instead. */
export function failForbidden(
  detail: string,
  scope: Scope | undefined,
  principal: Principal,
  values: ErrorValues = {},
): never {
  if (!hasCredentials(principal)) throw missingCredentials(scope);
  return fail('forbidden', detail, { ...(scope && { scope, granted: nameOfRank(principal.rank) }), ...values });
}

export function missingCredentials(scope: Scope | undefined): HyperslabError {
  return unauthenticated(
    'missing',
    `This call needs a key${scope ? ` with the scope ${scope}` : ''}. Send it as "Authorization: Bearer <key>".`,
  );
}

/** `what` begins the sentence. */
export function failScope(scope: Scope, principal: Principal, what = 'This call'): never {
  return failForbidden(
    `${what} needs the scope ${scope}; the ${principal.kind === 'token' ? 'token' : 'key'} has ${nameOfRank(principal.rank)}. Ask for one with ${scope}.`,
    scope,
    principal,
  );
}

/** How calls fail: the problem document, and which codes a route can answer. */
import { Type } from 'typebox';
import { ERRORS, type ErrorCode } from '../../src/errors.js';
import { PROBLEM_TYPE, STATUS } from '../../src/plugins/errors.js';

export const Problem = Type.Object(
  {
    type: Type.String({ description: 'urn:hyperslab:problem:<code>' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String({ description: 'What is wrong, with its values, and what to do about it.' }),
    code: Type.String({ enum: Object.keys(ERRORS) }),
  },
  { $id: 'Problem', additionalProperties: true, description: 'RFC 9457; further members carry the values.' },
);

/** What every call can be answered, whatever it does: by the access rules, by the rate limit, during a shutdown. */
const COMMON_PROBLEMS = [
  'bad_request',
  'unauthenticated',
  'forbidden',
  'forbidden_origin',
  'forbidden_host',
  'too_many_requests',
  'keys_unavailable',
  'shutting_down',
  'internal',
] as const satisfies readonly ErrorCode[];

/** The responses of a route for the errors that it can answer, by status. */
export function problems(...codes: ErrorCode[]): Record<number, object> {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of new Set([...codes, ...COMMON_PROBLEMS])) {
    byStatus.set(STATUS[code], [...(byStatus.get(STATUS[code]) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, names]) => [
      status,
      {
        description: names.map(code => `${code}: ${ERRORS[code]}`).join('; '),
        content: { [PROBLEM_TYPE]: { schema: Type.Ref('Problem') } },
      },
    ]),
  );
}

/** Errors that every call on an existing dataset shares. */
export const DATASET_PROBLEMS = [
  'unknown_dataset',
  'quarantined',
  'generation_moved',
  'file_changed',
  'durability_unknown',
  'io_error',
] as const satisfies readonly ErrorCode[];

/** Errors that every call with a body shares: it may stall, or be more than there is memory for now. */
export const BODY_PROBLEMS = [
  'too_slow',
  'too_large',
  'busy',
  'unsupported_media_type',
] as const satisfies readonly ErrorCode[];

/** How calls fail: the problem document, and which codes a route can answer. */
import { Type } from 'typebox';
import { ERRORS, type ErrorCode } from '../../src/errors.js';
import { PROBLEM_TYPE } from '../../src/plugins/errors.js';
import { int32, oneOf } from './common.js';

const CODES = Object.keys(ERRORS) as ErrorCode[];

export const Problem = Type.Object(
  {
    type: Type.String({ description: 'urn:hyperslab:problem:<code>' }),
    title: Type.String({ description: 'What the code means.' }),
    status: int32({ description: 'The status of the answer.' }),
    detail: Type.String({ description: 'What is wrong, with its values, and what to do about it.' }),
    code: oneOf(CODES, { description: 'What programs branch on.' }),
  },
  {
    $id: 'Problem',
    additionalProperties: true,
    description: 'Why a call failed (RFC 9457); further members carry the values.',
    example: {
      type: 'urn:hyperslab:problem:unknown_dataset',
      title: ERRORS.unknown_dataset.title,
      status: 404,
      detail: 'There is no dataset x.',
      code: 'unknown_dataset',
    },
  },
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

/** Headers of problems, by status. */
const PROBLEM_HEADERS: Readonly<Record<number, Readonly<Record<string, object>>>> = {
  401: { 'WWW-Authenticate': Type.String({ description: 'How to authenticate (RFC 6750).' }) },
  403: { 'WWW-Authenticate': Type.String({ description: 'The scope that is missing (RFC 6750).' }) },
  416: { 'Content-Range': Type.String({ description: 'bytes */<size>' }) },
  429: { 'Retry-After': int32({ description: 'Seconds to wait.' }) },
  503: { 'Retry-After': int32({ description: 'Seconds to wait, where the fault passes by itself.' }) },
};

/** The responses of a route for the errors that it can answer. Those of one status are the same for all routes. */
export function problems(...codes: ErrorCode[]): Record<number, object> {
  const statuses = new Set([...codes, ...COMMON_PROBLEMS].map(code => ERRORS[code].status));
  return Object.fromEntries([...statuses].map(status => [status, problemResponse(status)]));
}

function problemResponse(status: number): object {
  const codes = CODES.filter(code => ERRORS[code].status === status);
  return {
    description: codes.map(code => `${code}: ${ERRORS[code].title}`).join('; '),
    ...(PROBLEM_HEADERS[status] && { headers: PROBLEM_HEADERS[status] }),
    content: { [PROBLEM_TYPE]: { schema: Type.Ref('Problem') } },
  };
}

/** Errors that every call on an existing dataset shares. */
export const DATASET_PROBLEMS = [
  'unknown_dataset',
  'quarantined',
  'generation_moved',
  'moved',
  'file_changed',
  'file_denied',
  // Of files in served folders.
  'name_clash',
  'folder_away',
  'bad_npy',
  'unsupported_dtype',
  'file_too_small',
  'compressed',
  'bad_container',
  'data_folder_refused',
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

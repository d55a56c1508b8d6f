/**
 * Every way a request can fail, as one table: the code that clients branch on, and its title.
 * Status codes are HTTP's business and live in plugins/errors.ts; the sentence with the values and the remedy is
 * written where the fault is found. Hazard: `detail` goes to clients, so it must never hold a server path.
 */
export const ERRORS = {
  // The request cannot be read.
  bad_request: 'The request does not match the API description',
  bad_slice: 'The slice is not numpy basic indexing',
  bad_json: 'The body is not a JSON array of values',
  bad_npy: 'The body or file is not a readable .npy',
  bad_name: 'The dataset name is not allowed',
  expectation_failed: 'The service does not do what the header Expect asks for',
  // Who may do what.
  unauthenticated: 'The call needs credentials that hold',
  forbidden: 'The credentials do not allow this',
  forbidden_host: 'The Host header names another service',
  forbidden_origin: 'A page of another site may not do this',
  read_only: 'The dataset is read-only',
  path_forbidden: 'The path is outside the folders that may be served',
  not_owned: 'The file was not made by this service',
  // Nothing there.
  not_found: 'No such resource',
  method_not_allowed: 'The path takes other methods',
  unknown_dataset: 'No dataset has this name',
  unknown_job: 'No job has this id',
  file_not_found: 'No such file under the served folders',
  // Negotiation.
  not_acceptable: 'None of the formats asked for is available',
  unsupported_media_type: 'The body has a media type that this call does not take',
  range_not_satisfiable: 'The byte range lies outside the answer',
  // Conflicts.
  exists: 'The name or file is taken',
  file_in_use: 'The file is already registered for writing',
  file_changed: 'The file was changed underneath the service',
  generation_moved: 'The state that the request asks for is not the one that stands',
  // Understood, and impossible for this dtype, shape or file.
  index_out_of_bounds: 'An index is outside its axis',
  outside: 'The write starts at the end of the array or behind',
  too_many_indices: 'The slice has more parts than the array has axes',
  result_rank: 'The result would have too many axes',
  unsupported_dtype: 'The dtype is not supported',
  bad_shape: 'The shape cannot be served',
  shape_mismatch: 'The data cannot be broadcast to the selection',
  body_size_mismatch: 'The body has the wrong number of bytes',
  would_lose: 'The dtype cannot hold the values',
  not_an_array: 'The file is a container that is not served',
  format_mismatch: 'The name, the format and the content of the file contradict each other',
  header_mismatch: 'The request contradicts the header of the file',
  file_too_small: 'The file is smaller than the array',
  not_a_regular_file: 'The path is not a regular file',
  file_system_refused: 'The file system cannot be written safely',
  bad_axis: 'The axis does not exist',
  bad_operation: 'The statistic cannot be computed this way',
  not_aligned: 'The datasets do not have as many rows',
  empty_selection: 'The statistic needs at least one element',
  nan_found: 'The selection holds NaN',
  // Limits and capacity.
  too_large: 'The request is over a limit',
  too_slow: 'The request came too slowly',
  head_too_large: 'The request line and headers are over a limit',
  too_many_requests: 'Too many requests in a short time',
  too_many_jobs: 'Too many jobs are waiting',
  keys_unavailable: 'The keys that tokens are checked against cannot be fetched',
  busy: 'The service is at a limit of concurrent work',
  bulk_load: 'The file is being bulk-loaded',
  busy_writing: 'The file is written faster than it can be read consistently',
  worker_lost: 'The computation was lost with its thread',
  no_workers: 'No thread can be started to compute with',
  shutting_down: 'The service is shutting down',
  // Of requests and jobs that nobody waits for any more: for logs and counts, since whoever would read it has gone.
  cancelled: 'The request was cancelled',
  // The storage.
  quarantined: 'The dataset is quarantined',
  durability_unknown: 'The durability of earlier writes is unknown',
  disk_full: 'The disk is full',
  io_error: 'The storage answered with an error',
  internal: 'The service failed',
} as const;

export type ErrorCode = keyof typeof ERRORS;

/** Extra members of a problem document: the values that the sentence mentions, for programs. */
export type ErrorValues = Readonly<Record<string, unknown>>;

/** The one error that this project throws on purpose. `detail` states the fault, the values and the remedy. */
export class HyperslabError extends Error {
  override readonly name = 'HyperslabError';
  readonly code: ErrorCode;
  readonly values: ErrorValues;

  constructor(code: ErrorCode, detail: string, values: ErrorValues = {}, options?: ErrorOptions) {
    super(detail, options);
    this.code = code;
    this.values = values;
  }
}

/** Throws: an expression, so that it can stand at the end of a `??` chain. */
export function fail(code: ErrorCode, detail: string, values?: ErrorValues): never {
  throw new HyperslabError(code, detail, values);
}

export function isErrorCode(error: unknown, code: ErrorCode): error is HyperslabError {
  return error instanceof HyperslabError && error.code === code;
}

/** An assertion for what must hold when the code is right; what a client can cause is a HyperslabError instead. */
export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`invariant broken: ${message}`);
}

/** The `code` of a Node system error (`ENOENT`), or undefined. */
export function systemErrorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

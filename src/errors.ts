/**
 * The one error of this project, and its codes. Hazard: `detail` goes to clients, so it must never hold a server path.
 */
import type { ErrorCode } from './error-table.js';

export { ERRORS, type ErrorCode } from './error-table.js';

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

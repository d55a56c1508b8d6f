/** A sentence for the person at the terminal: what went wrong, and what to do about it. No stack is shown. */
export class ToldError extends Error {
  override readonly name = 'ToldError';
}

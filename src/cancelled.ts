/** Work that nobody waits for any more: the client has gone, or the job was cancelled. What it ends with is no fault. */
import { HyperslabError } from './errors.js';

export function cancelledError(): HyperslabError {
  return new HyperslabError('cancelled', 'The request was cancelled: its client has gone, or its job was deleted.');
}

/** @throws cancelled */
export function checkWanted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw cancelledError();
}

/** Calls back when the signal fires, which it has not yet. Returns how to take that back. */
export function whenCancelled(signal: AbortSignal | undefined, callback: () => void): () => void {
  signal?.addEventListener('abort', callback, { once: true });
  return () => signal?.removeEventListener('abort', callback);
}

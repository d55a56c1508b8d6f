/** What every change of a file owes to those who read it meanwhile. Called under the write lock, before any byte moves. */
import type { View } from '../layout/view.js';
import type { OpenFile } from './open-file.js';

/** Notes what `target` is about to change, and saves its old bytes for the answers that still need them. */
export async function tellReaders(file: OpenFile, target: View, itemsize: number): Promise<void> {
  const { bulkLoading, changes, preImages, writesStarted } = file.state;
  changes.note(writesStarted, target, itemsize);
  if (preImages.isIdle) return;
  // A stream may be as large as the file: its old bytes would not fit, and cutting early spares saving some of them.
  if (bulkLoading) preImages.cutAll();
  else await preImages.keep(file, target, itemsize);
}

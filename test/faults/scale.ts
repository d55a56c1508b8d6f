/** How much a faults test does: `short` fits a continuous integration run, `full` is what the promises are shown with. */
export const isFull = process.env['HYPERSLAB_FAULTS'] === 'full';

export function scaled<T>(short: T, full: T): T {
  return isFull ? full : short;
}

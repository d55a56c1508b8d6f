/** The known word that a mistyped one is likely to mean. */

/** Undefined where no word is near enough to be meant. */
export function nearest(typed: string, words: readonly string[]): string | undefined {
  const [best] = words
    .map(word => ({ word, distance: distanceOf(typed, word) }))
    .toSorted((a, b) => a.distance - b.distance);
  return best && isNear(typed, best.distance) ? best.word : undefined;
}

/** Whether a word so many letters away may have been meant. */
export function isNear(typed: string, distance: number): boolean {
  return distance <= Math.max(1, Math.floor(typed.length / 3));
}

/** ` Did you mean x?`, or nothing. */
export function didYouMean(typed: string, words: readonly string[]): string {
  const near = nearest(typed, words);
  return near === undefined ? '' : ` Did you mean ${near}?`;
}

/** Letters to insert, delete or replace (Levenshtein), with two neighbours swapped as one step. */
export function distanceOf(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1];
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row.push(
        Math.min(
          rows[i - 1]![j]! + 1,
          row[j - 1]! + 1,
          rows[i - 1]![j - 1]! + (isSame ? 0 : 1),
          isSwapped ? rows[i - 2]![j - 2]! + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}

/** Text in lines that fit a terminal. */

const WIDTH = 80;
/** Narrower ones are not worth a thought. */
const WIDTH_MIN = 40;

/** Columns of the terminal behind a stream; 80 where there is none. */
export function widthOf(out: { readonly columns?: number }): number {
  const columns = out.columns ?? 0;
  // Some terminals that are none say 0.
  return columns === 0 ? WIDTH : Math.max(columns, WIDTH_MIN);
}

/**
 * The words of a text in lines of at most `width` characters, those after the first behind `hang` spaces. A word that is
 * longer, such as a path, stays whole: it can be copied.
 */
export function wrapped(text: string, width: number = WIDTH, hang = 0): string {
  const lines: string[] = [];
  let line = '';
  for (const [piece, word] of text.matchAll(/ *([^ ]+)/g)) {
    if (line.trim() !== '' && line.length + piece.length > width) {
      lines.push(line);
      line = `${' '.repeat(hang)}${word}`;
    } else line += piece;
  }
  return [...lines, line].join('\n');
}

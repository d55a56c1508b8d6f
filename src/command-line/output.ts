/**
 * What commands write: tables for people, lines with tabs where another program reads, JSON where it is asked for.
 * Hazard: names and reasons come from elsewhere; nothing in them may be obeyed by a terminal.
 */
import { SingleBar } from 'cli-progress';

/** Of each command that tells something. */
export interface OutputOptions {
  readonly json?: boolean;
}

export function print(text: string): void {
  process.stdout.write(text);
}

/** For people, beside what the command is asked for. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** A text without what a terminal would obey. */
export function plain(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  return text.replaceAll(/[\p{Cc}\p{Cf}]/gu, '\u{fffd}');
}

/** Rows under their heads on a terminal; in a pipe rows alone, with tabs between. */
export function table(heads: readonly string[], rows: readonly (readonly unknown[])[]): string {
  const texts = rows.map(row => row.map(plain));
  if (!process.stdout.isTTY) return texts.map(row => `${row.join('\t')}\n`).join('');
  const widths = heads.map((head, i) => Math.max(head.length, ...texts.map(row => row[i]!.length)));
  return [heads, ...texts]
    .map(
      row =>
        `${row
          .map((text, i) => text.padEnd(widths[i]!))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** Bytes as people read them: 1.2 GB. */
export function sizeText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

/** How far a transfer is, on a terminal; nothing in a pipe. */
export class Progress {
  readonly #bar: SingleBar | undefined;
  #bytes = 0;

  constructor(what: string, totalBytes: number | undefined) {
    if (!process.stderr.isTTY || totalBytes === undefined) return;
    this.#bar = new SingleBar({
      format: `${plain(what).slice(0, 30)} {bar} {percentage}% {size} {eta_formatted}`,
      hideCursor: true,
      barsize: 24,
      etaBuffer: 50,
    });
    this.#bar.start(totalBytes, 0, { size: sizeText(totalBytes) });
  }

  /** Counts bytes that pass. */
  readonly through = async function* (this: Progress, pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const piece of pieces) {
      this.#bytes += piece.byteLength;
      this.#bar?.update(this.#bytes);
      yield piece;
    }
  };

  end(): void {
    this.#bar?.stop();
  }
}

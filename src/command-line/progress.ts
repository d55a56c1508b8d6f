/** How far a transfer is: a line on a terminal, gone when the transfer is over; nothing in a pipe. */
import { SingleBar } from 'cli-progress';
import { plain, sizeText } from './output.js';

/** What takes less is over before anybody looks. */
const QUIET_MS = 500;
const NAME_LENGTH_MAX = 28;

export class Progress {
  readonly #what: string;
  readonly #totalBytes: number | undefined;
  readonly #startedAt = Date.now();
  #bytes = 0;
  #bar: SingleBar | undefined;
  #isOver = false;

  /** Without `totalBytes` it says how much has passed. */
  constructor(what: string, totalBytes: number | undefined) {
    this.#what = plain(what).slice(-NAME_LENGTH_MAX);
    this.#totalBytes = totalBytes;
  }

  /** Counts bytes that pass. */
  readonly through = async function* (this: Progress, pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const piece of pieces) {
      this.count(piece.byteLength);
      yield piece;
    }
  };

  count(bytes: number): void {
    this.#bytes += bytes;
    this.#show();
  }

  end(): void {
    this.#isOver = true;
    this.#bar?.stop();
  }

  #show(): void {
    if (!process.stderr.isTTY || this.#isOver || Date.now() - this.#startedAt < QUIET_MS) return;
    this.#bar ??= this.#started();
    this.#bar.update(this.#bytes, { passed: sizeText(this.#bytes) });
  }

  #started(): SingleBar {
    const total = this.#totalBytes;
    const format = total === undefined ? '{passed}' : `{bar} {percentage}% of ${sizeText(total)}, {eta_formatted} left`;
    const bar = new SingleBar({
      format: `${this.#what} ${format}`,
      // Ctrl-C is the command's own affair.
      gracefulExit: false,
      clearOnComplete: true,
      linewrap: true,
      barsize: 16,
      etaBuffer: 50,
    });
    bar.start(total ?? 0, this.#bytes, { passed: sizeText(this.#bytes) });
    return bar;
  }
}

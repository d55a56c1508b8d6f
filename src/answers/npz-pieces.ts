/** Pieces of elements as a .npz of one member, which numpy.load opens: a stored zip, written as it is sent. */
import type { PieceReader } from '../dataset/pieces.js';
import type { DType } from '../dtype/index.js';
import { npyHeader, zipBytes, ZipWriter } from '../formats/index.js';
import { sizeOf } from '../layout/view.js';

export interface NpzMember {
  /** Of the array, without `.npy`. */
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** The whole file in pieces, and how many bytes it has. @throws no_npy_header */
export class Npz {
  readonly bytes: number;
  readonly #head: Uint8Array;
  readonly #member: { readonly name: string; readonly bytes: number };

  constructor({ name, dtype, shape }: NpzMember) {
    this.#head = npyHeader({ dtype, shape, order: 'C' });
    this.#member = { name: `${name}.npy`, bytes: this.#head.byteLength + sizeOf(shape) * dtype.itemsize };
    this.bytes = zipBytes([this.#member]);
  }

  /** @param pieces of the elements, as they are sent */
  around(pieces: PieceReader): PieceReader {
    const zip = new ZipWriter();
    const head = this.#head;
    let step: 'begin' | 'elements' | 'done' = 'begin';
    const read = async (bytesMax: number | undefined): Promise<Uint8Array | undefined> => {
      if (step === 'done') return undefined;
      if (step === 'begin') {
        step = 'elements';
        const begun = zip.begin(this.#member);
        zip.add(head);
        return Buffer.concat([begun, head]);
      }
      const piece = await pieces.next(bytesMax);
      if (piece) {
        zip.add(piece);
        return piece;
      }
      step = 'done';
      return Buffer.concat([zip.finish(), zip.end()]);
    };
    return { ...pieces, next: read };
  }
}

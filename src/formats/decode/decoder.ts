/**
 * What a format of tables is, for whoever takes bodies in it. A body lies in a file while it is looked at and converted;
 * a decoder does both in steps of some milliseconds, in any thread: what it knows between two steps is plain data, and
 * what is large of it stands in shared memory.
 *
 * look, look … while the body comes → layout, when all of it is there → convert, convert … until all elements are written
 */
import type { Order } from '../../layout/view.js';

/** The file of a body. */
export interface BodySource {
  /** Bytes that have come. */
  readonly size: number;
  /** Nothing more will come. */
  readonly isWhole: boolean;
  /** Bytes that are there; the next read may write over them. */
  read(start: number, length: number): Uint8Array;
}

/** What is asked of a decoder. */
export interface DecodingAsked {
  /** Whether the first line of a text has names. */
  readonly header: boolean;
  /** The typestr of what it becomes. Absent: what all rows together say. */
  readonly dtype?: string | undefined;
  /** The names of the columns that it goes to, where these have some: a column of another one's name is refused. */
  readonly names?: readonly string[] | undefined;
  /** Whether an array is made of it, which keeps the names of its columns. */
  readonly isNew: boolean;
  /** A table of one column becomes an array of this rank; of several columns it is 2 in any case. */
  readonly columnRank: 1 | 2;
}

/** What a body becomes. */
export interface DecodedLayout {
  /** A typestr. */
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly order: Order;
  /** Bytes of elements that are only written together, such as those of a row: no target is shorter. */
  readonly unitBytes: number;
}

export interface Looked<Seen> {
  /** Undefined while too little has come to know anything. */
  readonly seen: Seen | undefined;
  /** There is more to look at in what has come. */
  readonly hasMore: boolean;
}

export interface FoundLayout {
  readonly layout: DecodedLayout;
  /** The names of the columns, where the array has an axis of them. */
  readonly columns?: readonly string[] | undefined;
  /** What a new array says of itself, as texts of JSON that nobody has checked. */
  readonly attrs?: string | undefined;
  readonly dims?: string | undefined;
}

export interface Converted<Place> {
  /** Bytes of elements: none only where there are no more. */
  readonly written: number;
  /** Where the next step goes on. */
  readonly place: Place;
}

/** What is known of a whole body. */
export interface Known<Seen> {
  readonly seen: Seen;
  readonly layout: DecodedLayout;
}

/** `Seen` and `Place` are plain data of the decoder's own. */
export interface Decoder<Seen, Place> {
  /** Looks at what has come, from where the step before ended. @throws bad_table, bad_value and so on, with the place */
  look(source: BodySource, asked: DecodingAsked, seen: Seen | undefined): Looked<Seen>;
  /** What it becomes, after the last look. */
  layout(source: BodySource, asked: DecodingAsked, seen: Seen | undefined): FoundLayout;
  /** Writes the next elements, packed, in the order of the layout. `target` begins with zeros. */
  convert(
    source: BodySource,
    asked: DecodingAsked,
    known: Known<Seen>,
    place: Place | undefined,
    target: Uint8Array,
  ): Converted<Place>;
}

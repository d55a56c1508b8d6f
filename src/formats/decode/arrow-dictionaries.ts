/** Dictionaries of texts: where they stand in a stream, and their texts. */
import { fail } from '../../errors.js';
import { LIMITS } from '../../limits.js';
import { failArrow, messageAt, readBatch } from './arrow-messages.js';
import { placeFields, type PlacedField } from './arrow-places.js';
import type { ArrowIn } from './arrow-schema.js';
import { textReader, type HeldTexts } from './arrow-texts.js';
import type { BodySource } from './decoder.js';

/** A message with texts of a dictionary: all of them, or those that come behind the ones before. */
export interface DictionaryPlace {
  readonly id: number;
  readonly at: number;
  readonly isDelta: boolean;
}

/** Every field with texts that stand in a dictionary, by its id, as what the dictionary has. */
export function dictionaryFields(fields: readonly ArrowIn[]): ReadonlyMap<number, ArrowIn> {
  const found = new Map<number, ArrowIn>();
  const look = (field: ArrowIn): void => {
    const { dictionary, ...plain } = field;
    if (dictionary) found.set(dictionary.id, plain);
    field.children.forEach(look);
  };
  fields.forEach(look);
  return found;
}

/** The texts of the dictionary message at a place, as a column. */
export function dictionaryColumn(
  source: BodySource,
  fields: ReadonlyMap<number, ArrowIn>,
  { id, at }: DictionaryPlace,
): PlacedField {
  const message = messageAt(source, at);
  const field = fields.get(id);
  if (!message || message === 'end' || !field) return failArrow(`no column has the dictionary ${id}`);
  const data = message.header.table(1);
  if (!data) return failArrow(`the dictionary ${id} is empty`);
  return placeFields([field], readBatch(data, message))[0]!;
}

/** Texts of dictionaries as they are before a place of the stream; those that were read last are kept. */
export class Dictionaries {
  readonly #source: BodySource;
  readonly #fields: ReadonlyMap<number, ArrowIn>;
  readonly #places: readonly DictionaryPlace[];
  readonly #kept = new Map<number, { readonly last: number; readonly texts: HeldTexts }>();

  constructor(source: BodySource, fields: readonly ArrowIn[], places: readonly DictionaryPlace[]) {
    this.#source = source;
    this.#fields = dictionaryFields(fields);
    this.#places = places;
  }

  before(at: number, id: number): HeldTexts {
    const all = this.#places.filter(place => place.id === id && place.at < at);
    const first = all.findLastIndex(({ isDelta }) => !isDelta);
    const last = all.at(-1);
    if (first < 0 || !last) return failArrow(`the dictionary ${id} comes behind its rows`);
    const kept = this.#kept.get(id);
    if (kept?.last === last.at) return kept.texts;
    const texts = this.#read(all.slice(first));
    this.#kept.set(id, { last: last.at, texts });
    return texts;
  }

  #read(places: readonly DictionaryPlace[]): HeldTexts {
    const limit = LIMITS.arrowDictionaryBytesMax;
    const parts: Uint8Array[] = [];
    const ends = [0];
    for (const place of places) {
      const column = dictionaryColumn(this.#source, this.#fields, place);
      const reader = textReader(this.#source, column, column.length, () => failArrow('a dictionary has a dictionary'));
      for (let i = 0; i < column.length; i++) {
        reader.read(i);
        const end = ends.at(-1)! + reader.end - reader.start;
        if (end > limit || ends.length > limit / 8) failLong(place.id, limit);
        parts.push(reader.bytes.slice(reader.start, reader.end));
        ends.push(end);
      }
    }
    return { bytes: Buffer.concat(parts), places: ends };
  }
}

function failLong(id: number, limit: number): never {
  return fail(
    'too_large',
    `The texts of dictionary ${id} are more than ${limit} bytes, or one for every eight of them. Cast the column to string.`,
    { limit },
  );
}

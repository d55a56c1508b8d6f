/**
 * Streams of Arrow as tables (https://arrow.apache.org/docs/format/Columnar.html): each message is looked at as it comes, for
 * whether its buffers have what it says, and for the longest texts; rows are read from the buffers of all columns together.
 */
import { fail, invariant } from '../../errors.js';
import { columnBytes } from '../column-items.js';
import { failNull, writeColumn } from './arrow-columns.js';
import { Dictionaries, dictionaryColumn, dictionaryFields, type DictionaryPlace } from './arrow-dictionaries.js';
import {
  BATCH,
  checked,
  DICTIONARY,
  failArrow,
  firstMessage,
  messageAt,
  readBatch,
  SCHEMA,
  type Message,
} from './arrow-messages.js';
import { placeFields, type PlacedField } from './arrow-places.js';
import { readSchema, type ArrowIn, type ArrowInSchema } from './arrow-schema.js';
import { arrowLayout, arrowTable, type ArrowTable } from './arrow-table.js';
import { charactersOf, textReader } from './arrow-texts.js';
import type { BodySource, Decoder } from './decoder.js';
import { LIMITS } from '../../limits.js';

interface ArrowSeen {
  /** The next message. */
  readonly at: number;
  /** Texts of it that have been looked at, of all its columns one behind the other. */
  readonly texts: number;
  readonly rows: number;
  readonly dictionaries: readonly DictionaryPlace[];
  /** Characters of the longest text of each field, by its place among those with texts. */
  readonly lengths: readonly number[];
  /** The same of each dictionary. */
  readonly dictionaryLengths: Readonly<Record<number, number>>;
}

interface ArrowPlace {
  readonly at: number;
  readonly row: number;
}

/** What a step looks at: some milliseconds. */
const LOOK_COST = 4 * 1024 * 1024;
const TEXT_COST = 32;
const FIELD_COST = 512;
const MESSAGE_COST = 4096;

/** Rows of so many messages at most are read in a step. */
const MESSAGES_PER_STEP = 64;

interface Opened {
  readonly schema: ArrowInSchema;
  /** Fields with texts, from the outermost inwards. */
  readonly texts: readonly ArrowIn[];
  /** Behind the schema. */
  readonly next: number;
}

function open(source: BodySource): Opened | undefined {
  const first = firstMessage(source);
  if (first === undefined) return undefined;
  const message = messageAt(source, first);
  if (message === undefined) return undefined;
  if (message === 'end' || message.type !== SCHEMA) return failArrow('it does not begin with a schema');
  const schema = checked(first, () => readSchema(message.header));
  if (countOf(schema.fields) > LIMITS.tableColumnsMax) failColumns(countOf(schema.fields));
  return { schema, texts: everyText(schema.fields), next: message.next };
}

function countOf(fields: readonly ArrowIn[]): number {
  return fields.reduce((sum, { children }) => sum + 1 + countOf(children), 0);
}

function failColumns(asked: number): never {
  const limit = LIMITS.tableColumnsMax;
  return fail('too_large', `There are ${asked} columns; at most ${limit} are read. Send raw or npy.`, { limit, asked });
}

function everyText(fields: readonly ArrowIn[]): readonly ArrowIn[] {
  return fields.flatMap(field => (field.type.kind === 'text' ? [field] : everyText(field.children)));
}

function textColumns(columns: readonly PlacedField[]): readonly PlacedField[] {
  return columns.flatMap(column => (column.field.type.kind === 'text' ? [column] : textColumns(column.children)));
}

/** Looks at messages until they are at their end, or a step is. */
class Looking {
  readonly #source: BodySource;
  readonly #opened: Opened;
  readonly #dictionaries: DictionaryPlace[];
  readonly #lengths: number[];
  readonly #dictionaryLengths: Record<number, number>;
  #at: number;
  #texts: number;
  #rows: number;
  #left = LOOK_COST;

  constructor(source: BodySource, opened: Opened, seen: ArrowSeen) {
    this.#source = source;
    this.#opened = opened;
    this.#dictionaries = [...seen.dictionaries];
    this.#lengths = [...seen.lengths];
    this.#dictionaryLengths = { ...seen.dictionaryLengths };
    this.#at = seen.at;
    this.#texts = seen.texts;
    this.#rows = seen.rows;
  }

  get seen(): ArrowSeen {
    return {
      at: this.#at,
      texts: this.#texts,
      rows: this.#rows,
      dictionaries: this.#dictionaries,
      lengths: this.#lengths,
      dictionaryLengths: this.#dictionaryLengths,
    };
  }

  /** @returns whether there is more to look at in what has come */
  run(): boolean {
    while (this.#left > 0) {
      const message = messageAt(this.#source, this.#at);
      if (message === undefined || message === 'end') return false;
      this.#left -= MESSAGE_COST;
      const isDone = checked(this.#at, () => this.#message(message));
      if (!isDone) return true;
      this.#at = message.next;
      this.#texts = 0;
    }
    return true;
  }

  /** @returns whether all of it was looked at */
  #message(message: Message): boolean {
    if (message.type === BATCH) return this.#batch(message);
    if (message.type === DICTIONARY) return this.#dictionary(message);
    return failArrow(`the message at byte ${this.#at} is neither rows nor a dictionary`);
  }

  #batch(message: Message): boolean {
    const batch = readBatch(message.header, message);
    const columns = placeFields(this.#opened.schema.fields, batch);
    this.#left -= FIELD_COST * columns.length;
    if (this.#texts === 0) columns.forEach(checkNulls);
    let before = 0;
    for (const [i, column] of textColumns(columns).entries()) {
      if (!column.field.dictionary) {
        const from = this.#texts - before;
        if (
          from < column.length &&
          !this.#scan(column, Math.max(0, from), length => (this.#lengths[i] = Math.max(this.#lengths[i]!, length)))
        ) {
          return false;
        }
        before += column.length;
      }
    }
    this.#rows += batch.rows;
    return true;
  }

  #dictionary(message: Message): boolean {
    const id = message.header.long(0);
    const place = { id, at: this.#at, isDelta: message.header.byte(2) !== 0 };
    const column = dictionaryColumn(this.#source, dictionaryFields(this.#opened.schema.fields), place);
    const note = (length: number): void => {
      this.#dictionaryLengths[id] = Math.max(this.#dictionaryLengths[id] ?? 0, length);
    };
    if (!this.#scan(column, this.#texts, note)) return false;
    if (this.#dictionaries.length >= LIMITS.arrowDictionariesMax) {
      const limit = LIMITS.arrowDictionariesMax;
      fail(
        'too_large',
        `There are more than ${limit} dictionaries. Unify them (unify_dictionaries), or cast to string.`,
        { limit },
      );
    }
    this.#dictionaries.push(place);
    return true;
  }

  /** Looks at texts of a column from one on. @returns whether at all of them */
  #scan(column: PlacedField, from: number, note: (length: number) => void): boolean {
    const { name } = column.field;
    const reader = textReader(this.#source, column, column.length, () => failArrow('a dictionary has a dictionary'));
    for (let i = from; i < column.length; i++) {
      if (this.#left <= 0) return false;
      reader.read(i);
      note(charactersOf(reader, name));
      this.#left -= TEXT_COST + reader.end - reader.start;
      this.#texts++;
    }
    return true;
  }
}

/** Before anything is written; what is null within others that are is found out later. */
function checkNulls({ field: { name, type }, nulls, length, children }: PlacedField): void {
  if (nulls > 0 && length > 0) {
    const kind = type.kind === 'items' ? type.dtype[1]! : type.kind;
    if (['i', 'u', 'V', 'bool'].includes(kind)) {
      failNull(name, {
        typestr: type.kind === 'items' ? type.dtype : '|b1',
        name: type.kind === 'items' ? type.dtype : 'bool',
      });
    }
  }
  children.forEach(checkNulls);
}

function begun({ texts, next }: Opened): ArrowSeen {
  return { at: next, texts: 0, rows: 0, dictionaries: [], lengths: texts.map(() => 0), dictionaryLengths: {} };
}

function tableOf(
  { schema, texts }: Opened,
  asked: { readonly dtype?: string | undefined },
  seen: ArrowSeen,
): ArrowTable {
  const lengths = new Map(texts.map((field, i) => [field, seen.lengths[i]!]));
  return arrowTable(schema, asked, field =>
    field.dictionary ? (seen.dictionaryLengths[field.dictionary.id] ?? 0) : (lengths.get(field) ?? 0),
  );
}

export const arrowDecoder: Decoder<ArrowSeen, ArrowPlace> = {
  look(source, _asked, seen) {
    const opened = open(source);
    if (!opened) return { seen: undefined, hasMore: false };
    const looking = new Looking(source, opened, seen ?? begun(opened));
    const hasMore = looking.run();
    return { seen: looking.seen, hasMore };
  },

  layout(source, asked, seen) {
    const opened = open(source);
    invariant(opened !== undefined && seen !== undefined, 'the body has been looked at to its end');
    return arrowLayout(opened.schema, tableOf(opened, asked, seen), asked, seen.rows);
  },

  convert(source, asked, { seen }, place, target) {
    const opened = open(source);
    invariant(opened !== undefined, 'the body has been looked at');
    const table = tableOf(opened, asked, seen);
    const dictionaries = new Dictionaries(source, opened.schema.fields, seen.dictionaries);
    let { at, row } = place ?? { at: opened.next, row: 0 };
    let written = 0;
    let messages = 0;
    const rowsMax = Math.floor(target.byteLength / Math.max(1, table.rowBytes));
    while (written < rowsMax && (written === 0 || messages++ < MESSAGES_PER_STEP)) {
      const message = messageAt(source, at);
      if (!message || message === 'end') break;
      const { type, header, next } = message;
      const batch = type === BATCH ? readBatch(header, message) : undefined;
      const count = batch ? Math.min(batch.rows - row, rowsMax - written) : 0;
      if (batch && count > 0) {
        const columns = placeFields(opened.schema.fields, batch);
        const sources = { source, heldTexts: (id: number) => dictionaries.before(at, id) };
        const into = target.subarray(written * table.rowBytes, (written + count) * table.rowBytes);
        writeRows(sources, columns, table, { row, count, first: written }, into);
        written += count;
        row += count;
      }
      if (!batch || row === batch.rows) {
        at = next;
        row = 0;
      }
    }
    return { written: written * table.rowBytes, place: { at, row } };
  },
};

function writeRows(
  sources: Parameters<typeof writeColumn>[0],
  columns: readonly PlacedField[],
  { columns: rowFields, conversion }: ArrowTable,
  { row, count, first }: { readonly row: number; readonly count: number; readonly first: number },
  target: Uint8Array,
): void {
  const { from, isIdentity } = conversion;
  const items = isIdentity ? target : new Uint8Array(count * from.itemsize);
  const into = columnBytes(items);
  let offset = 0;
  for (const [i, column] of columns.entries()) {
    const places = { axes: [{ length: count, stride: from.itemsize }], offset };
    writeColumn(sources, column, rowFields[i]!, { start: row, count, nulls: undefined }, places, into);
    offset += rowFields[i]!.bytes;
  }
  if (isIdentity) return;
  const converted = new Uint8Array(count * conversion.to.itemsize);
  conversion.run(items, converted, first);
  target.set(converted);
}

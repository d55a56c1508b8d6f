/**
 * The JSON of a selection, read in turns from bytes: lists go straight into numbers, and values of writes and filters
 * stay text. One reader for all bodies that hold selections; each says which members it knows.
 */
import { fail } from '../errors.js';
import {
  expectByte,
  isContinued,
  isEmptyJson,
  JsonScanner,
  membersOfObject,
  readText,
  skipValue,
} from '../formats/index.js';
import { LIMITS } from '../limits.js';
import { didYouMean } from '../near.js';
import { listed, shown } from '../shown.js';
import { parseSlice, type SlicePart } from '../selection.js';
import { INDEX_MODES, type IndexMode, type WrittenItem } from './items.js';
import { readInteger, readLists, type EntriesLeft } from './read-lists.js';
import { SELECTORS, type Selector } from './selector.js';

const QUOTE = 0x22;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const NULL = 0x6e;

/** Every member that any of the bodies has, as it was read; null stands for absent. */
export interface Members {
  index?: readonly WrittenItem[];
  mode?: string;
  mask?: WrittenItem;
  points?: { readonly shape: readonly number[]; readonly values: Float64Array };
  where?: string;
  slice?: string;
  limit?: number;
  return?: string;
  slices?: readonly string[];
  dataset?: string;
  name?: string;
  field?: string;
  dtype?: string;
  casting?: string;
  expected_shape?: string;
  data?: Uint8Array;
}

export type MemberName = keyof Members;

type Reader<T> = (scanner: JsonScanner, left: EntriesLeft) => Generator<void, T>;

const text = (name: string): Reader<string> =>
  // oxlint-disable-next-line require-yield -- Short, in a table of others that are long.
  function* (scanner) {
    if (scanner.peek() !== QUOTE) {
      fail('bad_request', `${name} takes text in double quotes; something else stands at byte ${scanner.at}.`, {
        member: name,
      });
    }
    return readText(scanner);
  };

const READERS: { readonly [Name in MemberName]-?: Reader<NonNullable<Members[Name]>> } = {
  index: readItems,
  mode: text('mode'),
  mask: readMask,
  points: readPoints,
  *where(scanner) {
    return Buffer.from(yield* skipValue(scanner)).toString();
  },
  slice: text('slice'),
  // oxlint-disable-next-line require-yield -- As text.
  *limit(scanner) {
    const limit = readInteger(scanner, 'limit');
    if (limit < 0)
      fail('bad_request', `limit is ${limit}; it is how many rows are taken at most, 0 or more.`, { limit });
    return limit;
  },
  return: text('return'),
  slices: readSlices,
  dataset: text('dataset'),
  name: text('name'),
  field: text('field'),
  /** Structures as JSON, or as its text. */
  *dtype(scanner) {
    if (scanner.peek() === QUOTE) return readText(scanner);
    return Buffer.from(yield* skipValue(scanner)).toString();
  },
  casting: text('casting'),
  /** As text, or as a list. */
  *expected_shape(scanner) {
    if (scanner.peek() === QUOTE) return readText(scanner);
    return Buffer.from(yield* skipValue(scanner))
      .toString()
      .replace(/^\[|\]$/g, '');
  },
  data: skipValue,
};

/** Reads an object whose members are among `known`. @throws bad_json, bad_request, bad_index, too_large */
export function* readMembers(
  scanner: JsonScanner,
  known: readonly MemberName[],
  left: EntriesLeft,
): Generator<void, Members> {
  const members: Members = {};
  const seen = new Set<string>();
  for (const name of membersOfObject(scanner)) {
    if (!(known as readonly string[]).includes(name)) {
      const near = didYouMean(name.slice(0, 60), known).trim().replace(/[.]$/, '');
      const there = `there are ${listed(known, 'and')}${near && `. ${near}`}`;
      scanner.refuse(scanner.start, `the member ${shown(name)} is not known here; ${there}`);
    }
    if (seen.has(name)) scanner.refuse(scanner.start, `the member ${shown(name)} is there twice`);
    seen.add(name);
    if (yield* isAbsent(scanner, name)) continue;
    const value = yield* READERS[name as MemberName](scanner, left);
    Object.assign(members, { [name]: value });
  }
  dropEmpty(members);
  return members;
}

/** Members in which [] means something. */
const MAY_BE_LISTS: readonly string[] = ['index', 'points', 'mask', 'slices'];

/** Passes over null, {} and, where no list is meant, []. */
function* isAbsent(scanner: JsonScanner, name: string): Generator<void, boolean> {
  const first = scanner.peek();
  const isText = !MAY_BE_LISTS.includes(name);
  if (name === 'data' || (first !== NULL && first !== OPEN_OBJECT && !(first === OPEN_LIST && isText))) return false;
  const { at } = scanner;
  if (isEmptyJson(yield* skipValue(scanner))) return true;
  scanner.at = at;
  return false;
}

/** Clients that send every member they know send [] where they mean nothing, beside the one that says something. */
function dropEmpty(members: Members): void {
  const { index, points, mask, where, slices } = members;
  const isSaid = [index?.length, points?.values.length, mask, where, slices?.length].some(Boolean);
  if (!isSaid) return;
  if (index?.length === 0) delete members.index;
  if (points?.shape[0] === 0) delete members.points;
  if (slices?.length === 0) delete members.slices;
}

/**
 * The selection that members say; undefined where they say none.
 * @throws bad_request where they say more than one, or what belongs to another
 */
export function selectorOf(members: Members): Selector | undefined {
  const said = SELECTORS.filter(name => members[name] !== undefined);
  const [kind] = said;
  if (said.length > 1)
    fail('bad_request', `${listed(said, 'and')} say each what is taken. Send one of them.`, { members: said });
  const { index, mask, points, where, slice, limit } = members;
  if (members.mode !== undefined && kind !== 'index') failBelongs('mode', 'index');
  if (kind !== 'where') {
    if (limit !== undefined) failBelongs('limit', 'where');
    if (members.return !== undefined) failBelongs('return', 'where');
    if (kind !== undefined && slice !== undefined) {
      fail('bad_request', `${kind} says what is taken, and slice as well. Send one of them.`, {
        members: [kind, 'slice'],
      });
    }
  }
  if (index) return { kind: 'index', items: index, mode: modeOf(members.mode) };
  if (mask) return { kind: 'index', items: [mask], mode: 'vectorized' };
  if (points) return { kind: 'points', points };
  if (where === undefined) return undefined;
  const returns = members.return ?? 'values';
  if (returns !== 'values' && returns !== 'indices') {
    fail('bad_request', `return is ${shown(returns)}; it takes values or indices.`, { member: 'return' });
  }
  if (returns === 'indices' && slice !== undefined) {
    fail('bad_request', 'Row numbers have no slice: leave slice out, or ask for values.', { member: 'slice' });
  }
  return { kind: 'where', where, slice, limit, returns };
}

function failBelongs(member: string, to: string): never {
  return fail('bad_request', `${member} belongs to ${to}, which is not there. Leave it out.`, { member });
}

function modeOf(mode: string = INDEX_MODES[0]!): IndexMode {
  const known = INDEX_MODES.find(each => each === mode);
  return known ?? fail('bad_request', `mode is ${shown(mode)}; it takes ${listed(INDEX_MODES)}.`, { member: 'mode' });
}

function* readItems(scanner: JsonScanner, left: EntriesLeft): Generator<void, WrittenItem[]> {
  const items: WrittenItem[] = [];
  if (scanner.peek() !== OPEN_LIST)
    fail('bad_index', 'index takes a list with an item for each axis, such as [[0, 2], ":"].');
  scanner.at++;
  if (scanner.peek() === CLOSE_LIST) {
    scanner.at++;
    return items;
  }
  do {
    if (items.length === LIMITS.indexItemsMax) {
      fail(
        'too_large',
        `The index has more than ${LIMITS.indexItemsMax} items. Leave whole axes out, or write "...".`,
        {
          limit: LIMITS.indexItemsMax,
        },
      );
    }
    items.push(yield* readItem(scanner, left, `Item ${items.length} of the index`));
  } while (isContinued(scanner, CLOSE_LIST));
  return items;
}

function* readItem(scanner: JsonScanner, left: EntriesLeft, at: string): Generator<void, WrittenItem> {
  switch (scanner.peek()) {
    case OPEN_LIST:
      return yield* readLists(scanner, left, at);
    case OPEN_OBJECT:
      return yield* readMaskName(scanner, left, at);
    case QUOTE:
      return slicePart(readText(scanner), at);
    default:
      return single(scanner, at);
  }
}

/** One that is not exact is told as it was written. */
function single(scanner: JsonScanner, at: string): WrittenItem {
  const index = readSingle(scanner, at);
  const isExact = Math.abs(index) < Number.MAX_SAFE_INTEGER;
  return { kind: 'index', index, ...(!isExact && { written: scanner.shownToken() }) };
}

/** An integer where no list begins. @throws bad_index for null and bare booleans */
function readSingle(scanner: JsonScanner, at: string): number {
  const first = scanner.peek();
  if (first === 0x74 || first === 0x66 || first === NULL) {
    fail(
      'bad_index',
      `${at} is null, true or false. A new axis is "newaxis"; booleans come as lists, or as {"mask": "name"}.`,
      {
        position: scanner.at,
      },
    );
  }
  return readInteger(scanner, at);
}

/** @throws bad_slice, bad_index where it is no single part, or an integer */
function slicePart(written: string, at: string): SlicePart {
  const [part, ...others] = parseSlice(written);
  if (part && others.length === 0 && part.kind !== 'index' && !written.includes(',')) return part;
  return fail(
    'bad_index',
    `${at} is ${shown(written)}. Text is one slice, "..." or "newaxis"; integers come without quotes.`,
    {
      item: written.slice(0, 60),
    },
  );
}

function* readMask(scanner: JsonScanner, left: EntriesLeft): Generator<void, WrittenItem> {
  if (scanner.peek() === QUOTE) return { kind: 'mask', dataset: readText(scanner) };
  if (scanner.peek() !== OPEN_LIST)
    fail('bad_index', 'mask takes the name of a bool dataset, or nested lists of booleans.');
  const item = yield* readLists(scanner, left, 'mask');
  if (item.kind === 'booleans') return item;
  // A list of nothing is one of no booleans.
  if (item.values.length === 0) return { kind: 'booleans', shape: item.shape, kept: item.values };
  return fail('bad_index', 'mask has integers; it takes booleans. Lists of integers are items of an index.');
}

function* readMaskName(scanner: JsonScanner, left: EntriesLeft, at: string): Generator<void, WrittenItem> {
  const { mask } = yield* readMembers(scanner, ['mask'], left);
  if (mask?.kind === 'mask') return mask;
  return fail('bad_index', `${at} is an object; it takes {"mask": "name"}, the name of a bool dataset.`);
}

function* readPoints(scanner: JsonScanner, left: EntriesLeft): Generator<void, NonNullable<Members['points']>> {
  if (scanner.peek() !== OPEN_LIST) fail('bad_index', 'points takes a list of points, each a list of integers.');
  const item = yield* readLists(scanner, left, 'points');
  if (item.kind === 'integers') return item;
  return fail('bad_index', 'points has booleans; each point is a list of integers.');
}

function* readSlices(scanner: JsonScanner): Generator<void, string[]> {
  const slices: string[] = [];
  expectByte(scanner, OPEN_LIST, 'a list of slices');
  if (scanner.peek() === CLOSE_LIST) {
    scanner.at++;
    return slices;
  }
  do {
    if (slices.length === LIMITS.readsMax) failReads();
    slices.push(readText(scanner));
    if (slices.length % 1000 === 0) yield;
  } while (isContinued(scanner, CLOSE_LIST));
  return slices;
}

/** @throws too_large */
export function failReads(): never {
  return fail(
    'too_large',
    `At most ${LIMITS.readsMax} reads are answered by one call. Send the others in another one.`,
    {
      limit: LIMITS.readsMax,
    },
  );
}

/** The members of a body that is one object. @throws bad_json, bad_request, bad_index, too_large */
export function* readBody(
  bytes: Uint8Array,
  known: readonly MemberName[],
  left: EntriesLeft,
  example: string,
): Generator<void, Members> {
  const scanner = new JsonScanner(bytes);
  scanner.expectText(example);
  const members = yield* readMembers(scanner, known, left);
  if (scanner.peek() !== -1) scanner.refuse(scanner.at, 'something follows the object');
  return members;
}

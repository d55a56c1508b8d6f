/**
 * The JSON of a batch of writes, `{"writes": [{"slice": "0", "data": …}, {"index": [[0, 2]], "data": …}, …]}`: where each
 * goes, and where in the text its values stand, which are JSON of their own.
 */
import { fail } from '../errors.js';
import { expectByte, isContinued, JsonScanner, membersOfObject } from '../formats/index.js';
import { LIMITS } from '../limits.js';
import { shown } from '../shown.js';
import { readMembers, selectorOf, type MemberName } from './read-body.js';
import type { EntriesLeft } from './read-lists.js';
import type { Selector } from './selector.js';

const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
/** Of writes, which are a few dozen bytes each: some hundreds of them in one turn. */
const TURN_BYTES = 32 * 1024;

const MEMBERS: readonly MemberName[] = ['slice', 'data', 'field', 'index', 'mode', 'mask', 'points', 'where'];

export interface WriteEntry {
  /** Undefined means everything, where nothing else is said. */
  readonly slice: string | undefined;
  readonly selector: Selector | undefined;
  readonly field: string | undefined;
  /** The JSON of the value; undefined where it comes in another part of the body. */
  readonly data: Uint8Array | undefined;
}

/** Finds the writes of a batch, in turns. @throws bad_json, bad_request, bad_index, too_large */
export function* readWrites(bytes: Uint8Array, left: EntriesLeft): Generator<void, WriteEntry[]> {
  const scanner = new JsonScanner(bytes);
  scanner.expectText('{"writes": [{"slice": "…", "data": …}, …]}');
  let writes: WriteEntry[] | undefined;
  for (const key of membersOfObject(scanner)) {
    if (key !== 'writes' || writes) {
      const why = writes && key === 'writes' ? 'is there twice' : 'is not known here; there is writes';
      scanner.refuse(scanner.start, `the member ${shown(key)} ${why}`);
    }
    writes = yield* readEntries(scanner, left);
  }
  if (scanner.peek() !== -1) scanner.refuse(scanner.at, 'something follows the object');
  return writes ?? fail('bad_json', 'The body has no writes; it takes {"writes": [{"slice": "…", "data": …}, …]}.');
}

function* readEntries(scanner: JsonScanner, left: EntriesLeft): Generator<void, WriteEntry[]> {
  const writes: WriteEntry[] = [];
  let turnEnd = scanner.at + TURN_BYTES;
  expectByte(scanner, OPEN_LIST, 'a list of writes');
  if (scanner.peek() === CLOSE_LIST) scanner.refuseFor(scanner.at, 'at least one write');
  do {
    if (writes.length === LIMITS.batchWritesMax) {
      fail(
        'too_large',
        `The batch has more than ${LIMITS.batchWritesMax} writes, the most that are taken. Send the others in another batch.`,
        { limit: LIMITS.batchWritesMax },
      );
    }
    const members = yield* readMembers(scanner, MEMBERS, left);
    const { slice, field, data } = members;
    writes.push({ slice, field, data, selector: selectorOf(members) });
    if (scanner.at > turnEnd) {
      turnEnd = scanner.at + TURN_BYTES;
      yield;
    }
  } while (isContinued(scanner, CLOSE_LIST));
  return writes;
}

/** The JSON of several reads, `{"reads": [{"dataset": "a", "slice": "0"}, {"dataset": "b", "index": [[0, 2]]}]}`. */
import { CASTINGS, type Casting } from '../convert/index.js';
import { fail } from '../errors.js';
import { expectByte, isContinued, JsonScanner, membersOfObject } from '../formats/index.js';
import { LIMITS } from '../limits.js';
import { listed, shown } from '../shown.js';
import { failReads, readMembers, selectorOf, type MemberName } from './read-body.js';
import type { EntriesLeft } from './read-lists.js';
import type { Selector } from './selector.js';

const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const MEMBERS: readonly MemberName[] = [
  'dataset',
  'name',
  'slice',
  'field',
  'index',
  'mode',
  'mask',
  'points',
  'where',
  'limit',
  'return',
  'dtype',
  'casting',
  'expected_shape',
];

export interface ReadEntry {
  readonly dataset: string;
  readonly name: string | undefined;
  readonly slice: string | undefined;
  readonly field: string | undefined;
  readonly dtype: string | undefined;
  readonly casting: Casting | undefined;
  readonly expectedShape: string | undefined;
  readonly selector: Selector | undefined;
}

/** In turns. @throws bad_json, bad_request, bad_index, too_large */
export function* readReads(bytes: Uint8Array, left: EntriesLeft): Generator<void, ReadEntry[]> {
  const scanner = new JsonScanner(bytes);
  scanner.expectText('{"reads": [{"dataset": "…", "slice": "…"}, …]}');
  let reads: ReadEntry[] | undefined;
  for (const key of membersOfObject(scanner)) {
    if (key !== 'reads' || reads) {
      scanner.refuse(scanner.start, `the member ${shown(key)} is not known here, or twice; there is reads`);
    }
    reads = [];
    expectByte(scanner, OPEN_LIST, 'a list of reads');
    if (scanner.peek() === CLOSE_LIST) scanner.refuseFor(scanner.at, 'at least one read');
    do {
      if (reads.length === LIMITS.readsMax) failReads();
      const members = yield* readMembers(scanner, MEMBERS, left);
      const { dataset, name, slice, field, dtype, casting, expected_shape: expectedShape } = members;
      if (dataset === undefined) fail('bad_request', `Read ${reads.length} names no dataset.`, { index: reads.length });
      reads.push({
        dataset,
        name,
        slice,
        field,
        dtype,
        casting: casting === undefined ? undefined : castingOf(casting),
        expectedShape,
        selector: selectorOf(members),
      });
      yield;
    } while (isContinued(scanner, CLOSE_LIST));
  }
  if (scanner.peek() !== -1) scanner.refuse(scanner.at, 'something follows the object');
  return reads ?? fail('bad_json', 'The body has no reads; it takes {"reads": [{"dataset": "…", "slice": "…"}, …]}.');
}

function castingOf(text: string): Casting {
  const known = CASTINGS.find(casting => casting === text);
  return (
    known ?? fail('bad_request', `casting is ${shown(text)}; it takes ${listed(CASTINGS)}.`, { member: 'casting' })
  );
}

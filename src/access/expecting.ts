/**
 * The datasets of a caller who expects one of them to have a shape. Every call gets its datasets here, when it begins and
 * again when it is a write's turn, so that the shape is compared before data is touched, whatever the call does.
 */
import type { Dataset } from '../dataset/dataset.js';
import { UNCONDITIONAL, type Precondition } from '../dataset/precondition.js';
import { fail } from '../errors.js';
import { shown } from '../shown.js';
import type { Datasets } from './datasets.js';

/** What is expected of the dataset of a name: the lengths of its axes, without limits, since none has to be there. */
export interface Expected {
  readonly name: string;
  readonly shape: readonly bigint[];
}

const LENGTH = /^-?[0-9]+$/;

/** `1000,4`, or a list of the same in JSON; blank is rank 0. @throws bad_request */
export function parseExpectedShape(given: string | readonly unknown[]): readonly bigint[] {
  const text = given.toString();
  if (text.trim() === '') return [];
  return text.split(',').map(part => {
    const length = part.trim();
    if (LENGTH.test(length) && length.length <= LENGTH_DIGITS_MAX) return BigInt(length);
    return fail(
      'bad_request',
      `expected_shape is ${shown(text)}; it takes the lengths of the axes with commas between them, such as 1000,4, and nothing for a scalar.`,
      { at: 'expected_shape' },
    );
  });
}

/** More than any length has. */
const LENGTH_DIGITS_MAX = 40;

/** @throws moved */
export function checkExpectedShape({ record: { name, shape } }: Dataset, expected: readonly bigint[]): void {
  if (shape.length === expected.length && shape.every((length, axis) => BigInt(length) === expected[axis])) return;
  fail(
    'moved',
    `${name} has the shape (${shape.join(', ')}), and the request expects (${expected.join(', ')}). Nothing was read or changed. Look at it again, and repeat the request where it still holds.`,
    { dataset: name, shape },
  );
}

/** The same datasets, of which one is had only while it has the shape. */
export function expecting(datasets: Datasets, { name, shape }: Expected): Datasets {
  const get = (asked: string): Dataset => {
    const found = datasets.get(asked);
    if (asked === name) checkExpectedShape(found, shape);
    return found;
  };
  /** Asked after the conditions that stand in headers, as it is the turn of the change. */
  const still =
    (precondition: Precondition = UNCONDITIONAL): Precondition =>
    standing => {
      precondition(standing);
      if (standing !== undefined) get(name);
      else fail('moved', `No dataset is named ${name}; the request expects one of a shape.`, { shape: null });
    };
  return {
    get,
    get quarantined() {
      return datasets.quarantined;
    },
    get folderStandings() {
      return datasets.folderStandings;
    },
    count: () => datasets.count(),
    look: names => datasets.look(names),
    has: asked => datasets.has(asked),
    namesOf: fileIds => datasets.namesOf(fileIds),
    list: query => datasets.list(query),
    create: (request, precondition) => datasets.create(request, still(precondition)),
    adopt: (asked, overwrite, open, precondition) => datasets.adopt(asked, overwrite, open, still(precondition)),
    patch: (asked, patch, precondition) => datasets.patch(asked, patch, still(precondition)),
    forget: (asked, deleteData, precondition) => datasets.forget(asked, deleteData, still(precondition)),
  };
}

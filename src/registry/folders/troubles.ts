/** What keeps the arrays of a name from being served, and how callers are told. */
import { fail } from '../../errors.js';
import type { Listed } from '../dataset-index.js';
import { isAway, shownPathOf, type Item, type Trouble } from './tree.js';

export interface ToldTrouble extends Trouble {
  readonly values?: Readonly<Record<string, unknown>>;
}

const PATHS_SHOWN_MAX = 8;

/**
 * The arrays of one name. A file whose arrays could not be told is none of them: it has its own name in the list of what is
 * not served, and keeps no other file from being served.
 */
export function arraysAmong(items: readonly Item[]): readonly Item[] {
  const arrays = items.filter(({ isPlaceholder }) => !isPlaceholder);
  return arrays.length === 0 ? items : arrays;
}

/** Undefined where there is one array, and it can be served. */
export function troubleIn(items: readonly Item[], isUnseenGood = false): ToldTrouble | undefined {
  if (items.some(({ file }) => isAway(file))) return { code: 'folder_away', detail: AWAY };
  const [item, other] = items;
  if (other) return clashOf(items);
  if (item!.trouble) return item!.trouble;
  // It is being looked at for the first time, and could not be.
  return item!.found || isUnseenGood
    ? undefined
    : { code: 'busy', detail: 'The file is being looked at. Repeat in a moment.' };
}

function clashOf(items: readonly Item[]): ToldTrouble {
  const paths = items.map(({ file, member }) =>
    member === undefined ? shownPathOf(file) : `${shownPathOf(file)}:${member}`,
  );
  const shown = paths.slice(0, PATHS_SHOWN_MAX).map(each => JSON.stringify(each));
  const detail = `The name is that of ${shown.join(' and ')}, and none of them is served. Rename one of the files.`;
  return { code: 'name_clash', detail, values: { paths } };
}

const AWAY =
  'The folder of the file cannot be looked at now. Let whoever runs the service see whether it is mounted and may be read; the dataset comes back with it.';

/** @throws folder_away for a name that may be that of a file which nobody can see */
export function failAway(name: string): never {
  const asked = name.slice(0, 140);
  return fail(
    'folder_away',
    `No dataset is named ${JSON.stringify(asked)} in what can be seen, and a served folder is away. ${AWAY}`,
    { dataset: asked },
  );
}

/** An array that is not served, as lists have it. */
export function listedTrouble(item: Item, { code, detail }: Trouble): Listed {
  return { name: item.name, dataset: undefined, reason: detail, code, path: shownPathOf(item.file) };
}

/** What a selector takes of a view: at once, or after masks have been read and filters have looked at rows. */
import type { ArrayPart } from '../dataset/array-part.js';
import type { Dataset } from '../dataset/dataset.js';
import { selectFrom } from '../layout/select.js';
import type { View } from '../layout/view.js';
import { normalise, parseSlice } from '../selection.js';
import { indexView, pointsView, rowsView } from '../select/index-view.js';
import type { IndexItem } from '../select/items.js';
import type { Selector } from '../select/selector.js';
import { runTurns } from '../turns.js';
import { checkMask, claimDatasets, maskNames, withMasks } from './chosen.js';
import type { Claim } from './claim.js';
import { keptRows, type RowChoosing } from './kept-rows.js';

export interface ChosenView {
  readonly view: View;
  /** The same of another view of that shape, in turns; undefined where single elements were taken. */
  readonly take: ((of: View) => Generator<void, View>) | undefined;
  /** On the dataset, where something was read to choose from it; the caller closes it. */
  readonly claim: Claim | undefined;
  /** Datasets that were read, and the generation that they had. */
  readonly read: readonly ReadDataset[];
}

export interface ReadDataset {
  readonly dataset: Dataset;
  readonly generation: number;
}

/** @throws bad_index, index_out_of_bounds, too_many_indices, result_rank, and what masks and filters may be refused for */
export async function chooseView(
  dataset: Dataset,
  part: ArrayPart,
  selector: Selector,
  choosing: RowChoosing,
): Promise<ChosenView> {
  const { view: of } = part;
  switch (selector.kind) {
    case 'points':
      return { view: await runTurns(pointsView(of, selector.points)), take: undefined, claim: undefined, read: [] };
    case 'where': {
      const { claim, rows, read } = await keptRows(dataset.record.name, selector, choosing, part);
      return closingOnFailure(claim, async () => {
        const parts = selector.slice === undefined ? [] : parseSlice(selector.slice);
        const take = function* (from: View): Generator<void, View> {
          const all = yield* rowsView(from, rows);
          return selectFrom(all, normalise(parts, all.shape));
        };
        return { view: await runTurns(take(of)), take, claim, read };
      });
    }
    case 'index': {
      const { items, mode } = selector;
      const names = maskNames(items);
      if (names.length === 0) {
        const take = (from: View): Generator<void, View> => indexView(from, items as readonly IndexItem[], mode);
        return { view: await runTurns(take(of)), take, claim: undefined, read: [] };
      }
      await choosing.look(names);
      const masks = names.map(name => choosing.get(name));
      for (const mask of masks) checkMask(mask);
      const claims = await claimDatasets([dataset, ...masks], choosing);
      const [claim, ...ofMasks] = claims as [Claim, ...Claim[]];
      return closingOnFailure(claim, async () => {
        try {
          const whole = await withMasks(items, ofMasks, choosing);
          const take = (from: View): Generator<void, View> => indexView(from, whole, mode);
          return { view: await runTurns(take(of)), take, claim, read: claims.map(generationOf) };
        } finally {
          for (const each of ofMasks) each.close();
        }
      });
    }
  }
}

export function generationOf({ dataset, generation }: Claim): ReadDataset {
  return { dataset, generation };
}

async function closingOnFailure<T>(claim: Claim, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    claim.close();
    throw error;
  }
}

/** Median and quantiles: cells that fit into memory are gathered, others are searched in rounds. */
import { gridOf, UNBOUNDED } from '../axes.js';
import { nativeTypeOf } from '../native-types.js';
import type { Part } from '../part.js';
import type { Plan } from '../plan.js';
import type { ReducePart } from '../reduce-part.js';
import type { Walk } from '../walk.js';
import { keyBytesOf } from './bits.js';
import { CellsPart } from './cells-part.js';
import { RoundsPart } from './rounds-part.js';
import { isGathered } from './strategy.js';
import type { Wanted } from './wanted.js';

/** The part that answers them. Its plan has a walk, unless the selection is empty. */
export function selectPart(plan: Plan, wanted: Wanted, reduced: ReducePart): Part {
  if (plan.walk.chunkCount === 0) return new CellsPart(plan, wanted, plan.walk);
  if (!isGathered(wanted, plan.cells, plan.cellSize, plan.search)) return new RoundsPart(plan, wanted, reduced);
  return new CellsPart(plan, wanted, wholeCells(plan));
}

/** A walk whose chunks hold all elements of their cells: a strip of neighbours where cells lie side by side. */
function wholeCells({ walk, cellSize, search, bounds }: Plan): Walk {
  const keyBytes = keyBytesOf(nativeTypeOf(walk.dtype));
  const isStrip = walk.box.axes.at(-1)?.kept === true;
  const bytesMax = isStrip ? search.cellBytesMax : Math.min(bounds.chunkBytesMax, search.cellBytesMax);
  const cellsMax = Math.max(1, Math.min(bounds.chunkCellsMax, Math.floor(bytesMax / (cellSize * keyBytes))));
  const grid = gridOf(walk.box.axes, Number.MAX_SAFE_INTEGER, { ...UNBOUNDED, cellsMax });
  return { ...walk, grid, chunkCount: grid.boxes };
}

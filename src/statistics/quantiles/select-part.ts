/** Median and quantiles: the part that answers them. */
import type { Plan } from '../plan.js';
import type { ReducePart } from '../reduce-part.js';
import { CellsPart } from './cells-part.js';
import { RoundsPart } from './rounds-part.js';
import type { SelectPlan } from './strategy.js';
import type { Part } from '../pass.js';

export function selectPart(plan: Plan, select: SelectPlan, reduced: ReducePart): Part {
  const hasElements = plan.walk.chunkCount > 0;
  return hasElements && !select.isGathered ? new RoundsPart(plan, select, reduced) : new CellsPart(plan, select.wanted);
}

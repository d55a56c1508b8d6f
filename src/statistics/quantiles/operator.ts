/** Median and quantiles: the operator that answers them. */
import type { Plan } from '../plan.js';
import type { ReduceOperator } from '../accumulators/operator.js';
import { GatherOperator } from './gather-operator.js';
import { SearchOperator } from './search-operator.js';
import type { QuantilePlan } from './strategy.js';
import type { Operator } from '../pass.js';

export function quantileOperator(plan: Plan, select: QuantilePlan, reduced: ReduceOperator): Operator {
  const hasElements = plan.scan.chunkCount > 0;
  return hasElements && !select.isGathered
    ? new SearchOperator(plan, select, reduced)
    : new GatherOperator(plan, select.wanted);
}

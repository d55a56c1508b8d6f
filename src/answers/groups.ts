/** The groups of an answer as JSON, in pieces of a bounded number of values. */
import { LIMITS } from '../limits.js';
import { valuesToJson, withParts, writeValue } from './json.js';
import type { GroupedResult, GroupKeyValues, OperationResult } from '../statistics/result.js';

/**
 * `[{"key", "count", "results"}, …]` in ascending order of the keys. A key is a value, `[low, high]` for a bin, or a list
 * of these where a list of keys was asked for.
 */
export function* groupsToJson(grouped: GroupedResult, entries: readonly OperationResult[]): Generator<string, void> {
  const results = entries.map(withParts);
  const names = results.map(({ name }) => JSON.stringify(name));
  const valuesPerGroup = results.reduce((sum, { values }) => sum + values.length, 0) / grouped.groups;
  let texts = ['['];
  let values = 0;
  for (let group = 0; group < grouped.groups; group++) {
    texts.push(group === 0 ? '{' : ',{');
    texts.push(`"key":${keyText(grouped, group)},"count":${countText(grouped.counts, group)},"results":{`);
    for (const [i, result] of results.entries()) {
      texts.push(`${i === 0 ? '' : ','}${names[i]!}:`);
      if (isOnePerGroup(result)) texts.push(writeValue(result.values[group]!, result.dtype));
      else texts.push(...valuesToJson(partOf(result, group)));
    }
    texts.push('}}');
    values += 2 + valuesPerGroup;
    if (values < LIMITS.jsonElementsPerTurn) continue;
    yield texts.join('');
    texts = [];
    values = 0;
  }
  texts.push(']');
  yield texts.join('');
}

function isOnePerGroup({ shape }: OperationResult): boolean {
  return shape.length === 1;
}

/** The values of one group: those of the first axis. */
function partOf(result: OperationResult, group: number): OperationResult {
  const shape = result.shape.slice(1);
  const cells = shape.reduce((product, length) => product * length, 1);
  return { ...result, shape, values: result.values.slice(group * cells, (group + 1) * cells) };
}

/** Elements used: one number where all cells of the group used as many. */
function countText(counts: OperationResult, group: number): string {
  if (isOnePerGroup(counts)) return String(counts.values[group]);
  const part = partOf(counts, group);
  const [first = 0] = part.values;
  // Counts are numbers.
  const isOne = (part.values as Float64Array).every(count => count === first);
  return isOne ? String(first) : [...valuesToJson(part)].join('');
}

function keyText({ keys, isList }: GroupedResult, group: number): string {
  const texts = keys.map(key => valueText(key, group));
  return isList ? `[${texts.join(',')}]` : texts[0]!;
}

function valueText(key: GroupKeyValues, group: number): string {
  switch (key.kind) {
    case 'numbers':
      return writeValue(key.values[group]!, key.dtype);
    case 'texts':
      return JSON.stringify(key.values[group]!);
    case 'counts':
      return key.values[group] === 'NaT' ? '"NaT"' : key.values[group]!;
    case 'bins': {
      const bin = key.values[group]!;
      return `[${edgeText(key.edges[bin]!)},${edgeText(key.edges[bin + 1]!)}]`;
    }
  }
}

function edgeText(edge: number | bigint | string): string {
  if (typeof edge === 'string') return JSON.stringify(edge);
  return typeof edge === 'number' && !Number.isFinite(edge) ? `"${edge}"` : String(edge);
}

/** JSON values of the answer. */
export function groupedValues({ groups, keys, counts }: GroupedResult, results: readonly OperationResult[]): number {
  return results.reduce((sum, result) => sum + result.values.length, counts.values.length + groups * keys.length);
}

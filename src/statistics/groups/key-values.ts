/** From the codes of a key back to what an answer shows of it, group by group, in turns. */
import type { GroupKey } from '../../grouping/keys.js';
import { dateText, isText, isTime, numberDType, withByteOrder, type TimeDType } from '../../dtype/index.js';
import { invariant } from '../../errors.js';
import { textOfKey } from '../../filter/texts.js';
import { nativeTypeOf } from '../../kernels/native-types.js';
import { nanCodeOf, valueOfCode } from '../../kernels/sort-keys.js';
import { mapTurns } from '../../turns.js';
import { placed } from '../accumulators/accumulator.js';
import type { GroupKeyValues } from '../result.js';
import type { KeyForm } from '../../grouping/grouping.js';

const INT64 = numberDType('<i8');
const NAT_CODE = nanCodeOf('time');

export function* keyValues(
  { column }: GroupKey,
  form: KeyForm,
  groups: number,
  codeOf: (group: number) => bigint,
): Generator<void, GroupKeyValues> {
  const textsOf = function* (textOf: (code: bigint) => string): Generator<void, GroupKeyValues> {
    const values = yield* mapTurns(Array.from({ length: groups }), (_, i) => textOf(codeOf(i)));
    return { kind: 'texts', values };
  };
  switch (form.kind) {
    case 'bins': {
      const values = yield* placed(groups, i => Number(codeOf(i)));
      return { kind: 'bins', values: values as Float64Array, edges: form.edges };
    }
    case 'rows':
      return { kind: 'numbers', dtype: INT64, values: yield* placed(groups, i => Number(codeOf(i)) * form.length) };
    case 'blocks':
      return yield* textsOf(code => (code === NAT_CODE ? 'NaT' : form.textOf(valueOfCode('time', code) as bigint)));
    case 'texts': {
      const { texts } = form;
      invariant(texts !== undefined, 'texts are known when rows are grouped');
      // Each equals one of them: the place of text i is 2 i + 1.
      return yield* textsOf(code => textOfKey(texts[Number(code >> 1n)]!));
    }
    case 'values': {
      const { dtype } = column!;
      invariant(!isText(dtype), 'texts have a form of their own');
      if (isTime(dtype)) return yield* timeValues(dtype, groups, codeOf);
      const type = nativeTypeOf(dtype);
      const values = yield* placed(groups, i => valueOfCode(type, codeOf(i)));
      return { kind: 'numbers', dtype: withByteOrder(dtype, '<'), values };
    }
  }
}

function* timeValues(
  { kind, unit }: TimeDType,
  groups: number,
  codeOf: (group: number) => bigint,
): Generator<void, GroupKeyValues> {
  const textOf = (code: bigint): string => {
    if (code === NAT_CODE) return 'NaT';
    const count = valueOfCode('time', code) as bigint;
    return kind === 'M' && unit ? dateText(count, unit) : String(count);
  };
  const values = yield* mapTurns(Array.from({ length: groups }), (_, i) => textOf(codeOf(i)));
  return { kind: 'M' === kind && unit ? 'texts' : 'counts', values };
}

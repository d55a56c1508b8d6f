/** What a histogram needs to know of the data before it can count. */
import type { DType } from '../../dtype.js';
import { NATIVE_BYTES, nativeTypeOf } from '../../kernels/native-types.js';
import type { HistogramParameters } from './parameters.js';

/** True where the edges depend on the data. */
export function needsRange(parameters: HistogramParameters): boolean {
  return parameters.kind === 'equal' && parameters.range === undefined;
}

/** True where there are so few values that each has a counter. */
export function isCountedByValue(dtype: DType): boolean {
  return NATIVE_BYTES[nativeTypeOf(dtype)] <= 2;
}

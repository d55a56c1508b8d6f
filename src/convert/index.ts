/** Conversions between dtypes: numpy's casts, byte orders and chosen fields. Pure: no files, no HTTP, no thread. */
export { askedConversion, incomingConversion } from './asked.js';
export { canCast, castingOf, CASTINGS, type Casting } from './casting.js';
export { conversionFrom, conversionOf, type Conversion, type ConversionSpec } from './conversion.js';
export type { Loss } from './kernel.js';
export { checkBool, failItemBytes } from './refusals.js';
export { safeDType } from './safe-dtype.js';

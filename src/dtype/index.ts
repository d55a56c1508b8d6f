/**
 * Every dtype that can be served, as data. The rows of numbers are in numbers.ts, the families of all others in
 * spelling.ts, structures in structure.ts.
 */
export { isNativeOrder, orderedBytes, withByteOrder } from './byte-order.js';
export { civilOf, dateText, daysOf, NAT, readDate, type ReadDate } from './date-text.js';
export { failUnknown, fieldOf, isFieldChoice, type FieldChoice, type FieldView } from './fields.js';
export { isFull, leavesOf, subArrayOf, type Leaf, type LeafDType } from './leaves.js';
export { isWide, NUMBERS, type DTypeName } from './numbers.js';
export { dtypeOf, numberDType, parseDType } from './parse.js';
export { integerRange, overflowOf } from './ranges.js';
export { timeDType } from './spelling.js';
export { bytesOf, descriptionOf, hasHeader, structureFrom, type Description } from './structure.js';
export {
  isCodePoint,
  lengthFault,
  pointFault,
  putText,
  REPLACEMENT,
  textAt,
  textLength,
  type TextFault,
} from './text.js';
export * from './types.js';
export { failUnsupported } from './unsupported.js';

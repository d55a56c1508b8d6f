/** Bytes ⇄ meaning, pure: no files, no HTTP. What the layers above use of each format. */

export {
  mayLoseDigits,
  parseExactJson,
  parseExactTurns,
  stringifyExactJson,
  stringifyExactTurns,
} from './json-exact.js';
export {
  encodeJsonData,
  encodeJsonDataNow,
  isShortJson,
  jsonCost,
  jsonHeldBytes,
  jsonOfItem,
  jsonStretchBytesMax,
  type JsonDataOptions,
} from './json-encode.js';
export { encodeJsonStretch, type JsonTask } from './json-stretch.js';
export { hasJson, jsonItemSize } from './json-size.js';
export { jsonBlockBytesMax } from './json-item-sink.js';
export { parseJsonData, parseJsonDataNow, parseJsonScalar } from './json-parse.js';
export { containerOf, containersNamed, SIGNATURE_BYTES, suffixOf } from './containers.js';
export { CHARACTERS_PER_TURN, parseInTurns } from './json-turns.js';
export { JsonScanner } from './json-scan.js';
export { expectByte, isContinued, isEmptyJson, membersOfObject, readText, skipValue } from './json-members.js';
export { npyHeader, parseNpyHeader, type NpyHeader, type NpyLayout } from './npy.js';
export { growableHeader, growingAxis, LINE_BYTES } from './npy-growth.js';
export { encoderFrom, ENCODINGS, specOf, type EncodeTask, type EncodingName, type EncodingSpec } from './encoding.js';
export type { Encoder, EncodingTable } from './encoder.js';
export { headerLengthOf, LENGTH_BYTES, tensorsOf, typestrOfTensor, type Tensor } from './safetensors.js';
export { FORMATS, formatRow, type FormatName, type FormatRow } from './table.js';
export { COLOUR_MAPS, coloursOf, DEFAULT_MAP } from './colour-maps.js';
export {
  bandRows,
  COUNTED_BINS,
  doPictureTask,
  pictureOf,
  shrinking,
  type Picture,
  type PictureFound,
  type Range as PictureRange,
  type PictureTask,
} from './picture.js';
export { pngData, pngEnd, pngHead } from './png.js';
export { zipBytes, ZipWriter } from './zip.js';
export {
  DEFLATED,
  END_64_BYTES,
  failZip,
  isSameMember,
  LOCAL_BYTES,
  memberStart,
  STORED,
  TAIL_BYTES,
  zipEnd,
  zipEnd64,
  zipEntries,
  type ZipEntry,
} from './zip-read.js';
export {
  columnsTableOf,
  tableOf,
  typedTableOf,
  whyNotColumns,
  whyNotTabular,
  whyNotTyped,
  type Table,
} from './tabular.js';
export {
  convertStep,
  isDecoded,
  layoutOf,
  lookAt,
  type BodyFile,
  type ConvertStepTask,
  type DecodingName,
  type Kept,
  type LookTask,
} from './decode/decoding.js';
export type { BodySource, Converted, DecodedLayout, DecodingAsked, FoundLayout, Looked } from './decode/decoder.js';

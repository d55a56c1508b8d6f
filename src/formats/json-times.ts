/** JSON → datetime64 and timedelta64: text of a date, a count, or "NaT". */
import { NAT, readDate, type TimeDType } from '../dtype/index.js';
import { exactInteger } from './exact-integer.js';
import { refuseItem, refuseNext, type ItemPlace } from './json-item-place.js';

const QUOTE = 0x22;
const MINUS = 0x2d;
const COUNT = /^-?[0-9]{1,30}$/;
const COUNT_MAX = 2n ** 63n - 1n;
/** Longer texts are no dates: years have thirty digits at most. */
const TEXT_LENGTH_MAX = 100;

/** Reads the item that begins at a byte. */
export function timeReader(dtype: TimeDType, place: ItemPlace): (offset: number) => void {
  const { scanner, buffer } = place.context;
  const isLittle = dtype.byteOrder !== '>';
  const wanted = wantedOf(dtype);
  const read = (): bigint => {
    const next = scanner.peek();
    if (next === QUOTE) {
      scanner.readString();
      const text = scanner.at - scanner.start > TEXT_LENGTH_MAX ? '' : scanner.decoded(scanner.token());
      return countOfText(text, dtype, place) ?? refuseItem(place, 'bad_value', wanted);
    }
    if (next !== MINUS && !(next >= 0x30 && next <= 0x39)) refuseNext(place, wanted);
    const value = scanner.readNumber();
    if (scanner.isShortInteger) return BigInt(value);
    return exactInteger(scanner.token()) ?? refuseItem(place, 'would_lose', 'a count has no fraction');
  };
  return offset => {
    const count = read();
    // What stands for NaT is no count.
    if (count > COUNT_MAX || (count <= NAT && !isNat(scanner.token()))) {
      refuseItem(place, 'would_lose', `counts of its unit are ${NAT + 1n} to ${COUNT_MAX}`);
    }
    buffer.view.setBigInt64(offset, count, isLittle);
  };
}

function isNat(token: string): boolean {
  return /nat/i.test(token);
}

/** Undefined where the text is neither. @throws would_lose where numpy would cut a date */
function countOfText(text: string, { kind, unit }: TimeDType, place: ItemPlace): bigint | undefined {
  if ((kind === 'm' || !unit) && COUNT.test(text)) return BigInt(text);
  const date = readDate(text, kind === 'M' ? unit : undefined);
  if (date === 'NaT') return NAT;
  if (date && !date.isExact) {
    const last = place.dtype.name.replace(/^.*\[(.*)\]$/, '$1');
    refuseItem(place, 'would_lose', `it lies between two counts of ${last}, and would be cut to the first. Round it`);
  }
  return date?.count;
}

function wantedOf({ kind, unit }: TimeDType): string {
  if (kind === 'M' && unit)
    return 'it takes a date of ISO 8601 such as "2024-05-01T12:30", a count of its unit, or "NaT"';
  return 'it takes a count of its unit, or "NaT"';
}

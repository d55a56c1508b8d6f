/**
 * Paths as text, whatever bytes they are of: the kernel takes any. A byte that is no UTF-8 stands as a lone surrogate (0xE9 as
 * U+DCE9), as in Python, so that nothing is lost; `bytesOfPath` gives it back to the kernel. Hazard: such text must not be given
 * to a file call, nor to anybody outside, as it is.
 */

const LONE_FIRST = 0xdc00;
const ASCII_END = 0x80;

/** The text of a path that the kernel gave. */
export function pathOfBytes(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  // What was no UTF-8 has become U+FFFD, which may stand in a name, too.
  return !text.includes('\uFFFD') || Buffer.from(text).equals(bytes) ? text : escaped(bytes);
}

function escaped(bytes: Buffer): string {
  let text = '';
  for (let at = 0; at < bytes.length;) {
    const piece = bytes.subarray(at, at + lengthOfPoint(bytes[at]!));
    const point = piece.toString('utf8');
    if (Buffer.from(point).equals(piece)) {
      text += point;
      at += piece.length;
    } else {
      text += String.fromCharCode(LONE_FIRST + bytes[at]!);
      at++;
    }
  }
  return text;
}

/** By the first byte of a code point. */
function lengthOfPoint(first: number): number {
  if (first < 0xc0) return 1;
  if (first < 0xe0) return 2;
  return first < 0xf0 ? 3 : 4;
}

/** What a file call takes: the text itself where it is UTF-8. */
export function bytesOfPath(text: string): string | Buffer {
  if (!LONE.test(text)) return text;
  const pieces = Array.from(text, point => {
    const unit = point.charCodeAt(0);
    const isByte = point.length === 1 && unit >= LONE_FIRST + ASCII_END && unit < LONE_FIRST + 0x100;
    return isByte ? Buffer.of(unit - LONE_FIRST) : Buffer.from(point);
  });
  return Buffer.concat(pieces);
}

const LONE = /\p{Surrogate}/u;
const EACH_LONE = /\p{Surrogate}/gu;

/** What is shown of a path: U+FFFD for each byte that is no UTF-8. */
export function shownPath(text: string): string {
  return LONE.test(text) ? text.replaceAll(EACH_LONE, '\uFFFD') : text;
}

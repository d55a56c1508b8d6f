/**
 * Rows of NDJSON: an object or a list on each line. The first row says which columns there are: what lies in objects and
 * lists inside of it is a column each, `tag.a` and `pos.0`, as csv has them. Members come in any order, and what is null or
 * not there is missing. Hazard: nesting is bounded, so that no row runs out of stack.
 */
import { fail } from '../../errors.js';
import { LIMITS } from '../../limits.js';
import { shown } from '../../shown.js';
import { keyBytes } from '../json-size.js';
import { ABSENT, BARE, Cells, ESCAPED, PLAIN, QUOTED } from './cells.js';
import { failTable, firstRow, type RowFormat, type RowReader } from './rows.js';
import { textDecoder } from './text-decoder.js';

const QUOTE = 0x22;
const PLUS = 0x2b;
const COMMA = 0x2c;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const LINE_FEED = 0x0a;
const SPACE = 0x20;

/** What stands at a place of every row. */
type Node = Leaf | Members | Items;

interface Leaf {
  readonly kind: 'leaf';
  readonly column: number;
}

/** Of an object, in the order of the first row. */
interface Members {
  readonly kind: 'object';
  readonly members: Member[];
  readonly byName: Map<string, Member>;
}

interface Member {
  readonly name: string;
  /** As it is usually written, in quotes. */
  readonly key: Uint8Array;
  readonly node: Node;
}

/** Of a list. */
interface Items {
  readonly kind: 'list';
  readonly items: Node[];
}

/** Words that are values; Python writes the last three. */
const WORDS: readonly (readonly [word: string, form: number])[] = [
  ['true', PLAIN],
  ['false', PLAIN],
  ['null', ABSENT],
  ['NaN', PLAIN],
  ['Infinity', PLAIN],
  ['-Infinity', PLAIN],
];

class NdjsonReader implements RowReader {
  readonly cells = new Cells();
  lines = 0;
  line = 1;
  /** What the first row has. */
  root: Node | undefined;
  #columns = 0;
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  /** Of the line. */
  #end = 0;

  read(bytes: Uint8Array, at: number, isLast: boolean): number {
    const found = bytes.indexOf(LINE_FEED, at);
    if (found < 0 && !isLast) return -1;
    this.#bytes = bytes;
    this.#at = at;
    this.#end = found < 0 ? bytes.length : found;
    this.lines = found < 0 ? 0 : 1;
    const next = this.#end + this.lines;
    const first = this.#peek();
    this.cells.count = 0;
    if (first < 0) return next;
    if (first !== OPEN_OBJECT && first !== OPEN_LIST) this.#refuse('a row is an object or a list');
    if (this.root) {
      this.cells.clear(this.#columns);
      this.#readAs(this.root, 0);
    } else {
      this.root = this.#readNew(0);
      this.#columns = this.cells.count;
      if (this.#columns === 0) this.#refuse('the first row has no values, and says which columns there are');
    }
    if (this.#peek() >= 0) this.#refuse('something follows the row. Each has a line of its own');
    return next;
  }

  unescaped(bytes: Uint8Array, start: number, end: number): Uint8Array {
    const text = this.#decoded(bytes, start - 1, end + 1);
    // Half of a pair is no character, and would be written as another one.
    if (/\p{Surrogate}/u.test(text)) {
      fail('bad_value', `The text ${shown(text)} has half of a surrogate pair, which is no character. Leave it out.`);
    }
    return Buffer.from(text);
  }

  /** A value of the first row. */
  #readNew(depth: number): Node {
    this.#checkDepth(depth);
    const first = this.#peek();
    if (first === OPEN_OBJECT) {
      const members: Member[] = [];
      const byName = new Map<string, Member>();
      this.#eachMember(() => {
        const name = this.#readName();
        if (byName.has(name)) this.#refuseTwice(name);
        const member = { name, key: keyBytes(name), node: this.#readNew(depth + 1) };
        members.push(member);
        byName.set(name, member);
      });
      return { kind: 'object', members, byName };
    }
    if (first === OPEN_LIST) {
      const items: Node[] = [];
      this.#eachItem(() => void items.push(this.#readNew(depth + 1)));
      return { kind: 'list', items };
    }
    const column = this.cells.count++;
    this.#readScalar(first, column);
    return { kind: 'leaf', column };
  }

  /** A value of a later row, where the first one has this. */
  #readAs(node: Node, depth: number): void {
    const first = this.#peek();
    if (node.kind === 'leaf') {
      if (first === OPEN_OBJECT || first === OPEN_LIST) this.#refuseOther('a value');
      this.#readScalar(first, node.column);
    } else if (node.kind === 'object' && first === OPEN_OBJECT) this.#readMembers(node, depth);
    else if (node.kind === 'list' && first === OPEN_LIST) this.#readItems(node, depth);
    // What is null as a whole is so in all of its parts.
    else if (depth === 0 || !this.#skipNull()) this.#refuseOther(node.kind === 'list' ? 'a list' : 'an object');
  }

  #readMembers({ members, byName }: Members, depth: number): void {
    let count = 0;
    this.#eachMember(() => {
      let member = members[count];
      if (!member || !this.#skipKey(member.key)) {
        const name = this.#readName();
        member = byName.get(name) ?? this.#refuseUnknown(name, members);
        count = members.indexOf(member);
      }
      count++;
      if (member.node.kind === 'leaf' && this.cells.forms[member.node.column] !== ABSENT)
        this.#refuseTwice(member.name);
      this.#readAs(member.node, depth + 1);
    });
  }

  #readItems({ items }: Items, depth: number): void {
    let count = 0;
    this.#eachItem(() => {
      const node = items[count++];
      if (node) this.#readAs(node, depth + 1);
      else this.#refuseLength(items.length);
    });
    if (count < items.length) this.#refuseLength(items.length);
  }

  #eachMember(read: () => void): void {
    this.#at++;
    if (this.#peek() === CLOSE_OBJECT) return void this.#at++;
    for (;;) {
      if (this.#peek() !== QUOTE) this.#refuse('the name of a member, in quotes, should stand there');
      read();
      const next = this.#peek();
      if (next !== COMMA && next !== CLOSE_OBJECT) this.#refuse('a comma or a closing brace should stand there');
      this.#at++;
      if (next === CLOSE_OBJECT) return;
    }
  }

  #eachItem(read: () => void): void {
    this.#at++;
    if (this.#peek() === CLOSE_LIST) return void this.#at++;
    for (;;) {
      read();
      const next = this.#peek();
      if (next !== COMMA && next !== CLOSE_LIST) this.#refuse('a comma or a closing bracket should stand there');
      this.#at++;
      if (next === CLOSE_LIST) return;
    }
  }

  /** A name and the colon behind it, where they stand as they are usually written. */
  #skipKey(key: Uint8Array): boolean {
    const bytes = this.#bytes;
    for (let i = 0; i < key.length; i++) if (bytes[this.#at + i] !== key[i]) return false;
    this.#at += key.length;
    this.#skipColon();
    return true;
  }

  #readName(): string {
    const start = this.#at;
    this.#skipString();
    const name = this.#decoded(this.#bytes, start, this.#at);
    this.#skipColon();
    return name;
  }

  #skipColon(): void {
    if (this.#peek() !== COLON) this.#refuse('a colon should stand there');
    this.#at++;
  }

  #readScalar(first: number, column: number): void {
    const start = this.#at;
    if (first === QUOTE) {
      const form = this.#skipString() ? ESCAPED : QUOTED;
      return this.cells.put(column, start + 1, this.#at - 1, form);
    }
    if (this.#skipNumber()) return this.cells.put(column, start, this.#at, BARE);
    for (const [word, form] of WORDS) {
      if (!this.#skipWord(word)) continue;
      return form === ABSENT ? this.cells.put(column, 0, 0, form) : this.cells.put(column, start, this.#at, form);
    }
    return this.#refuse('a value should stand there');
  }

  /** Whether it has escapes. */
  #skipString(): boolean {
    const bytes = this.#bytes;
    let hasEscapes = false;
    for (let at = this.#at + 1; at < this.#end; at++) {
      const byte = bytes[at]!;
      if (byte === QUOTE) {
        this.#at = at + 1;
        return hasEscapes;
      }
      if (byte < SPACE) this.#refuse('a string has a control character, which is written as an escape');
      if (byte !== BACKSLASH) continue;
      hasEscapes = true;
      at++;
    }
    return this.#refuse('the line ends inside a string');
  }

  /** False where there is none, as JSON has them. */
  #skipNumber(): boolean {
    const bytes = this.#bytes;
    let at = this.#at;
    if (bytes[at] === MINUS) at++;
    const start = at;
    at = this.#behindDigits(at);
    if (at === start) return false;
    if (at > start + 1 && bytes[start] === ZERO) this.#refuse('numbers have no leading zeros');
    if (bytes[at] === POINT) at = this.#someDigits(at + 1);
    if (bytes[at] === 0x65 || bytes[at] === 0x45) {
      at++;
      if (bytes[at] === PLUS || bytes[at] === MINUS) at++;
      at = this.#someDigits(at);
    }
    this.#at = at;
    return true;
  }

  #behindDigits(at: number): number {
    const bytes = this.#bytes;
    while (bytes[at]! >= ZERO && bytes[at]! <= ZERO + 9) at++;
    return at;
  }

  #someDigits(start: number): number {
    const at = this.#behindDigits(start);
    return at > start ? at : this.#refuse('a number lacks digits');
  }

  #skipNull(): boolean {
    return this.#skipWord('null');
  }

  #skipWord(word: string): boolean {
    for (let i = 0; i < word.length; i++) if (this.#bytes[this.#at + i] !== word.charCodeAt(i)) return false;
    this.#at += word.length;
    return true;
  }

  /** Skips space; the next byte, or -1 at the end of the line. */
  #peek(): number {
    for (; this.#at < this.#end; this.#at++) {
      const byte = this.#bytes[this.#at]!;
      if (byte !== SPACE && byte !== 0x09 && byte !== 0x0d) return byte;
    }
    return -1;
  }

  #decoded(bytes: Uint8Array, start: number, end: number): string {
    const token = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString();
    if (!token.includes('\\')) return token.slice(1, -1);
    try {
      return JSON.parse(token) as string;
    } catch {
      return this.#refuse('the string has an escape that JSON does not know');
    }
  }

  #checkDepth(depth: number): void {
    if (depth > LIMITS.jsonDepthMax) this.#refuse(`lists and objects may lie ${LIMITS.jsonDepthMax} deep at most`);
  }

  #refuse(why: string): never {
    return failTable(why, this.line);
  }

  #refuseTwice(name: string): never {
    return failTable(`the object has the member ${shown(name)} twice`, this.line);
  }

  #refuseUnknown(name: string, members: readonly Member[]): never {
    const known = members.slice(0, NAMES_MAX).map(each => each.name);
    const detail = `Line ${this.line}: the object has a member ${shown(name)}, and the first one has not: it has ${shown(known)}. Put null there for what is missing.`;
    return fail('unknown_field', detail, { line: this.line, field: name.slice(0, 60), fields: known });
  }

  #refuseLength(expected: number): never {
    const detail = `Line ${this.line}: a list has another length than in the first row, where it has ${expected}. Send as many in each.`;
    return fail('shape_mismatch', detail, { line: this.line, expected });
  }

  #refuseOther(wanted: string): never {
    const detail = `Line ${this.line}: the row is built otherwise than the first one, where ${wanted} stands. Build all rows alike.`;
    return fail('shape_mismatch', detail, { line: this.line });
  }
}

const NAMES_MAX = 50;

const ndjson: RowFormat = {
  open(source) {
    const reader = new NdjsonReader();
    const row = firstRow(source, reader);
    if (!row && !source.isWhole) return undefined;
    return {
      columns: row && reader.cells.count,
      begin: row?.begin ?? { at: source.size, line: 1 },
      names: () => (reader.root?.kind === 'object' ? [...namesOf(reader.root, '')] : undefined),
      hasParts: true,
      quotesText: true,
      reader,
    };
  },
};

/** In the order of the columns. */
function* namesOf(node: Node, name: string): Generator<string> {
  const inside = (part: string): string => (name === '' ? part : `${name}.${part}`);
  if (node.kind === 'leaf') yield name;
  else if (node.kind === 'list') for (const [i, item] of node.items.entries()) yield* namesOf(item, inside(String(i)));
  else for (const member of node.members) yield* namesOf(member.node, inside(member.name));
}

export const ndjsonDecoder = textDecoder(ndjson);

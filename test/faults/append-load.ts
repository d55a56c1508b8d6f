/**
 * Clients that append without end, each to every array in turn and all at once, and the oracle that knows what must be
 * there afterwards. Each row says whose it is: `[client, serial, index in its append, rows of its append, filling …]`.
 * A client whose answer was lost asks again with the same `at`, and looks at the rows there before it believes anything.
 */
import fs from 'node:fs';
import { eventsOf } from '../helpers/events.js';
import { seededRandom, type Random } from '../helpers/random.js';
import type { TestServer } from '../helpers/server.js';
import { binary, create, readRaw } from '../system/calls.js';

export const COLUMNS = 64;
/** Words that say whose a row is; the others follow from them. */
const NAMING = 4;
const ROW_BYTES = COLUMNS * 4;

export interface GrowingArray {
  readonly name: string;
  /** How it is made; an array of F order grows along its last axis, and its rows are columns. */
  readonly order: 'C' | 'F';
  readonly format: 'npy' | 'raw';
  /** As far as the clients know. */
  length: number;
  acked: Append[];
}

/** One append: sent again, as it is, until it is known what became of it. */
export interface Append {
  readonly client: number;
  readonly serial: number;
  readonly count: number;
  at: number;
}

/** What is sent again, and whether it may have been taken before. */
interface Pending extends Append {
  readonly array: GrowingArray;
  isUnknown: boolean;
}

/** Refusals that change nothing, to be tried again. */
const REFUSALS = ['bulk_load', 'busy', 'busy_writing'];

export class AppendOracle {
  readonly arrays: readonly GrowingArray[] = [
    { name: 'log', order: 'C', format: 'npy', length: 0, acked: [] },
    { name: 'columns', order: 'F', format: 'npy', length: 0, acked: [] },
    { name: 'plain', order: 'C', format: 'raw', length: 0, acked: [] },
  ];
  readonly faults: string[] = [];
  /** By client; some are `pending` while no client runs: they have to be asked for again. */
  readonly pending: (Pending | undefined)[];
  readonly serials: number[];
  readonly acksOf: number[];
  /** Answers that were lost and had been taken, or not. */
  readonly lost = { taken: 0, untaken: 0 };
  events = 0;
  /** Confirmed rows of each array, as another process reads them: 8 bytes each. */
  readonly #confirmed: number;

  constructor(clients: number, confirmedFile: string) {
    this.pending = Array.from({ length: clients }, () => undefined);
    this.serials = Array.from({ length: clients }, () => 0);
    this.acksOf = Array.from({ length: clients }, () => 0);
    this.#confirmed = fs.openSync(confirmedFile, 'w+');
    fs.ftruncateSync(this.#confirmed, this.arrays.length * 8);
  }

  get acks(): number {
    return this.acksOf.reduce((sum, count) => sum + count, 0);
  }

  async make(server: TestServer): Promise<void> {
    for (const { name, order, format } of this.arrays) {
      const shape = order === 'C' ? [0, COLUMNS] : [COLUMNS, 0];
      await create(server, { name, dtype: '<u4', shape, order, format });
    }
  }

  ack({ array, client, serial, count, at }: Pending): void {
    array.acked.push({ client, serial, count, at });
    array.length = Math.max(array.length, at + count);
    this.acksOf[client]!++;
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt(array.length));
    fs.writeSync(this.#confirmed, bytes, 0, 8, this.arrays.indexOf(array) * 8);
  }

  /** After a start, with no clients: every append is there whole and once, the confirmed ones where they were said to be. */
  async check(server: TestServer, when: string): Promise<void> {
    for (const array of this.arrays) {
      const rows = await readRows(server, array, '');
      const found = new Map<string, Append>();
      for (const append of this.appendsIn(rows, `${array.name}, ${when}`)) {
        const key = `${append.client}/${append.serial}`;
        if (found.has(key)) this.faults.push(`twice: ${array.name}, ${when}: append ${key}`);
        found.set(key, append);
      }
      for (const { client, serial, at } of array.acked) {
        const there = found.get(`${client}/${serial}`);
        if (there?.at !== at) {
          this.faults.push(`lost: ${array.name}, ${when}: append ${client}/${serial} at ${at}: ${there?.at}`);
        }
        found.delete(`${client}/${serial}`);
      }
      for (const [key, { client, serial }] of found) {
        const pending = this.pending[client];
        if (pending?.array !== array || pending.serial !== serial) {
          this.faults.push(`made up: ${array.name}, ${when}: append ${key} was never left open`);
        }
      }
    }
  }

  /** The appends that rows are made of, which must be whole. */
  *appendsIn(rows: Uint32Array, when: string): Generator<Append> {
    const count = rows.length / COLUMNS;
    for (let at = 0; at < count;) {
      const [client = 0, serial = 0, , length = 0] = rows.subarray(at * COLUMNS, at * COLUMNS + NAMING);
      const wanted = rowsOf({ client, serial, count: length, at });
      const there = rows.subarray(at * COLUMNS, at * COLUMNS + wanted.length);
      if (length === 0 || there.length !== wanted.length || there.some((word, i) => word !== wanted[i])) {
        this.faults.push(`torn: ${when}: row ${at} of ${count}, ${length} rows of append ${client}/${serial}`);
        return;
      }
      yield { client, serial, count: length, at };
      at += length;
    }
  }
}

/** The rows of an append, one behind the other. */
function rowsOf({ client, serial, count }: Append): Uint32Array {
  const rows = new Uint32Array(Math.min(count, 1 << 16) * COLUMNS);
  for (let index = 0; index * COLUMNS < rows.length; index++) {
    const seed = (Math.imul(client, 0x9e3779b1) + Math.imul(serial, 0x85ebca6b) + index) >>> 0;
    rows.set([client, serial, index, count], index * COLUMNS);
    for (let column = NAMING; column < COLUMNS; column++) rows[index * COLUMNS + column] = seed + column;
  }
  return rows;
}

/** Rows one behind the other, whatever the order of the array. */
async function readRows(server: TestServer, { name, order }: GrowingArray, range: string): Promise<Uint32Array> {
  const bytes = await readRaw(server, name, order === 'C' ? range : range && `:,${range}`);
  const words = new Uint32Array(Uint8Array.from(bytes).buffer);
  return order === 'C' ? words : transposed(words, COLUMNS);
}

/** `[a, b]` in C order → `[b, a]`. */
function transposed(words: Uint32Array, first: number): Uint32Array {
  const second = words.length / first;
  const turned = new Uint32Array(words.length);
  for (let i = 0; i < first; i++) for (let j = 0; j < second; j++) turned[j * first + i] = words[i * second + j]!;
  return turned;
}

/** Starts all clients and followers; each ends when the server does. */
export function runAppends(server: TestServer, oracle: AppendOracle, round: number): Promise<void>[] {
  const clients = oracle.pending.map((_, client) =>
    appendOn(server, oracle, client, seededRandom(round * 100 + client + 1)),
  );
  const followers = oracle.pending.map((_, i) => follow(server, oracle, oracle.arrays[i % oracle.arrays.length]!));
  return [...clients, ...followers].map(client =>
    client.catch((error: unknown) => {
      // fetch says TypeError when the connection ends; anything else is a fault of the test or of an answer.
      if (!(error instanceof TypeError)) oracle.faults.push(String(error));
    }),
  );
}

async function appendOn(server: TestServer, oracle: AppendOracle, client: number, random: Random): Promise<void> {
  for (;;) {
    const pending = (oracle.pending[client] ??= nextAppend(oracle, client, random));
    const wasUnknown = pending.isUnknown;
    // What may have been taken is asked for as it was; anything else goes to the end as it is known by now.
    if (!wasUnknown) pending.at = Math.max(pending.at, pending.array.length);
    // Until it is answered.
    pending.isUnknown = true;
    const response = await server.fetch(
      `/v1/datasets/${pending.array.name}/append?at=${pending.at}`,
      binary('POST', bodyOf(pending)),
    );
    const text = await response.text();
    if (response.status === 200) {
      judgeAnswer(oracle, pending, text);
      if (wasUnknown) oracle.lost.untaken++;
      oracle.ack(pending);
      oracle.pending[client] = undefined;
    } else if (response.status === 409 && text.includes('"moved"')) {
      await afterMoved(server, oracle, {
        pending,
        wasUnknown,
        length: (JSON.parse(text) as { length: number }).length,
      });
    } else {
      pending.isUnknown = wasUnknown;
      if (!(response.status === 503 && REFUSALS.some(code => text.includes(`"${code}"`)))) {
        oracle.faults.push(`append: ${response.status} ${text.slice(0, 300)}`);
      }
    }
  }
}

/** The array has another length: others appended, or this very append did before its answer was lost. */
async function afterMoved(
  server: TestServer,
  oracle: AppendOracle,
  { pending, wasUnknown, length }: { pending: Pending; wasUnknown: boolean; length: number },
): Promise<void> {
  const { array, client, serial, at, count } = pending;
  if (length < array.length) oracle.faults.push(`${array.name} has ${length} rows, and ${array.length} were confirmed`);
  if (wasUnknown && length > at) {
    const rows = await readRows(server, array, `${at}:${at + count}`);
    if (rows[0] === client && rows[1] === serial) {
      oracle.lost.taken++;
      oracle.ack(pending);
      oracle.pending[client] = undefined;
      return;
    }
    oracle.lost.untaken++;
  }
  pending.at = length;
  pending.isUnknown = false;
}

function judgeAnswer(oracle: AppendOracle, { array, at, count }: Pending, text: string): void {
  const { shape, durability } = JSON.parse(text) as { shape: number[]; durability: string };
  const length = shape[array.order === 'C' ? 0 : 1];
  if (length === at + count && durability === 'commit') return;
  oracle.faults.push(`${array.name}: ${count} rows at ${at}, and the answer is ${text}`);
}

/** Mostly a few rows; sometimes more than one commit takes. */
function nextAppend(oracle: AppendOracle, client: number, random: Random): Pending {
  const serial = ++oracle.serials[client]!;
  const array = random.pick(oracle.arrays);
  const count = random.below(12) === 0 ? LARGE_ROWS + random.below(200) : random.integer(1, 7);
  return { array, client, serial, count, at: array.length, isUnknown: false };
}

/** An append of so many rows is larger than a commit may be. */
export const COMMIT_BYTES_MAX = 64 * 1024;
const LARGE_ROWS = COMMIT_BYTES_MAX / ROW_BYTES + 1;

function bodyOf(append: Pending): Uint8Array {
  const rows = rowsOf(append);
  return Buffer.from((append.array.order === 'C' ? rows : transposed(rows, append.count)).buffer);
}

/** Follows an array, and reads its last rows at each event: they are whole, and generations and lengths go up. */
async function follow(server: TestServer, oracle: AppendOracle, array: GrowingArray): Promise<void> {
  const response = await server.fetch(`/v1/datasets/${array.name}/events`);
  let [generationBefore, lengthBefore] = [0, 0];
  for await (const { event, data } of eventsOf(response.body!)) {
    if (event !== 'change') continue;
    oracle.events++;
    const { generation, shape } = JSON.parse(data) as { generation: number; shape: number[] };
    const length = shape[array.order === 'C' ? 0 : 1]!;
    if (generation <= generationBefore || length < lengthBefore) {
      oracle.faults.push(
        `events of ${array.name}: ${generation}, ${length} after ${generationBefore}, ${lengthBefore}`,
      );
    }
    [generationBefore, lengthBefore] = [generation, length];
    await readTail(server, oracle, array, length);
  }
}

/** Whole appends end where an array ends, at every moment: the last one stands before any length that was told. */
async function readTail(server: TestServer, oracle: AppendOracle, array: GrowingArray, length: number): Promise<void> {
  if (length === 0) return;
  const last = await readRows(server, array, `${length - 1}:${length}`);
  const [client, serial, index, count] = last.subarray(0, NAMING);
  if (index !== count! - 1) {
    oracle.faults.push(`torn: ${array.name} was said to end at ${length}, in append ${client}/${serial}`);
    return;
  }
  const rows = await readRows(server, array, `${length - count!}:${length}`);
  const found = [...oracle.appendsIn(rows, `${array.name}, the last rows of ${length}`)];
  if (found.length > 1) oracle.faults.push(`${array.name}: ${count} rows before ${length} are ${found.length} appends`);
}

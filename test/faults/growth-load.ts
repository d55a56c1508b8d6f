/**
 * Arrays that grow and shrink without end, each by one writer, and the oracle that knows what must be there afterwards: each
 * is what the operations so far have made of it, with the one that was under way or without it. A row holds one value.
 */
import fs from 'node:fs';
import path from 'node:path';
import type { Random } from '../helpers/random.js';
import { header, npy } from '../helpers/npy.js';
import type { TestServer } from '../helpers/server.js';
import { binary, create, describe, json, KiB, readRaw } from '../system/calls.js';

const COLUMNS = 256;
const ROW_BYTES = COLUMNS * 4;
const FILL = 7;
/** Some appends are larger than a commit may be: they are laid down behind the end as they come. */
export const GROWTH_ENV = { HYPERSLAB_COMMIT_BYTES_MAX: String(64 * KiB) };
const LONG_ROWS = (64 * KiB) / ROW_BYTES + 1;

type StepKind = 'few' | 'long' | 'cut' | 'stretch';

interface GrowthPlan {
  readonly name: string;
  readonly order: 'C' | 'F';
  readonly format: 'npy' | 'raw';
  /** A file that another program made, whose header gets its room by the first append. */
  readonly isForeign?: boolean;
  readonly steps: readonly StepKind[];
}

const PLANS: readonly GrowthPlan[] = [
  { name: 'rows', order: 'C', format: 'npy', steps: ['few'] },
  { name: 'columns', order: 'F', format: 'npy', steps: ['few', 'few', 'long'] },
  { name: 'plain', order: 'C', format: 'raw', steps: ['few', 'few', 'few', 'long'] },
  { name: 'long', order: 'C', format: 'npy', steps: ['long'] },
  { name: 'foreign', order: 'C', format: 'npy', isForeign: true, steps: ['few'] },
  { name: 'resized', order: 'C', format: 'npy', steps: ['few', 'few', 'cut', 'few', 'stretch'] },
  { name: 'resized-plain', order: 'C', format: 'raw', steps: ['few', 'stretch', 'few', 'cut'] },
];

/** What is done to an array: rows of a value join it, or it gets another length. */
interface Operation {
  readonly kind: 'append' | 'resize';
  /** Rows that are added, or the length that it gets. */
  readonly count: number;
  readonly value: number;
  /** Where the log of the disk stood when it was sent, and when it was known to be there. */
  readonly begun: number;
  known?: number;
  generation?: number;
}

export interface GrowingBlock {
  readonly plan: GrowthPlan;
  /** All but the last are known to be there. */
  readonly operations: Operation[];
  acks: number;
}

/** Refusals that change nothing. */
const REFUSALS = ['bulk_load', 'busy', 'busy_writing', 'shutting_down'];

export class GrowthOracle {
  readonly blocks: readonly GrowingBlock[];
  readonly faults: string[] = [];
  readonly #position: () => number;
  #value = FILL;

  constructor(plans: readonly GrowthPlan[], position: () => number = () => 0) {
    this.blocks = plans.map(plan => ({ plan, operations: [], acks: 0 }));
    this.#position = position;
  }

  get acks(): number {
    return this.blocks.reduce((sum, { acks }) => sum + acks, 0);
  }

  /** What must be there after a cut before the entry `cut` of the log. */
  at(cut: number): GrowthOracle {
    const oracle = new GrowthOracle(this.blocks.map(({ plan }) => plan));
    for (const [i, { operations }] of this.blocks.entries()) {
      for (const operation of operations) {
        // What began at the cut has written nothing before it; what was confirmed at the cut has nothing behind it.
        if (operation.begun >= cut) break;
        const { kind, count, value, begun, known = Number.POSITIVE_INFINITY } = operation;
        oracle.blocks[i]!.operations.push(known <= cut ? operation : { kind, count, value, begun });
      }
    }
    oracle.#value = this.#value;
    return oracle;
  }

  begin(block: GrowingBlock, step: StepKind, random: Random): Operation {
    const length = rowsOf(block).length;
    const counts = { few: random.integer(1, 40), long: LONG_ROWS + random.below(LONG_ROWS) };
    const lengths = { cut: random.integer(0, length), stretch: length + random.integer(0, 60) };
    const isAppend = step === 'few' || step === 'long';
    const operation: Operation = {
      kind: isAppend ? 'append' : 'resize',
      count: isAppend ? counts[step] : lengths[step],
      value: ++this.#value,
      begun: this.#position(),
    };
    block.operations.push(operation);
    return operation;
  }

  ack(block: GrowingBlock, operation: Operation, generation: number): void {
    operation.known = this.#position();
    operation.generation = generation;
    block.acks++;
    const before = Math.max(0, ...block.operations.slice(0, -1).map(each => each.generation ?? 0));
    const changes = operation.kind === 'append' || rowsOf(block).length !== rowsOf(block, 1).length;
    if (generation < before || (changes && generation === before)) {
      this.faults.push(`${block.plan.name}: generation ${generation} was given after ${before}`);
    }
  }

  /** After a start, with no writers: takes what is found as the new beginning. */
  async check(server: TestServer, when: string): Promise<void> {
    for (const block of this.blocks) {
      const { plan, operations } = block;
      const found = await readValues(server, plan).catch((error: unknown) => String(error));
      if (typeof found === 'string') {
        this.faults.push(`${plan.name}, ${when}: ${found}`);
        continue;
      }
      const last = operations.at(-1);
      const isOpen = last !== undefined && last.known === undefined;
      const isThere = areSame(found, rowsOf(block));
      if (!isThere && !(isOpen && areSame(found, rowsOf(block, 1)))) {
        this.faults.push(`lost: ${plan.name}, ${when}: ${differenceOf(found, rowsOf(block))}`);
      }
      if (isOpen && isThere) last.known = this.#position();
      if (isOpen && !isThere) operations.pop();
      await this.#checkFile(server, block, found.length, when);
    }
  }

  /** What stands in the file itself, and the generation. */
  async #checkFile(
    server: TestServer,
    { plan, operations }: GrowingBlock,
    length: number,
    when: string,
  ): Promise<void> {
    const { generation, shape } = await describe(server, plan.name);
    const highest = Math.max(0, ...operations.map(each => each.generation ?? 0));
    if (generation < highest) this.faults.push(`${plan.name}, ${when}: generation ${generation} is behind ${highest}`);
    const file = fs.readFileSync(fileOf(server, plan));
    const dataStart = plan.format === 'npy' ? 10 + file.readUInt16LE(8) : 0;
    const said = plan.format === 'npy' ? /\((\d+), *(\d+)\)/.exec(file.toString('latin1', 0, dataStart)) : undefined;
    const wanted = plan.order === 'C' ? [length, COLUMNS] : [COLUMNS, length];
    if (String(shape) !== String(wanted) || (said && String(said.slice(1).map(Number)) !== String(wanted))) {
      this.faults.push(`${plan.name}, ${when}: shape ${shape.join()}, header ${said?.slice(1).join()}, ${length} rows`);
    }
    if (file.byteLength !== dataStart + length * ROW_BYTES) {
      this.faults.push(`${plan.name}, ${when}: the file has ${file.byteLength} bytes for ${length} rows`);
    }
  }
}

/** The value of each row, by all operations or without the last ones. */
function rowsOf({ operations, plan }: GrowingBlock, without = 0): number[] {
  const rows: number[] = [];
  for (const { kind, count, value } of operations.slice(0, operations.length - without)) {
    if (kind === 'append') for (let i = 0; i < count; i++) rows.push(value);
    else {
      const before = rows.length;
      rows.length = count;
      if (count > before) rows.fill(plan.isForeign ? 0 : FILL, before);
    }
  }
  return rows;
}

function areSame(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}

function differenceOf(found: readonly number[], wanted: readonly number[]): string {
  const at = wanted.findIndex((value, i) => value !== found[i]);
  return `${found.length} rows, ${wanted.length} were due; row ${at} is ${found[at]}, and ${wanted[at]} was due`;
}

/** The value of each row. @throws where a row holds several */
async function readValues(server: TestServer, { name, order }: GrowthPlan): Promise<number[]> {
  const words = new Uint32Array(Uint8Array.from(await readRaw(server, name)).buffer);
  const length = words.length / COLUMNS;
  const [rowStep, columnStep] = order === 'C' ? [COLUMNS, 1] : [1, length];
  return Array.from({ length }, (_, row) => {
    const value = words[row * rowStep]!;
    for (let column = 1; column < COLUMNS; column++) {
      const other = words[row * rowStep + column * columnStep]!;
      if (other !== value) throw new Error(`torn: row ${row} of ${length} holds ${value} and ${other}`);
    }
    return value;
  });
}

function fileOf(server: TestServer, { name, format, isForeign }: GrowthPlan): string {
  return path.join(server.dataDir, ...(isForeign ? [] : ['arrays']), `${name}.${format}`);
}

/** Makes the arrays. Returns the plans that this build can carry out. */
export async function makeGrowing(server: TestServer): Promise<readonly GrowthPlan[]> {
  for (const plan of PLANS) {
    const { name, order, format, isForeign } = plan;
    if (isForeign) {
      // Durable, as its maker left it.
      fs.writeFileSync(fileOf(server, plan), npy(header('<u4', `(0, ${COLUMNS})`), 0), { flush: true });
      await create(server, { name, path: `${name}.npy`, mode: 'r+' });
    } else {
      const shape = order === 'C' ? [0, COLUMNS] : [COLUMNS, 0];
      await create(server, { name, dtype: '<u4', shape, order, format, fill: FILL });
    }
  }
  const response = await server.fetch('/v1/datasets/resized/resize', json('POST', { shape: [0, COLUMNS] }));
  await response.text();
  const canResize = response.status !== 404 && response.status !== 405;
  return PLANS.filter(({ steps }) => canResize || !steps.some(step => step === 'cut' || step === 'stretch'));
}

/** Starts all writers; each ends when the server does, and where it is not known what became of its operation. */
export function runGrowth(server: TestServer, oracle: GrowthOracle, random: Random): Promise<void>[] {
  return oracle.blocks.map(block =>
    growOn(server, oracle, block, random).catch((error: unknown) => {
      // fetch says TypeError when the connection ends; anything else is a fault of the test or of an answer.
      if (!(error instanceof TypeError)) oracle.faults.push(String(error));
    }),
  );
}

async function growOn(server: TestServer, oracle: GrowthOracle, block: GrowingBlock, random: Random): Promise<void> {
  const { steps } = block.plan;
  for (let turn = 0; ; turn++)
    if (!(await growOnce(server, oracle, block, steps[turn % steps.length]!, random))) return;
}

/** One operation. False where it is not known what became of it. */
export async function growOnce(
  server: TestServer,
  oracle: GrowthOracle,
  block: GrowingBlock,
  step: StepKind,
  random: Random,
): Promise<boolean> {
  const operation = oracle.begin(block, step, random);
  const response = await send(server, block, operation);
  const text = await response.text();
  if (response.status === 200) {
    oracle.ack(block, operation, (JSON.parse(text) as { generation: number }).generation);
    return true;
  }
  const isRefused = response.status === 503 && REFUSALS.some(code => text.includes(`"${code}"`));
  if (isRefused) block.operations.pop();
  else oracle.faults.push(`${block.plan.name}: ${operation.kind}: ${response.status} ${text.slice(0, 300)}`);
  return isRefused;
}

function send(server: TestServer, block: GrowingBlock, { kind, count, value }: Operation): Promise<Response> {
  const { name, order } = block.plan;
  if (kind === 'resize') {
    const shape = order === 'C' ? [count, COLUMNS] : [COLUMNS, count];
    return server.fetch(`/v1/datasets/${name}/resize`, json('POST', { shape }));
  }
  const body = Buffer.from(new Uint32Array(count * COLUMNS).fill(value).buffer);
  return server.fetch(`/v1/datasets/${name}/append?at=${rowsOf(block, 1).length}`, binary('POST', body));
}

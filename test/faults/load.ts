/**
 * Writers that never stop, and the oracle that knows what must be there afterwards. Each writer owns a block and puts
 * one value at a time into all of it; it notes the value before the request is sent and again when it is confirmed.
 * Whatever happens in between, the block must hold one value, and lastAck <= value <= lastBegin.
 */
import { createHash } from 'node:crypto';
import type { TestServer } from '../helpers/server.js';
import { binary, create, describe, json, readRaw } from '../system/calls.js';

/** `none` confirms nothing; the `flush` behind it confirms the values before it. The others are commits. */
type Step = 'raw' | 'json' | 'batch' | 'none' | 'flush';

export interface WriterPlan {
  readonly title: string;
  readonly dataset: string;
  readonly slices: readonly string[];
  readonly steps: readonly Step[];
}

export const ROWS = 64;
export const COLUMNS = 16_384;

/** Eight clients; every slice belongs to one of them. */
export const WRITERS: readonly WriterPlan[] = [
  { title: '1 MiB of rows', dataset: 'main', slices: ['0:16'], steps: ['raw'] },
  { title: 'a tile of 16 runs', dataset: 'main', slices: ['16:32,100:16100'], steps: ['raw'] },
  { title: 'every other column', dataset: 'main', slices: ['32:36,::2'], steps: ['raw'] },
  { title: 'a value that fills rows', dataset: 'main', slices: ['36:44'], steps: ['json'] },
  { title: 'a batch of three slices', dataset: 'main', slices: ['44', '45:47', '47,::4'], steps: ['batch'] },
  {
    title: 'commit, none and flush in turn',
    dataset: 'main',
    slices: ['48:50'],
    steps: ['raw', 'none', 'none', 'flush'],
  },
  { title: 'none and flush', dataset: 'main', slices: ['50:54'], steps: ['none', 'none', 'none', 'flush'] },
  { title: 'a file of its own', dataset: 'second', slices: ['...'], steps: ['raw'] },
];

/** What may be answered to a write that is not taken: nothing is changed then. */
const REFUSALS = ['bulk_load', 'busy', 'busy_writing'];

export interface Block {
  readonly plan: WriterPlan;
  /** `none` is not atomic: parts of the block may be at different values, all of them in the bounds. */
  readonly isAtomic: boolean;
  lastAck: number;
  lastBegin: number;
  acks: number;
}

/** Everything that was found wrong, as sentences. */
export class Oracle {
  readonly blocks: readonly Block[];
  readonly faults: string[] = [];
  /** What `none` answered lasts until a flush unless power fails: a killed process leaves it to the kernel. */
  noneSurvives = false;
  #value = 0;
  /** Highest confirmed generation of each writable dataset before the last start. */
  readonly #highest = new Map<string, number>();
  /** Every generation that a write was confirmed with. */
  readonly #used = new Map<string, Set<number>>();
  /** Digest of the whole array at each generation that was read: it is the same for ever. */
  readonly #contents = new Map<string, string>();

  constructor({ hasBatches, writers = WRITERS }: { hasBatches: boolean; writers?: readonly WriterPlan[] }) {
    this.blocks = writers
      .filter(({ steps }) => hasBatches || !steps.includes('batch'))
      .map(plan => ({
        plan,
        isAtomic: !plan.steps.includes('none'),
        lastAck: 0,
        lastBegin: 0,
        acks: 0,
      }));
  }

  get acks(): number {
    return this.blocks.reduce((sum, { acks }) => sum + acks, 0);
  }

  begin(block: Block): number {
    return (block.lastBegin = ++this.#value);
  }

  ack(block: Block, value: number, generation?: number): void {
    block.lastAck = value;
    block.acks++;
    if (generation !== undefined) this.#noteGeneration(block.plan.dataset, generation);
  }

  #noteGeneration(dataset: string, generation: number): void {
    const used = this.#used.get(dataset) ?? new Set();
    this.#used.set(dataset, used.add(generation));
    const highest = this.#highest.get(dataset) ?? 0;
    if (generation <= highest) this.faults.push(`${dataset}: generation ${generation} was given before a start`);
  }

  /** Compares the bytes of one slice with what may be there. */
  judge(block: Block, bytes: Buffer, bounds: { low: number; high: number }, when: string): number {
    const values = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
    let least = values[0]!;
    let most = least;
    for (const each of values) {
      if (each < least) least = each;
      else if (each > most) most = each;
    }
    const found = `${block.plan.title}, ${when}: ${least}..${most} where ${bounds.low}..${bounds.high} may be`;
    if (block.isAtomic && least !== most) this.faults.push(`torn: ${found}`);
    if (least < bounds.low) this.faults.push(`lost: ${found}`);
    if (most > bounds.high) this.faults.push(`made up: ${found}`);
    return least;
  }

  /** After a start, with no writers: reads everything, and takes what is found as the new beginning. */
  async check(server: TestServer, when: string): Promise<void> {
    for (const block of this.blocks) {
      const bounds = { low: block.lastAck, high: block.lastBegin };
      const found: number[] = [];
      for (const slice of block.plan.slices) {
        found.push(this.judge(block, copyOf(await readRaw(server, block.plan.dataset, slice)), bounds, when));
      }
      if (block.isAtomic && new Set(found).size > 1) {
        this.faults.push(`torn batch: ${block.plan.title}, ${when}: ${found.join(', ')}`);
      }
      block.lastAck = Math.min(...found);
    }
    for (const dataset of ['main', 'second']) await this.#checkGeneration(server, dataset, when);
    await this.readWhole(server, 'main', when);
    await this.readWhole(server, 'twin', when);
  }

  async #checkGeneration(server: TestServer, dataset: string, when: string): Promise<void> {
    const { generation } = await describe(server, dataset);
    const highest = Math.max(0, this.#highest.get(dataset) ?? 0, ...(this.#used.get(dataset) ?? []));
    if (generation < highest) this.faults.push(`${dataset}, ${when}: generation ${generation} is behind ${highest}`);
    this.#highest.set(dataset, highest);
  }

  /** Reads a whole array: what a generation was read as, it stays, through whichever dataset it is read. */
  async readWhole(server: TestServer, dataset: 'main' | 'twin', when: string): Promise<void> {
    const response = await server.fetch(`/v1/datasets/${dataset}/data?format=raw`);
    const bytes = Buffer.from(await response.arrayBuffer());
    if (response.status !== 200) return this.refused(response.status, bytes.toString(), `${dataset}, ${when}`);
    const generation = response.headers.get('x-dataset-generation')!;
    const digest = createHash('sha1').update(bytes).digest('hex');
    const before = this.#contents.get(generation);
    if (before !== undefined && before !== digest) {
      this.faults.push(`${dataset}, ${when}: generation ${generation} was read before with other bytes`);
    }
    this.#contents.set(generation, digest);
  }

  refused(status: number, text: string, what: string): void {
    if (!(status === 503 && REFUSALS.some(code => text.includes(`"${code}"`)))) {
      this.faults.push(`${what}: ${status} ${text.slice(0, 300)}`);
    }
  }
}

/** Makes the arrays that the writers write: two datasets on one file, and a file of its own. */
export async function makeArrays(server: TestServer): Promise<void> {
  await create(server, { name: 'main', dtype: '<u4', shape: [ROWS, COLUMNS], format: 'raw' });
  await create(server, { name: 'twin', path: 'arrays/main.raw', dtype: '<u4', shape: [ROWS, COLUMNS] });
  await create(server, { name: 'second', dtype: '<u4', shape: [16, COLUMNS] });
}

/** True where many slices can be written as one commit. */
export async function hasBatches(server: TestServer): Promise<boolean> {
  const response = await server.fetch('/v1/datasets/main/writes', json('POST', { writes: [{ slice: '0', data: 0 }] }));
  await response.text();
  return response.status !== 404 && response.status !== 405;
}

/** Starts all writers and readers; each ends when the server does, and fails when an answer is wrong. */
export function runLoad(server: TestServer, oracle: Oracle): Promise<void>[] {
  const clients = oracle.blocks.map(block => writeOn(server, oracle, block));
  return [...clients, readBlocks(server, oracle), readArrays(server, oracle)].map(client =>
    client.catch((error: unknown) => {
      // fetch says TypeError when the connection ends; anything else is a fault of the test or of an answer.
      if (!(error instanceof TypeError)) oracle.faults.push(String(error));
    }),
  );
}

async function writeOn(server: TestServer, oracle: Oracle, block: Block): Promise<void> {
  const elements = await elementsOf(server, block.plan);
  for (let turn = 0; ; turn++) {
    const step = block.plan.steps[turn % block.plan.steps.length]!;
    const value = step === 'flush' ? block.lastBegin : oracle.begin(block);
    const response = await send(server, block.plan, { step, value, elements });
    const text = await response.text();
    if (response.status !== 200) oracle.refused(response.status, text, block.plan.title);
    else if (step === 'flush') oracle.ack(block, value);
    else if (step !== 'none' || oracle.noneSurvives)
      oracle.ack(block, value, (JSON.parse(text) as { generation: number }).generation);
  }
}

async function elementsOf(server: TestServer, { dataset, slices }: WriterPlan): Promise<number> {
  return (await readRaw(server, dataset, slices[0])).byteLength / 4;
}

interface Sent {
  readonly step: Step;
  readonly value: number;
  readonly elements: number;
}

function send(server: TestServer, { dataset, slices }: WriterPlan, { step, value, elements }: Sent): Promise<Response> {
  const base = `/v1/datasets/${dataset}`;
  const data = `${base}/data?slice=${encodeURIComponent(slices[0]!)}`;
  const body = (): Uint8Array => Buffer.from(new Uint32Array(elements).fill(value).buffer);
  switch (step) {
    case 'raw':
      return server.fetch(data, binary('PUT', body()));
    case 'json':
      return server.fetch(data, json('PUT', value));
    case 'none':
      return server.fetch(`${data}&durability=none`, binary('PUT', body()));
    case 'flush':
      return server.fetch(`${base}/flush`, { method: 'POST' });
    case 'batch':
      return server.fetch(`${base}/writes`, json('POST', { writes: slices.map(slice => ({ slice, data: value })) }));
  }
}

/** Reads one block after the other while they are written: each answer is one value that was being written. */
async function readBlocks(server: TestServer, oracle: Oracle): Promise<void> {
  const single = oracle.blocks.filter(({ isAtomic, plan }) => isAtomic && plan.slices.length === 1);
  for (let turn = 0; ; turn++) {
    const block = single[turn % single.length]!;
    const { dataset, slices } = block.plan;
    const low = block.lastAck;
    const response = await server.fetch(
      `/v1/datasets/${dataset}/data?format=raw&slice=${encodeURIComponent(slices[0]!)}`,
    );
    const bytes = Buffer.from(await response.arrayBuffer());
    if (response.status === 200) oracle.judge(block, bytes, { low, high: block.lastBegin }, 'read meanwhile');
    else oracle.refused(response.status, bytes.toString(), block.plan.title);
  }
}

async function readArrays(server: TestServer, oracle: Oracle): Promise<void> {
  for (;;) {
    await oracle.readWhole(server, 'twin', 'read meanwhile');
    await oracle.readWhole(server, 'main', 'read meanwhile');
  }
}

/** A view of whole words must start at a multiple of four. */
function copyOf(bytes: Buffer): Buffer {
  return bytes.byteOffset % 4 === 0 ? bytes : Buffer.from(Uint8Array.from(bytes).buffer);
}

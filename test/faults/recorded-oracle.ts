/**
 * An oracle that notes where the log of the disk stood at each begin and each ack, and so knows what must be there after
 * a power cut at any point of that log.
 */
import type { TestServer } from '../helpers/server.js';
import { binary, readRaw } from '../system/calls.js';
import { hasBatches, makeArrays, Oracle, runLoad, type Block, type WriterPlan } from './load.js';
import type { Work } from './recording.js';

interface Event {
  readonly kind: 'begin' | 'ack';
  readonly block: number;
  readonly value: number;
  readonly generation?: number | undefined;
  /** Entries of the log when it was noted: before the request was sent, or after it was answered. */
  readonly position: number;
}

interface Options {
  readonly hasBatches: boolean;
  readonly writers: readonly WriterPlan[];
  readonly position: () => number;
}

export class RecordedOracle extends Oracle {
  readonly #options: Options;
  readonly #events: Event[] = [];

  constructor(options: Options) {
    super(options);
    this.#options = options;
  }

  override begin(block: Block): number {
    const position = this.#options.position();
    const value = super.begin(block);
    this.#note(block, { kind: 'begin', value, position });
    return value;
  }

  override ack(block: Block, value: number, generation?: number): void {
    super.ack(block, value, generation);
    this.#note(block, { kind: 'ack', value, generation, position: this.#options.position() });
  }

  /** A clean stop is part of the recording. */
  override refused(status: number, text: string, what: string): void {
    if (!(status === 503 && text.includes('"shutting_down"'))) super.refused(status, text, what);
  }

  /** What must be there after a cut before the entry `cut` of the log. */
  at(cut: number): Oracle {
    const oracle = new Oracle(this.#options);
    for (const { kind, block, value, generation, position } of this.#events) {
      // What began at the cut has written nothing before it; what was confirmed at the cut has nothing behind it.
      if (kind === 'begin' && position < cut) oracle.blocks[block]!.lastBegin = value;
      if (kind === 'ack' && position <= cut) oracle.ack(oracle.blocks[block]!, value, generation);
    }
    return oracle;
  }

  #note(block: Block, event: Omit<Event, 'block'>): void {
    this.#events.push({ ...event, block: this.blocks.indexOf(block) });
  }
}

/** Writes into the blocks of these writers. */
export function writesOf(writers: readonly WriterPlan[]): Work<Oracle> {
  return {
    async begin(server, position) {
      await makeArrays(server);
      return new RecordedOracle({ hasBatches: await hasBatches(server), writers, position });
    },
    run: runLoad,
    flushed: 'main',
    writeOnce,
  };
}

/** Writes work again, under a generation that is new. */
async function writeOnce(server: TestServer, oracle: Oracle): Promise<void> {
  const block = oracle.blocks[0]!;
  const { dataset, slices } = block.plan;
  const elements = (await readRaw(server, dataset, slices[0])).byteLength / 4;
  const value = oracle.begin(block);
  const body = Buffer.from(new Uint32Array(elements).fill(value).buffer);
  const response = await server.fetch(`/v1/datasets/${dataset}/data?slice=${slices[0]}`, binary('PUT', body));
  const text = await response.text();
  if (response.status === 200) oracle.ack(block, value, (JSON.parse(text) as { generation: number }).generation);
  else oracle.faults.push(`a write after the cut: ${response.status} ${text}`);
}

/** The formats of tables that bodies may come in, and their steps as tasks for a worker. */
import type { BodySource, Converted, DecodedLayout, Decoder, DecodingAsked, FoundLayout, Looked } from './decoder.js';
import { arrowDecoder } from './arrow-decoder.js';
import { csvDecoder } from './csv-rows.js';
import { ndjsonDecoder } from './ndjson-rows.js';

export type DecodingName = 'csv' | 'ndjson' | 'arrow';

/** What each has kept comes back to it alone: nobody else knows what that is. */
const DECODERS: Readonly<Record<DecodingName, unknown>> = {
  csv: csvDecoder,
  ndjson: ndjsonDecoder,
  arrow: arrowDecoder,
};

export function isDecoded(format: string): format is DecodingName {
  return format in DECODERS;
}

/** What a decoder has seen, or where it goes on: plain data that only itself knows. */
export type Kept = unknown;

/** A body in a file that all threads have open. */
export interface BodyFile {
  readonly fd: number;
  readonly size: number;
  readonly isWhole: boolean;
}

interface Task {
  readonly format: DecodingName;
  readonly body: BodyFile;
  readonly asked: DecodingAsked;
}

export interface LookTask extends Task {
  readonly seen: Kept;
}

export interface ConvertStepTask extends Task {
  readonly seen: Kept;
  readonly layout: DecodedLayout;
  readonly place: Kept;
  /** Shared memory. */
  readonly target: Uint8Array;
}

export function lookAt({ format, asked, seen }: LookTask, source: BodySource): Looked<Kept> {
  return decoderOf(format).look(source, asked, seen);
}

export function layoutOf({ format, asked, seen }: LookTask, source: BodySource): FoundLayout {
  return decoderOf(format).layout(source, asked, seen);
}

export function convertStep(task: ConvertStepTask, source: BodySource): Converted<Kept> {
  const { format, asked, seen, layout, place, target } = task;
  target.fill(0);
  return decoderOf(format).convert(source, asked, { seen, layout }, place, target);
}

function decoderOf(format: DecodingName): Decoder<Kept, Kept> {
  return DECODERS[format] as Decoder<Kept, Kept>;
}

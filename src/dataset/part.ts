/** One of the files of an array in several: where its rows are, and how the file was when it was last looked at. */
import type fs from 'node:fs';
import type { PartRow } from '../descriptor.js';
import { HyperslabError, isErrorCode } from '../errors.js';
import { ofPart } from '../file/refusals.js';
import type { PartPlace } from '../layout/part-views.js';
import type { Dataset } from './dataset.js';
import type { PartRecord } from './record.js';
import type { PartLook } from './registration.js';

export class Part implements PartPlace {
  readonly record: PartRecord;
  readonly start: number;
  readonly rows: number;
  readonly order: PartRecord['order'];
  readonly offset: number;
  /** Under way, so that two calls do not look at the same time. */
  looking: Promise<void> | undefined;
  /** Generations that were made by writes to the whole. */
  ownMoves = 0;
  readonly #nameOf: (realPath: string) => string;
  readonly #make: () => Dataset;
  #name: string | undefined;
  #dataset: Dataset | undefined;
  #row: { readonly look: PartLook | undefined; readonly json: string } | undefined;

  constructor(record: PartRecord, start: number, nameOf: (realPath: string) => string, make: () => Dataset) {
    this.record = record;
    this.start = start;
    this.rows = record.rows;
    this.order = record.order;
    this.offset = record.offset;
    this.#nameOf = nameOf;
    this.#make = make;
  }

  /** As clients know it. */
  get name(): string {
    this.#name ??= this.#nameOf(this.record.path);
    return this.#name;
  }

  /** Looks after its file. Of thousands of parts few may ever be read: it is made when it is asked for. */
  get dataset(): Dataset {
    this.#dataset ??= this.#make();
    return this.#dataset;
  }

  /** Its row in the tables that workers read by, as JSON; kept while the file is the same one, or has the same fault. */
  rowFor(look: PartLook | undefined): string {
    const kept = this.#row;
    if (kept && isSameFile(kept.look, look)) return kept.json;
    const { name, start, rows, order, offset } = this;
    const row: PartRow = {
      name,
      path: this.record.path,
      device: look?.device ?? -1,
      inode: look?.inode ?? -1,
      start,
      rows,
      order,
      offset,
      fault: look?.fault && toldOf(look.fault),
    };
    const json = JSON.stringify(row);
    this.#row = { look, json };
    return json;
  }
}

/** Whether workers open the same file by both, or tell the same fault. */
export function isSameFile(a: PartLook | undefined, b: PartLook | undefined): boolean {
  return Object.is(a?.inode, b?.inode) && Object.is(a?.device, b?.device) && a?.fault?.message === b?.fault?.message;
}

/** Whether nothing has changed what stands at the path since the look. */
export function isAsSeen(
  look: PartLook,
  found: Pick<fs.Stats, 'dev' | 'ino' | 'ctimeMs' | 'size'> | undefined,
): boolean {
  if (!found) return Number.isNaN(look.inode);
  const { dev, ino, ctimeMs, size } = found;
  return look.device === dev && look.inode === ino && look.ctimeMs === ctimeMs && look.bytes === size;
}

/** What is not there is a change of the array. */
export function faultOf(error: unknown, name: string): unknown {
  if (!(error instanceof HyperslabError)) return error;
  const isGone = isErrorCode(error, 'path_forbidden') || isErrorCode(error, 'file_not_found');
  const { message, values } = error;
  return ofPart(isGone ? new HyperslabError('file_changed', message, { reason: 'replaced', ...values }) : error, name);
}

/** @throws what is refused, with the name of the part */
export function inPart(name: string, refuse: () => never): never {
  try {
    return refuse();
  } catch (error) {
    throw ofPart(error, name);
  }
}

function toldOf({ code, message, values }: HyperslabError): { code: string; detail: string; reason?: unknown } {
  return { code, detail: message, ...(values['reason'] !== undefined && { reason: values['reason'] }) };
}

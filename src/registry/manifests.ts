/**
 * Manifests on disk: one JSON file per dataset, replaced atomically. Paths inside the data folder are stored relative
 * to it, so that a copied folder works elsewhere. A manifest that cannot be used is a reason, never an exception.
 */
import fs from 'node:fs/promises';
import path from 'node:path';
import { Type, type Static } from 'typebox';
import { Value } from 'typebox/value';
import { HyperslabError, systemErrorCode } from '../errors.js';
import type { DatasetRecord, PartRecord } from '../dataset/record.js';
import { descriptionOf, dtypeOf, parseDType } from '../dtype/index.js';
import { readText, syncFolder } from '../file/io.js';
import { inOwnFolder } from '../file/own-folder.js';
import { isShortage } from '../file/descriptors.js';
import { publishNow, stageText, type StagedFile } from '../file/atomic.js';
import { parseExactJson, stringifyExactJson } from '../formats/index.js';
import { checkStrides } from '../layout/strides.js';
import { checkShape } from '../layout/view.js';
import { ConfigError } from '../setting.js';
import { mapGivingTurns } from '../turns.js';
import { shown } from '../shown.js';
import { checkDimCount } from './request.js';

const VERSION = 1;

const Manifest = Type.Object({
  version: Type.Literal(VERSION),
  name: Type.String(),
  id: Type.String({ pattern: '^[0-9a-f]{16,64}$' }),
  file_id: Type.String({ pattern: '^[0-9a-f]{16,64}$' }),
  /** As `made`. */
  first_generation: Type.Optional(Type.Integer({ minimum: 1 })),
  path: Type.String({ minLength: 1 }),
  /** A typestr, or the description of a structure. */
  dtype: Type.Unknown(),
  shape: Type.Array(Type.Integer({ minimum: 0 })),
  order: Type.Union([Type.Literal('C'), Type.Literal('F')]),
  strides: Type.Optional(Type.Array(Type.Integer())),
  offset: Type.Integer({ minimum: 0 }),
  mode: Type.Union([Type.Literal('r'), Type.Literal('r+'), Type.Literal('w+'), Type.Literal('c')]),
  format: Type.Union([Type.Literal('npy'), Type.Literal('raw'), Type.Literal('npz'), Type.Literal('safetensors')]),
  member: Type.Optional(Type.String()),
  /** Later than version 1's first manifests, which do not have it; so is `made`. */
  content: Type.Optional(Type.String()),
  external: Type.Boolean(),
  made: Type.Optional(Type.Boolean()),
  fill: Type.Optional(Type.String()),
  sparse: Type.Optional(Type.Boolean()),
  attrs: Type.Record(Type.String(), Type.Unknown()),
  dims: Type.Union([Type.Array(Type.String()), Type.Null()]),
  parts: Type.Optional(
    Type.Array(
      Type.Object({
        file_id: Type.String({ pattern: '^[0-9a-f]{16,64}$' }),
        first_generation: Type.Integer({ minimum: 1 }),
        path: Type.String({ minLength: 1 }),
        rows: Type.Integer({ minimum: 0 }),
        order: Type.Union([Type.Literal('C'), Type.Literal('F')]),
        offset: Type.Integer({ minimum: 0 }),
        format: Type.Union([Type.Literal('npy'), Type.Literal('raw')]),
        content: Type.Optional(Type.String()),
      }),
      { minItems: 1 },
    ),
  ),
  /** PartsAsked. */
  asked: Type.Optional(
    Type.Object({
      pattern: Type.Optional(Type.String()),
      paths: Type.Optional(Type.Array(Type.String())),
      dtype: Type.Optional(Type.Unknown()),
      order: Type.Optional(Type.Union([Type.Literal('C'), Type.Literal('F')])),
      offset: Type.Optional(Type.Integer({ minimum: 0 })),
      format: Type.Optional(Type.Union([Type.Literal('npy'), Type.Literal('raw')])),
      shape: Type.Optional(Type.Array(Type.Union([Type.Integer({ minimum: 0 }), Type.Null()]))),
    }),
  ),
});

type StoredPart = NonNullable<Static<typeof Manifest>['parts']>[number];

const SUFFIX = '.json';

export interface Quarantined {
  readonly name: string;
  readonly reason: string;
}

export class Manifests {
  readonly #folder: string;
  readonly #dataDir: string;

  constructor(dataDir: string) {
    this.#dataDir = dataDir;
    this.#folder = path.join(dataDir, 'catalog');
  }

  /** Every manifest of the folder. */
  async load(): Promise<{ records: DatasetRecord[]; quarantined: Quarantined[] }> {
    const names = (await fs.readdir(this.#folder)).filter(file => file.endsWith(SUFFIX) && !file.startsWith('.'));
    const records: DatasetRecord[] = [];
    const quarantined: Quarantined[] = [];
    for (const each of await Promise.all(names.map(file => this.#read(file)))) {
      if ('reason' in each) quarantined.push(each);
      else records.push(each);
    }
    return { records, quarantined };
  }

  save(record: DatasetRecord): Promise<void> {
    return publishNow(this.stage(record));
  }

  /** Writes a manifest that counts from when it is published. */
  async stage(record: DatasetRecord): Promise<StagedFile> {
    const { fileId, firstGeneration, path: realPath, strides, parts, asked, ...rest } = record;
    const manifest: Omit<Static<typeof Manifest>, 'parts'> = {
      version: VERSION,
      ...rest,
      dtype: descriptionOf(parseDType(record.dtype)),
      shape: [...record.shape],
      ...(strides && { strides: [...strides] }),
      dims: record.dims && [...record.dims],
      file_id: fileId,
      first_generation: firstGeneration,
      path: this.#stored(realPath),
      ...(asked && { asked: asked as Static<typeof Manifest>['asked'] & object }),
    };
    const text = stringifyExactJson(manifest, 2);
    const stored = parts && (await mapGivingTurns(parts, part => JSON.stringify(this.#storedPart(part))));
    // Thousands of parts are as many lines.
    const lines = stored ? `${text.slice(0, -2)},\n  "parts": [\n${stored.join(',\n')}\n  ]\n}` : text;
    return stageText(this.#pathOf(record.name), `${lines}\n`);
  }

  #stored(realPath: string): string {
    const relative = path.relative(this.#dataDir, realPath);
    return !relative.startsWith('..') && !path.isAbsolute(relative) ? relative : realPath;
  }

  #storedPart({ fileId, firstGeneration, path: realPath, ...rest }: PartRecord): StoredPart {
    return { file_id: fileId, first_generation: firstGeneration, path: this.#stored(realPath), ...rest };
  }

  #partOf({ file_id: fileId, first_generation: firstGeneration, path: stored, ...rest }: StoredPart): PartRecord {
    return { fileId, firstGeneration, path: path.resolve(this.#dataDir, stored), ...rest };
  }

  async remove(name: string): Promise<void> {
    await inOwnFolder(async () => {
      await fs.rm(this.#pathOf(name), { force: true });
      await syncFolder(this.#folder);
    });
  }

  async #read(file: string): Promise<DatasetRecord | Quarantined> {
    const name = file.slice(0, -SUFFIX.length);
    const its = `its manifest (catalog/${file} in the data folder)`;
    try {
      const manifest = parseExactJson(await readText(path.join(this.#folder, file)));
      refuseNewer(name, manifest);
      if (!Value.Check(Manifest, manifest)) {
        const [first] = Value.Errors(Manifest, manifest);
        return { name, reason: `${its} is damaged at ${first?.instancePath || '/'}: ${first?.message}` };
      }
      if (manifest.name !== name) return { name, reason: `${its} is that of ${shown(manifest.name)}` };
      return this.#toRecord(manifest);
    } catch (error) {
      if (error instanceof ConfigError) throw error;
      if (error instanceof SyntaxError) return { name, reason: `${its} is not JSON` };
      if (error instanceof HyperslabError)
        return { name, reason: `${its} is refused: ${error.message.replace(/\.$/, '')}` };
      // No fault of the manifest: a start that cannot read what is good must not say that it is bad.
      if (isShortage(error)) throw error;
      const code = systemErrorCode(error);
      if (code !== undefined) return { name, reason: `${its} cannot be read (${code})` };
      throw error;
    }
  }

  #toRecord({
    version: _,
    file_id: fileId,
    first_generation: firstGeneration = 1,
    path: stored,
    parts,
    ...rest
  }: Static<typeof Manifest>): DatasetRecord {
    const dtype = dtypeOf(rest.dtype);
    checkShape(rest.shape, dtype.itemsize);
    checkDimCount(rest.dims, rest.shape.length);
    if (rest.strides) checkStrides(rest.shape, rest.strides);
    const realPath = path.resolve(this.#dataDir, stored);
    const made = rest.made ?? (!rest.external && realPath.startsWith(`${this.#dataDir}/arrays/`));
    const own = { ...rest, dtype: dtype.typestr, fileId, firstGeneration, path: realPath, made };
    return parts ? { ...own, parts: parts.map(part => this.#partOf(part)) } : own;
  }

  #pathOf(name: string): string {
    return path.join(this.#folder, `${name}${SUFFIX}`);
  }
}

/** What a newer version keeps in the folder this one cannot know, and might spoil. @throws ConfigError */
function refuseNewer(name: string, manifest: unknown): void {
  const { version } = (manifest ?? {}) as { readonly version?: unknown };
  if (!(typeof version === 'number' && version > VERSION)) return;
  throw new ConfigError(
    `The data folder was written by a newer Hyperslab: the manifest of ${name} has version ${version}, this one knows ${VERSION}. ` +
      'Start the newer Hyperslab, or choose another folder with HYPERSLAB_DATA_DIR or --data-dir.',
  );
}

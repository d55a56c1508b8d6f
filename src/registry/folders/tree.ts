/**
 * What is known of served folders: folders inside them, their files, and the arrays of each. Plain data; scanning.ts fills it,
 * looking.ts asks single files, index.ts finds the names.
 */
import path from 'node:path';
import type { FSWatcher } from 'node:fs';
import type { ContainerFormat } from '../../containers.js';
import type { Dataset } from '../../dataset/dataset.js';
import type { DatasetRecord } from '../../dataset/record.js';
import type { ErrorCode } from '../../errors.js';
import { shownPath } from '../../file/path-bytes.js';

/** A folder of HYPERSLAB_FOLDERS. */
export interface ServedFolder {
  /** Counted from 1, as it is told. */
  readonly number: number;
  /** As it was configured, absolute: what ids follow from. */
  readonly configured: string;
  /** Where it is, links resolved; undefined while it has never been there. */
  real: string | undefined;
  identity: Identity | undefined;
  /** It cannot be looked at: what was known of it stays known. */
  isAway: boolean;
  /** That was told. */
  isToldAway: boolean;
  root: Directory | undefined;
  /** How many folders of it are known, itself included. */
  directoryCount: number;
}

/** What is told of a served folder. */
export interface FolderStanding {
  readonly folder: number;
  readonly state: 'ready' | 'away';
  /** The kernel tells of changes; else they are found by looking, every few seconds. */
  readonly watched: boolean;
  readonly directories: number;
}

export interface Identity {
  readonly dev: bigint;
  readonly ino: bigint;
}

/** When a file or folder was last looked at. */
export interface Stamp extends Identity {
  readonly ctimeNs: bigint;
  readonly mtimeNs: bigint;
  readonly size: bigint;
  /** Its times are so young that the next change may have the same. */
  readonly isYoung: boolean;
}

export interface Directory {
  readonly folder: ServedFolder;
  readonly parent: Directory | undefined;
  /** Below the served folder; blank for that itself. */
  readonly path: string;
  readonly real: string;
  stamp: Stamp | undefined;
  /** It could not be read when it was last looked at. */
  isAway: boolean;
  /** Taken out of the tree; what stands below it is so by that, and is cleared away behind it. */
  isGone: boolean;
  readonly files: Map<string, FolderFile>;
  readonly directories: Map<string, Directory>;
  watcher: FSWatcher | undefined;
  /** A scan of it is under way, and another one is wanted behind it. */
  scanning: Promise<void> | undefined;
  isDirty: boolean;
}

/** `raw` only beside a description in JSON. */
export type FileKind = 'npy' | 'raw' | ContainerFormat;

export interface FolderFile {
  readonly directory: Directory;
  readonly name: string;
  readonly kind: FileKind;
  /** Where a link leads; undefined for a file that stands here itself. */
  linked: string | undefined;
  /** The name of the description beside it. */
  sidecar: string | undefined;
  /** When it and its description were last looked at; undefined when never. */
  stamp: Stamp | undefined;
  sidecarStamp: Stamp | undefined;
  /** Its arrays: those of a container, and of raw bytes, are known when it was looked at. */
  items: Item[];
  looking: Promise<void> | undefined;
  isGone: boolean;
}

/** What a dataset's record has from its file. */
export type FoundGeometry = Pick<DatasetRecord, 'dtype' | 'shape' | 'order' | 'offset' | 'attrs' | 'dims'>;

/** Why something cannot be served. */
export interface Trouble {
  readonly code: ErrorCode;
  readonly detail: string;
}

/** An array of a file under its name; or a file whose arrays cannot be told. */
export interface Item {
  readonly file: FolderFile;
  readonly name: string;
  readonly member: string | undefined;
  /** It stands for a file whose arrays could not be told. */
  readonly isPlaceholder: boolean;
  /** Undefined until it was looked at, or where there is trouble. */
  found: FoundGeometry | undefined;
  trouble: Trouble | undefined;
  /** Made when it is asked for. */
  dataset: Dataset | undefined;
}

/** Relative to the served folder; text as of path-bytes.ts. */
export function pathOfFile({ directory, name }: FolderFile): string {
  return directory.path === '' ? name : `${directory.path}/${name}`;
}

/** The same as it is shown to callers. */
export function shownPathOf(file: FolderFile): string {
  return shownPath(pathOfFile(file));
}

/** Without links. */
export function realPathOf({ directory, name, linked }: FolderFile): string {
  return linked ?? path.join(directory.real, name);
}

/** Neither it nor a folder above it can be looked at. */
export function isAway({ directory }: FolderFile): boolean {
  if (directory.folder.isAway) return true;
  for (let each: Directory | undefined = directory; each; each = each.parent) if (each.isAway) return true;
  return false;
}

/** It, or a folder above it, was taken out of the tree. */
export function isOutOfTree(directory: Directory): boolean {
  for (let each: Directory | undefined = directory; each; each = each.parent) if (each.isGone) return true;
  return false;
}

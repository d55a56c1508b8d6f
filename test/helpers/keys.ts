/** Keys in the key file of a data folder, without the command. */
import path from 'node:path';
import { editKeys } from '../../src/access/edit-keys.js';
import { makeKey } from '../../src/access/keys.js';
import type { Scope } from '../../src/access/scopes.js';

export interface KeyOptions {
  readonly datasets?: readonly string[];
  readonly expires?: string;
}

/** Adds a key and returns its text. */
export async function addKey(dataDir: string, scopes: readonly Scope[], options: KeyOptions = {}): Promise<string> {
  const { text, record } = makeKey({ name: 'test', scopes, created: new Date().toISOString(), ...options });
  await editKeys(path.join(dataDir, 'keys.json'), keys => [...keys, record]);
  return text;
}

export function bearer(token: string): { headers: { authorization: string } } {
  return { headers: { authorization: `Bearer ${token}` } };
}

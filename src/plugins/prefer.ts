/** The Prefer header (RFC 7240): what a client would like, if it can be had. What cannot be read is not preferred. */
import { LIMITS } from '../limits.js';

export interface Preferences {
  /** 202 and a job, where the answer takes longer than the wait. */
  readonly respondAsync: boolean;
  /** Seconds; 0 without `wait`. */
  readonly waitSeconds: number;
}

/** name, then perhaps a value (a token or quoted); parameters behind a semicolon mean nothing here. */
const PREFERENCE = /^\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*(?:=\s*(?:"([^"]*)"|([^\s";,]*)))?\s*(?:;.*)?$/;

/** The first of several preferences of one name counts. */
export function parsePrefer(header: string | string[] | undefined): Preferences {
  const text = Array.isArray(header) ? header.join(',') : (header ?? '');
  const found = new Map<string, string>();
  for (const part of text.match(/(?:[^,"]|"[^"]*")+/g) ?? []) {
    const [, name, quoted, token] = PREFERENCE.exec(part) ?? [];
    const key = name?.toLowerCase();
    if (key !== undefined && !found.has(key)) found.set(key, quoted ?? token ?? '');
  }
  const wait = found.get('wait') ?? '';
  return {
    respondAsync: found.has('respond-async'),
    waitSeconds: /^\d{1,9}$/.test(wait) ? Math.min(Number(wait), LIMITS.jobWaitSecondsMax) : 0,
  };
}

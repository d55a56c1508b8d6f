/** The Prefer header (RFC 7240): what a client would like, if it can be had. What cannot be read is not preferred. */
import { LIMITS } from '../limits.js';

export interface Preferences {
  /** 202 and a job, where the answer takes longer than the wait. */
  readonly respondAsync: boolean;
  /** Seconds; 0 without `wait`. */
  readonly waitSeconds: number;
}

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** The first of several preferences of one name counts. */
export function parsePrefer(header: string | string[] | undefined): Preferences {
  const text = Array.isArray(header) ? header.join(',') : (header ?? '');
  const found = new Map<string, string>();
  for (const part of text.match(/(?:[^,"]|"[^"]*")+/g) ?? []) {
    const { name, value } = parsePreference(part);
    if (name !== undefined && !found.has(name)) found.set(name, value);
  }
  const wait = found.get('wait') ?? '';
  return {
    respondAsync: found.has('respond-async'),
    waitSeconds: /^\d+$/.test(wait) ? Math.min(Number(wait), LIMITS.jobWaitSecondsMax) : 0,
  };
}

/** A name, then perhaps a value (a token or quoted); parameters behind a semicolon mean nothing here. */
function parsePreference(part: string): { name: string | undefined; value: string } {
  const [text = ''] = /^(?:[^;"]|"[^"]*")*/.exec(part) ?? [];
  const equals = text.indexOf('=');
  // Not by one pattern: blanks that two parts of it could match would be tried in every way.
  const name = (equals < 0 ? text : text.slice(0, equals)).trim();
  const value = equals < 0 ? '' : text.slice(equals + 1).trim();
  return { name: TOKEN.test(name) ? name.toLowerCase() : undefined, value: /^"([^"]*)"$/.exec(value)?.[1] ?? value };
}

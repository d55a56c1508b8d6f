/** Accept-Encoding (RFC 9110, 12.5.3): which codings a client takes, and which of them it gets. */
import type { IncomingHttpHeaders } from 'node:http';
import { CODINGS, type Coding, type CodingName } from './codings.js';

export interface AcceptedCodings {
  /** The one that the client likes best; undefined where that is none. */
  readonly best: Coding | undefined;
  /** Whether it takes bytes as they are. */
  readonly takesIdentity: boolean;
  /** Those that it takes. */
  readonly names: ReadonlySet<CodingName>;
}

/** Without the header any coding would do; but many a client that sends none can read none. */
const NONE: AcceptedCodings = { best: undefined, takesIdentity: true, names: new Set() };

/** Clients send the same header all their life. */
const known = new Map<string, AcceptedCodings>();
const KNOWN_MAX = 256;

export function acceptedCodings(headers: IncomingHttpHeaders): AcceptedCodings {
  const { 'accept-encoding': header } = headers;
  if (header === undefined) return NONE;
  const text = Array.isArray(header) ? header.join() : header;
  let accepted = known.get(text);
  if (!accepted) {
    accepted = parse(text);
    if (known.size < KNOWN_MAX) known.set(text, accepted);
  }
  return accepted;
}

/** `gzip`, `br;q=0.5`, `*`; what cannot be read is passed over. */
const ELEMENT = /^([!#$%&'*+.^_`|~0-9a-z-]+)[\t ]*(?:;[\t ]*q=([01](?:\.[0-9]{0,3})?)[\t ]*)?$/;

function parse(header: string): AcceptedCodings {
  const weights = new Map<string, number>();
  for (const element of header.toLowerCase().split(',')) {
    const [, name, weight = '1'] = ELEMENT.exec(element.trim()) ?? [];
    if (name !== undefined) weights.set(name === 'x-gzip' ? 'gzip' : name, Number(weight));
  }
  const others = weights.get('*') ?? 0;
  const identity = weights.get('identity') ?? (weights.get('*') === 0 ? 0 : undefined);
  const weightOf = ({ name }: Coding): number => weights.get(name) ?? others;
  const taken = CODINGS.filter(coding => weightOf(coding) > 0);
  // A client that takes anything is most likely to read what is oldest.
  const byName = taken.filter(({ name }) => weights.has(name));
  const ordered = [...byName, ...taken.filter(coding => !byName.includes(coding)).toReversed()];
  const best = ordered.toSorted((a, b) => weightOf(b) - weightOf(a))[0];
  return {
    best: best && weightOf(best) >= (identity ?? 0) ? best : undefined,
    takesIdentity: identity !== 0,
    names: new Set(taken.map(({ name }) => name)),
  };
}

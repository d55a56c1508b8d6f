/**
 * What a schema refuses, in words: where it stands, what came, and what is taken there. Hazard: what came is the
 * client's, and is repeated in a few characters only.
 */
import type { ErrorObject } from 'ajv';
import { didYouMean } from '../near.js';
import { listed, shown } from '../shown.js';

/** The part of JSON Schema that the API is described in. */
interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly nullable?: boolean;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly not?: JsonSchema;
  readonly properties?: Readonly<Record<string, unknown>>;
}

/** A fault as Ajv tells it with `verbose`. */
export type SchemaFault = Pick<
  ErrorObject,
  'instancePath' | 'keyword' | 'params' | 'parentSchema' | 'data' | 'message'
>;

export interface FaultWords {
  readonly message: string;
  /** `body.shape[0]`, `querystring.limit`. */
  readonly where: string;
}

/** What members of each part of a request are called. */
const PARTS: Readonly<Record<string, string>> = {
  querystring: 'query parameter',
  params: 'path parameter',
  headers: 'header',
};

/** @param part body, querystring, params or headers */
export function wordsOf(faults: readonly SchemaFault[], part: string): FaultWords {
  // Of a choice between schemas, the choice itself comes after what each of them found.
  const fault = faults.find(({ keyword }) => keyword === 'anyOf') ?? faults[0]!;
  const path = fault.instancePath.split('/').slice(1).map(unescaped).reduce(joined, '');
  const unknown: unknown = (fault.params as { additionalProperty?: unknown }).additionalProperty;
  const full = typeof unknown === 'string' ? joined(path, unknown.slice(0, 60)) : path;
  const where = full === '' ? part : `${part}${full.startsWith('[') ? '' : '.'}${full}`;
  return { message: messageOf(fault, part, path), where };
}

function messageOf({ keyword, params, parentSchema, data }: SchemaFault, part: string, path: string): string {
  const schema = (parentSchema ?? {}) as JsonSchema;
  const name = path === '' ? `The ${part === 'querystring' ? 'query' : part}` : capitalised(placeOf(part, path));
  const known = Object.keys(schema.properties ?? {});
  if (keyword === 'additionalProperties') {
    const unknown = String((params as { additionalProperty?: unknown }).additionalProperty);
    const place = placeOf(part, joined(path, unknown.slice(0, 60)));
    const takes =
      known.length === 0
        ? 'none is taken here'
        : `there ${known.length === 1 ? 'is only' : 'are'} ${listed(known, 'and')}`;
    return `There is no ${place}; ${takes}.${didYouMean(unknown.slice(0, 60), known)}`;
  }
  if (keyword === 'required') {
    const missing = String((params as { missingProperty?: unknown }).missingProperty);
    const example = (schema.properties?.[missing] ?? {}) as JsonSchema;
    return `${name} lacks ${JSON.stringify(missing)}, which takes ${takenBy(example)}. It needs ${listed(requiredOf(schema), 'and')}.`;
  }
  if (part !== 'body' && Array.isArray(data)) return `${name} is given ${data.length} times; it is taken once.`;
  const given = Array.isArray(data) && keyword.endsWith('Items') ? `has ${data.length} members` : `is ${shown(data)}`;
  const words = schema.enum?.filter((word): word is string => typeof word === 'string') ?? [];
  // Of words of a letter or two each is near.
  const hint = typeof data === 'string' && data.length > 2 ? didYouMean(data.slice(0, 60), words) : '';
  const form = keyword === 'decimal' ? ' Write it in decimal digits alone.' : '';
  return `${name} ${given}; it takes ${takenBy(schema)}.${form}${hint}`;
}

function requiredOf(schema: object): string[] {
  return 'required' in schema && Array.isArray(schema.required)
    ? schema.required.map(name => JSON.stringify(name))
    : [];
}

/** `query parameter limit`, `member shape[0] of the body`. */
function placeOf(part: string, path: string): string {
  const word = PARTS[part];
  return word === undefined ? `member ${path} of the ${part}` : `${word} ${path}`;
}

/** What a schema takes, as the end of "it takes …". */
export function takenBy(schema: JsonSchema): string {
  const taken = schema.anyOf ? listed(schema.anyOf.map(takenBy)) : takenByOne(schema);
  return schema.nullable ? `${taken}, or null` : taken;
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'an integer',
  number: 'a number',
  boolean: 'true or false',
  object: 'an object',
  array: 'a list',
  null: 'null',
};

function takenByOne(schema: JsonSchema): string {
  if (schema.const !== undefined) return shown(schema.const);
  if (schema.enum) return listed(schema.enum.map(shown));
  if (schema.not) return `any value but ${takenByOne(schema.not)}`;
  const kinds = [schema.type ?? []].flat().map(type => KINDS[type] ?? type);
  const kind = kinds.length === 0 ? 'any value' : listed(kinds);
  const bounds = [
    rangeWords(schema.minimum, schema.maximum, ''),
    rangeWords(schema.minLength, schema.maxLength, ' characters'),
    itemWords(schema),
    schema.pattern === undefined ? '' : ` that matches ${schema.pattern}`,
  ];
  return `${kind}${bounds.join('')}`;
}

const PLURALS: Readonly<Record<string, string>> = { string: 'texts', integer: 'integers', number: 'numbers' };

function itemWords({ type, minItems, maxItems, items }: JsonSchema): string {
  if (type !== 'array') return '';
  const plural = PLURALS[String(items?.type)] ?? 'members';
  if (minItems === 1 && maxItems === undefined) return ` of ${plural}, not empty`;
  return rangeWords(minItems, maxItems, ` ${plural}`) || ` of ${plural}`;
}

function rangeWords(least: number | undefined, most: number | undefined, unit: string): string {
  const of = unit === '' ? '' : ' of';
  if (least !== undefined && most !== undefined) return `${of === '' ? ' from' : of} ${least} to ${most}${unit}`;
  if (least !== undefined) return `${of} at least ${least}${unit}`;
  return most === undefined ? '' : `${of} at most ${most}${unit}`;
}

/** A step of a JSON pointer, as programs write it: `queries[0].ops`. */
function joined(path: string, step: string): string {
  if (/^[0-9]+$/.test(step)) return `${path}[${step}]`;
  return path === '' ? step : `${path}.${step}`;
}

function unescaped(step: string): string {
  return step.replaceAll('~1', '/').replaceAll('~0', '~').slice(0, 60);
}

function capitalised(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}

/**
 * The document as generators want it, from what the routes say: schemas that are told otherwise than they are checked,
 * and one response per status for all problems, which each operation refers to.
 */
import { STATUS_CODES } from 'node:http';

/** A member of a schema: what the document shows in the schema's place. */
export const TOLD_AS = 'x-told-as';
/** A member of what is shown: the name of the component that is meant. */
export const REF = 'x-ref';

/** A member of the schema of a parameter that the document leaves out. */
export const UNTOLD = 'x-untold';

type Json = Record<string, unknown>;

interface Operation {
  readonly parameters?: readonly { readonly schema?: object }[];
  readonly responses: Record<string, unknown>;
}

interface Document {
  readonly paths?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly components?: Json;
}

/** The document with its problems shared, and everything told as it shall be. */
export function shapeDocument<T extends object>(document: T): T {
  return told(withSharedProblems(document)) as T;
}

function told(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(told);
  if (typeof value !== 'object' || value === null) return value;
  const object = value as Json;
  if (TOLD_AS in object) return told(object[TOLD_AS]);
  if (REF in object) return { $ref: `#/components/schemas/${String(object[REF])}` };
  return Object.fromEntries(Object.entries(object).map(([name, member]) => [name, told(member)]));
}

/** Every failure becomes a reference: `components/responses` says once what each status means. */
function withSharedProblems(document: Document): Document {
  const responses: Record<string, unknown> = {};
  const paths = Object.fromEntries(
    Object.entries(document.paths ?? {}).map(([url, methods]) => [
      url,
      Object.fromEntries(
        Object.entries(methods).map(([method, operation]) => [method, sharing(operation as Operation, responses)]),
      ),
    ]),
  );
  return { ...document, paths, components: { ...document.components, responses: sorted(responses) } };
}

function sharing(operation: Operation, shared: Record<string, unknown>): Operation {
  const responses = Object.fromEntries(
    Object.entries(operation.responses).map(([status, response]) => {
      if (status < '400') return [status, response];
      const name = (STATUS_CODES[status] ?? '').replace(/[^A-Za-z]/g, '');
      shared[name] = response;
      return [status, { $ref: `#/components/responses/${name}` }];
    }),
  );
  const parameters = operation.parameters?.filter(({ schema = {} }) => !(UNTOLD in schema));
  return { ...operation, ...(parameters && { parameters }), responses };
}

function sorted(members: Json): Json {
  return Object.fromEntries(Object.entries(members).sort(([a], [b]) => (a < b ? -1 : 1)));
}

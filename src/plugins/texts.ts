/**
 * Parameters of a path or query, which come as texts. Those that are numbers take decimal digits alone: what else
 * JavaScript reads as a number (`0x10`, `1e2`, ` 5`, `5.0`) is refused, and so is a parameter that a call does not know.
 */
import type { Ajv } from 'ajv';
import type { FastifyInstance } from 'fastify';
import type { SchemaFault } from './schema-faults.js';

/** What a part of a request comes to: what is taken, or why it is not. */
export type Verdict = { value: unknown } | { error: Error };

/** The part of a JSON schema that tells which parameters are numbers. */
interface Parameters {
  readonly properties?: Readonly<Record<string, { readonly type?: string }>>;
}

/** How a number is written, by the type of its parameter. */
const DECIMAL: Readonly<Record<string, RegExp>> = {
  integer: /^-?[0-9]+$/,
  number: /^-?[0-9]+(\.[0-9]+)?$/,
};

/** A call of the API whose schema names no parameters takes none. */
export function takeNoOtherParameters(app: FastifyInstance): void {
  app.addHook('onRoute', route => {
    const { schema } = route;
    if (schema?.operationId === undefined || schema.querystring !== undefined) return;
    route.schema = {
      ...schema,
      querystring: { type: 'object', properties: {}, additionalProperties: false },
    };
  });
}

/** Checks, and turns into what the schema says, the texts of one part of a request. */
export function textValidator(ajv: Ajv, schema: object): (texts: Record<string, unknown>) => Verdict {
  const validate = ajv.compile(schema);
  const { properties = {} } = schema as Parameters;
  const numbers = Object.entries(properties).filter(([, { type = '' }]) => type in DECIMAL);
  return texts => {
    const written = numbers.map(([name]) => texts[name]);
    for (const [i, [name, parameter]] of numbers.entries()) {
      const text = written[i];
      if (typeof text !== 'string' || DECIMAL[parameter.type!]!.test(text)) continue;
      // What is no number at all needs no word about how numbers are written.
      const keyword = Number.isNaN(Number(text)) ? 'type' : 'decimal';
      return refused([{ instancePath: `/${name}`, keyword, params: {}, parentSchema: parameter, data: text }]);
    }
    if (validate(texts)) return { value: texts };
    // A number with the digits that it came with, where a double has not so many.
    const faults = validate.errors ?? [];
    for (const fault of faults) {
      const text = written[numbers.findIndex(([name]) => fault.instancePath === `/${name}`)];
      if (typeof text === 'string' && DECIMAL['integer']!.test(text)) fault.data = BigInt(text);
    }
    return refused(faults);
  };
}

function refused(validation: readonly SchemaFault[]): Verdict {
  return { error: Object.assign(new Error('validation'), { validation }) };
}

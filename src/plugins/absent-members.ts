/**
 * Empty members of a JSON body, in a walk that its schema guides: an optional member that is null, [] or {} is removed
 * unless its schema takes that value, because it means something there (`shape: []`, `dims: null` in a patch).
 */
import type { Ajv } from 'ajv';
import { isEmpty } from '../present.js';

/** The part of JSON Schema that tells what is optional. */
interface JsonSchema {
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly maxItems?: number;
}

type Walk = (value: unknown) => void;

/** A walk that removes, in place, what is empty; made once for a schema. */
export function absentMembers(ajv: Ajv, asked: object): Walk {
  const schema = resolved(ajv, asked);
  if (schema.items) {
    const walk = absentMembers(ajv, schema.items);
    const { maxItems = Infinity } = schema;
    return list => {
      // A list that is too long is refused by its length: a walk over it could take a tenth of a second.
      if (Array.isArray(list) && list.length <= maxItems) for (const each of list) walk(each);
    };
  }
  const members = Object.entries(schema.properties ?? {}).map(([name, member]) => ({
    name,
    isOptional: !schema.required?.includes(name),
    takes: ajv.compile(member),
    walk: absentMembers(ajv, member),
  }));
  return value => {
    if (typeof value !== 'object' || value === null) return;
    const object = value as Record<string, unknown>;
    for (const { name, isOptional, takes, walk } of members) {
      if (!Object.hasOwn(object, name)) continue;
      if (isOptional && isEmpty(object[name]) && !takes(object[name])) delete object[name];
      else walk(object[name]);
    }
  };
}

/** The members that a schema requires, for whoever sent nothing. */
export function requiredMembers(ajv: Ajv, schema: object): readonly string[] {
  return resolved(ajv, schema).required ?? [];
}

function resolved(ajv: Ajv, schema: JsonSchema): JsonSchema {
  return schema.$ref === undefined ? schema : (ajv.getSchema(schema.$ref)!.schema as JsonSchema);
}

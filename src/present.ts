/**
 * Members of JSON objects that are there. Clients made from the API document send every member that they know, and null,
 * [] or {} where they have nothing to say: of an optional member that is as if it were absent.
 */

/** True for undefined, null, [] and {}. */
export function isEmpty(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return value === undefined || value === null;
  return Array.isArray(value) ? value.length === 0 : Object.keys(value).length === 0;
}

/** The object without its empty members. */
export function presentMembers(object: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => !isEmpty(value)));
}

/** The datasets that a query names beside its own, which are to be asked what they are before it is planned. */

/** Members of a body that name other datasets. */
const NAMING = new Set(['dataset', 'mask']);
/** Of larger bodies the rest names nothing that was not looked at. */
const VALUES_MAX = 100_000;

/** The names of datasets in a JSON body, wherever they stand in it. */
export function* namesIn(body: unknown): Generator<string> {
  const left = [body];
  for (let seen = 0; left.length > 0 && seen < VALUES_MAX; seen++) {
    const value = left.pop();
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) continue;
    for (const [key, member] of Object.entries(value)) {
      if (typeof member === 'string' && NAMING.has(key)) yield member;
      else if (typeof member === 'object' && !(Array.isArray(member) && typeof member[0] === 'number'))
        left.push(member);
    }
  }
}

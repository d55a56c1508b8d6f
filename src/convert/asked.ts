/** Conversions of what is written: nothing is lost, and structures are paired by name. */
import { isStructure, structureFrom, type DType } from '../dtype/index.js';
import { fail } from '../errors.js';
import { listed, shown } from '../shown.js';
import { canCast, castingOf, isInteger, leafCasting } from './casting.js';
import { conversionOf, type Conversion } from './conversion.js';
import { failCasting, failNoConversion } from './refusals.js';
import { kernelOf } from './elements.js';
import { movesOf } from './moves.js';

/**
 * What a `.npy` brings → the dataset's dtype: numpy's `same_kind`, and from any integer to any other, whose values decide.
 * @throws would_lose, unsupported_dtype, unknown_field
 */
export function incomingConversion(from: DType, to: DType): Conversion {
  const named = byName(from, to, '');
  const casting = castingOf(named, to, (a, b) => (isInteger(a) && isInteger(b) ? 'same_kind' : leafCasting(a, b)));
  if (casting === undefined || casting === 'unsafe') {
    if (casting) checkSupported(named, to);
    failCasting(named, to, 'same_kind');
  }
  return conversionOf(named, to, 'refuse');
}

/** The fields of a structure in the order of another one that has the same names. @throws unknown_field */
function byName(from: DType, to: DType, path: string): DType {
  if (!isStructure(from) || !isStructure(to)) return from;
  const names = new Map(from.fields.map(field => [field.name, field]));
  const fields = to.fields.map(field => {
    const found = names.get(field.name) ?? failMissing(`${path}${field.name}`, from);
    names.delete(field.name);
    return { ...found, dtype: byName(found.dtype, field.dtype, `${path}${field.name}.`) };
  });
  for (const name of names.keys()) {
    const known = to.fields.map(field => shown(field.name));
    fail(
      'unknown_field',
      `The data has a field ${shown(`${path}${name}`)}, the dataset has not: its fields are ${listed(known.slice(0, NAMES_MAX), 'and')}. Send these.`,
      { field: name, fields: to.fields.slice(0, NAMES_MAX).map(field => field.name) },
    );
  }
  return structureFrom(fields, from.itemsize);
}

const NAMES_MAX = 50;

function failMissing(field: string, from: DType): never {
  const names = isStructure(from) ? from.fields.map(each => each.name).slice(0, NAMES_MAX) : [];
  return fail(
    'unknown_field',
    `The data has no field ${shown(field)}, and all fields of the dataset are written. Send it, or name with field= those that are sent.`,
    { field, fields: names },
  );
}

function checkSupported(from: DType, to: DType): void {
  for (const move of movesOf(from, to)) {
    if (!kernelOf(move.from, move.to, 'refuse')) failNoConversion(move.from, move.to, move.path);
  }
}

/** What reads ask for with `dtype=`: as numpy's `astype`. @throws would_lose, unsupported_dtype */
export function askedConversion(from: DType, to: DType, casting: 'safe' | 'same_kind' | 'unsafe'): Conversion {
  if (castingOf(from, to) !== undefined) checkSupported(from, to);
  if (!canCast(from, to, casting)) failCasting(from, to, casting);
  return conversionOf(from, to, casting === 'unsafe' ? 'wrap' : 'numpy');
}

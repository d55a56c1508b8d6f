/** JSON merge patch (RFC 7396) for objects of metadata. Results have no prototype keys to pollute. */
type Json = Readonly<Record<string, unknown>>;

export function mergePatch(target: Json, patch: Json | null): Json {
  const merged: Record<string, unknown> = { ...target };
  for (const [key, value] of Object.entries(patch ?? {})) {
    if (value === null) delete merged[key];
    else if (isObject(value)) merged[key] = mergePatch(isObject(merged[key]) ? merged[key] : {}, value);
    else merged[key] = value;
  }
  return patch === null ? {} : merged;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Names of nodes. Fields may have names that Zarr forbids (`a/b`, `..`, `__x`), or that would be keys of metadata: what is
 * wrong with such a name is percent-encoded in it, `a%2Fb`, and so is `%` itself, so that no two names become one.
 */

/** What separates the parts of a key, or ends the path of a URL. */
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const FORBIDDEN = /[/\\%?#\u0000-\u001F\u007F]/g;
/** Keys of metadata: of version 3, and what version 2 has or may have. */
const METADATA = /^(?:zarr\.json$|\.z)/;

/** The name of the node of a dataset or field. */
export function nodeName(name: string): string {
  if (name === '') return '%00';
  if (/^\.+$/.test(name)) return name.replaceAll('.', '%2E');
  const encoded = name.replaceAll(FORBIDDEN, percent);
  if (METADATA.test(encoded)) return encoded.replace('.', '%2E');
  return encoded.startsWith('__') ? `%5F${encoded.slice(1)}` : encoded;
}

/** The name of a dataset that a part of a key may mean besides itself: names of datasets have no `%`. */
export function decodedName(part: string): string {
  return part.replaceAll(/%(2E|5F)/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}

/** The page of `/`. Everything that somebody else chose (names, titles) is text there, never markup. */
import { createHash } from 'node:crypto';
import { FAVICON_PATH } from '../src/plugins/openapi.js';
import type { Listed } from '../src/registry/registry.js';

/** Rows of the list; the rest is behind its link. */
export const PAGE_ROWS_MAX = 100;

const STYLE = `body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color-scheme: light dark }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .3rem 1rem .3rem 0; border-bottom: 1px solid #8884 }
td code { white-space: nowrap }`;

/** The page runs nothing, asks nobody, and has one style: this one. */
export const PAGE_POLICY =
  `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; img-src 'self'; ` +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** The page; `found` is undefined where a key is wanted, and may have one more row than are shown. */
export function homePage(found: readonly Listed[] | undefined): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Hyperslab</title>
<link rel="icon" type="image/svg+xml" href="${FAVICON_PATH}">
<style>${STYLE}</style>
<h1>Hyperslab</h1>
<p>Arrays that are larger than memory, in slices, over HTTP.
<p><a href="docs">The API, to read and to try</a> · <a href="openapi.json">openapi.json</a> · <a href="metrics">metrics</a> · <a href="v1/datasets">datasets as JSON</a></p>
<h2>Datasets</h2>
${found === undefined ? '<p>A key is needed to see what is served. The API takes it as <code>Authorization: Bearer …</code>.' : listOf(found)}
</html>
`;
}

function listOf(found: readonly Listed[]): string {
  if (found.length === 0) return '<p>None yet: <code>POST v1/datasets</code> registers a file or makes an array.';
  const rows = found.slice(0, PAGE_ROWS_MAX).map(rowOf).join('\n');
  const rest =
    found.length > PAGE_ROWS_MAX
      ? `<p>These are the first ${PAGE_ROWS_MAX}. <a href="v1/datasets?limit=1000">The list</a> has all, page by page.`
      : '';
  return `<table>
<tr><th>name<th>dtype<th>shape<th>title
${rows}
</table>
${rest}`;
}

function rowOf({ name, dataset, reason }: Listed): string {
  const link = `<tr><td><a href="v1/datasets/${encodeURIComponent(name)}">${text(name)}</a>`;
  if (!dataset) return `${link}<td colspan="3">not available: ${text(reason ?? 'unknown')}`;
  const { dtype, shape, attrs } = dataset.record;
  const { title } = attrs;
  return (
    `${link}<td><code>${text(dtype)}</code><td>${shape.length === 0 ? 'scalar' : shape.join(' × ')}` +
    `<td>${typeof title === 'string' ? text(title) : ''}`
  );
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function text(value: string): string {
  return value.replaceAll(/[&<>"']/g, each => ENTITIES[each]!);
}

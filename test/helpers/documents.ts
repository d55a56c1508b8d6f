/**
 * The pages that people read, as programs: their commands, what these should print, and where their links lead.
 * A `console` block is a session in a shell: `$ ` begins a command, a backslash at its end continues it, and the lines
 * below it are what it prints.
 */
import fs from 'node:fs';
import path from 'node:path';
import type { Test } from 'tap';
import { PACKAGE_ROOT } from '../../src/package-root.js';

export interface Step {
  readonly command: string;
  readonly output: string;
}

/** The pages whose examples are replayed, relative to the project. */
export const PAGES: readonly string[] = [
  'README.md',
  ...fs
    .readdirSync(path.join(PACKAGE_ROOT, 'docs'))
    .filter(name => name.endsWith('.md'))
    .map(name => `docs/${name}`),
];

export function readPage(page: string): string {
  return fs.readFileSync(path.join(PACKAGE_ROOT, page), 'utf8');
}

/** The text of every block in this language. */
export function blocksOf(markdown: string, language: string): string[] {
  const blocks = new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, 'gm');
  return [...markdown.matchAll(blocks)].map(match => match[1]!);
}

/** The commands of all console blocks, each with the lines under it. */
export function stepsOf(markdown: string): Step[] {
  return blocksOf(markdown, 'console').flatMap(block => block.split(/^\$ /m).slice(1).map(stepOf));
}

function stepOf(text: string): Step {
  const lines = text.split('\n');
  const last = lines.findIndex(line => !line.endsWith('\\'));
  return {
    command: lines.slice(0, last + 1).join('\n'),
    output: lines
      .slice(last + 1)
      .join('\n')
      .trimEnd(),
  };
}

/** The page with other outputs, one for each step in order. */
export function withOutputs(markdown: string, outputs: readonly string[]): string {
  let index = 0;
  return markdown.replaceAll(/^```console\n[\s\S]*?^```/gm, block => {
    const steps = stepsOf(block).map(({ command }) => {
      const output = outputs[index++] ?? '';
      return `$ ${command}\n${output === '' ? '' : `${output}\n`}`;
    });
    return `\`\`\`console\n${steps.join('')}\`\`\``;
  });
}

/** What differs from run to run: ids, times, and the port of the service. */
export function stable(output: string): string {
  return output
    .replaceAll(/"id":"[0-9a-f]+"/g, '"id":"…"')
    .replaceAll(/"[0-9a-f]{24}(?=\.\d)/g, '"…')
    .replaceAll(/\/v1\/jobs\/[0-9a-f]+/g, '/v1/jobs/…')
    .replaceAll(/"(elapsed_ms|bytes_per_second|seconds_left)":(null|[0-9.]+)/g, '"$1":…')
    .replaceAll(/"(created|started|ended)":"[^"]+"/g, '"$1":"…"')
    .replaceAll(/^(date|x-request-id): .*$/gim, '$1: …')
    .trimEnd();
}

/** The addresses of all links and pictures of a page, outside code. */
export function linksOf(markdown: string): string[] {
  const prose = markdown.replaceAll(/^```[\s\S]*?^```/gm, '').replaceAll(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(match => match[1]!);
}

/** The names by which the headings of a page can be linked to, as GitHub makes them. */
export function anchorsOf(markdown: string): Set<string> {
  const prose = markdown.replaceAll(/^```[\s\S]*?^```/gm, '');
  const headings = [...prose.matchAll(/^#+ (.*)$/gm)].map(match => match[1]!);
  return new Set(
    headings.map(heading =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

/** Holds a page to the text that belongs between its marks, or writes it where `npm run docs` asks for that. */
export function updateOrCompare(t: Test, page: string, mark: string, text: string): void {
  const block = `<!-- ${mark}:begin -->\n<!-- prettier-ignore-start -->\n\n${text.trimEnd()}\n\n<!-- prettier-ignore-end -->\n<!-- ${mark}:end -->`;
  const place = new RegExp(`<!-- ${mark}:begin -->[\\s\\S]*<!-- ${mark}:end -->`);
  const before = readPage(page);
  if (process.env['UPDATE_DOCS'] !== '1') {
    t.equal(place.exec(before)?.[0], block, `${page} is as npm run docs writes it`);
    return;
  }
  const after = before.replace(place, () => block);
  fs.writeFileSync(path.join(PACKAGE_ROOT, page), after);
}

/**
 * docs/errors.md has every code with what to do about it, and messages: each example is asked of a real service, and
 * what comes is compared with the page. `npm run docs` writes the page instead.
 */
import fs from 'node:fs';
import path from 'node:path';
import { STATUS_CODES } from 'node:http';
import t, { type Test } from 'tap';
import { ERRORS, type ErrorCode } from '../src/errors.js';
import { PACKAGE_ROOT } from '../src/package-root.js';
import { updateOrCompare } from './helpers/documents.js';
import { encoded, markdown, shownCall, steady, type Example, type SceneName } from './helpers/errors/example.js';
import { EXAMPLES, UNPROVOKED } from './helpers/errors/examples.js';
import { SCENES, type Scene } from './helpers/errors/scenes.js';
import { rawRequest, type RawAnswer } from './helpers/raw-request.js';

/** One that reaches nobody is left out. */
const CODES = Object.keys(ERRORS).filter((code): code is ErrorCode => code !== 'cancelled');

const messages = new Map<Example, string>();
const scenes = new Map<SceneName, Promise<Scene>>();

for (const code of CODES) {
  t.test(code, async test => {
    const examples = EXAMPLES[code] ?? [];
    for (const example of examples) {
      // oxlint-disable-next-line no-await-in-loop
      const answer = await ask(example);
      const problem = JSON.parse(answer.body) as Record<string, unknown>;
      checkProblem(test, code, answer, problem);
      messages.set(example, steady(String(problem['detail'])));
    }
    for (const [file, message] of UNPROVOKED[code] ?? []) {
      const source = fs.readFileSync(path.join(PACKAGE_ROOT, file), 'utf8').replaceAll("\\'", "'");
      test.ok(
        message.split(/…|(?<=\.) /).every(part => source.includes(part)),
        `${file} says: ${message}`,
      );
    }
    test.ok((EXAMPLES[code] !== undefined) !== (UNPROVOKED[code] !== undefined), 'it has examples, or words');
  });
}

t.test('docs/errors.md holds what came', async t => updateOrCompare(t, 'docs/errors.md', 'errors', page()));

async function ask(example: Example): Promise<RawAnswer> {
  const name = example.scene ?? 'open';
  if (!scenes.has(name)) scenes.set(name, SCENES[name](t));
  const { url, secrets } = await scenes.get(name)!;
  const { method, path: where, headers = {}, body } = example;
  const sent = Object.entries(headers).map(([field, value]): [string, string] => [
    field,
    Object.entries(secrets).reduce((text, [shown, secret]) => text.replace(shown, () => secret), value),
  ]);
  const fields = Object.fromEntries(sent.filter(([, value]) => value !== ''));
  return rawRequest(`${url}${encoded(where)}`, { method, headers: fields, body });
}

function checkProblem(
  t: Test,
  code: ErrorCode,
  { status, headers }: RawAnswer,
  problem: Record<string, unknown>,
): void {
  const row = ERRORS[code];
  t.match(problem, { code, status: row.status, title: row.title, type: `urn:hyperslab:problem:${code}` });
  t.equal(status, row.status);
  const detail = String(problem['detail']);
  t.match(detail, /[.?]$/, 'whole sentences');
  t.notMatch(detail, /undefined|\[object|\/tmp\/|node_modules|invariant/, 'for a stranger');
  t.match(headers['content-type'], /^application\/problem\+json/);
  const { retryAfterSeconds: due } = row;
  const came = headers['retry-after'];
  if (due === 'computed') t.match(came, /^[1-9]\d?$/);
  else t.equal(came, due === undefined ? undefined : String(due));
}

function page(): string {
  const statuses = [...new Set(CODES.map(code => ERRORS[code].status))].toSorted((a, b) => a - b);
  return statuses.map(sectionOf).join('\n');
}

function sectionOf(status: number): string {
  const entries = CODES.filter(code => ERRORS[code].status === status).map(entryOf);
  return `## ${status} ${STATUS_CODES[status]}\n\n${entries.join('\n')}`;
}

function entryOf(code: ErrorCode): string {
  const { title, remedy, retryAfterSeconds } = ERRORS[code];
  const seconds = retryAfterSeconds === 'computed' ? 'the seconds until then' : retryAfterSeconds;
  const wait = seconds === undefined ? '' : ` \`Retry-After\` is ${seconds}.`;
  const asked = (EXAMPLES[code] ?? []).map(each => `- ${shownCall(each)}: ${markdown(messages.get(each)!)}\n`);
  const told = (UNPROVOKED[code] ?? []).map(([, message]) => `- ${markdown(message)}\n`);
  return `### ${code}\n\n${markdown(`${title}.`)} **What to do:** ${markdown(remedy)}${wait}\n\n${[...asked, ...told].join('')}`;
}

/**
 * The list of datasets. Everything in it is in memory, so that a page costs the event loop a copy; files are looked at
 * only where the caller asks for it. A page is written in turns, and a long one, with attrs, is sent as it is written.
 */
import { Type } from 'typebox';
import type { Context } from '../src/context.js';
import type { DatasetState } from '../src/dataset/registration.js';
import { fail } from '../src/errors.js';
import { didYouMean } from '../src/near.js';
import { listed, shown } from '../src/shown.js';
import { stringifyExactJson } from '../src/formats/index.js';
import { LIMITS } from '../src/limits.js';
import { signalOf } from '../src/plugins/client-gone.js';
import { holdUntilSent } from '../src/plugins/hold.js';
import { streamLines, type Line } from '../src/plugins/lines.js';
import type { Listed } from '../src/registry/registry.js';
import { nextTurn } from '../src/turns.js';
import type { App } from './app-type.js';
import { lookAtFiles } from './dataset-states.js';
import { MEMBERS } from './describe.js';
import { jsonResponse, oneOf, pageLimit, problems } from './schemas/index.js';

const Query = Type.Object(
  {
    limit: pageLimit(LIMITS.pageDatasetsMax),
    cursor: Type.Optional(
      Type.String({ maxLength: 512, description: 'The next_cursor of the page before; absent for the first page.' }),
    ),
    prefix: Type.Optional(Type.String({ maxLength: 128, description: 'What the names begin with.' })),
    q: Type.Optional(
      Type.String({ minLength: 1, maxLength: 128, description: 'A part of the name, in capitals or not.' }),
    ),
    state: Type.Optional(
      oneOf(['true', 'ready', 'quarantined'], {
        description:
          '`ready` and `quarantined` keep the datasets whose state is last known to be that. `true` keeps all of the page ' +
          'and looks at the file of each, which takes longer.',
      }),
    ),
    fields: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 512,
        description:
          'Members of the entries, with commas between them, such as name,shape,dtype. By default all of them but attrs, ' +
          'which may have 64 KiB each: attrs alone asks for these.',
      }),
    ),
  },
  { additionalProperties: false },
);

export function datasetList(app: App, { budget }: Context): void {
  app.get(
    '/v1/datasets',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'listDatasets',
        tags: ['datasets'],
        summary: 'List datasets, ordered by the bytes of their names',
        description:
          'Datasets that cannot be served are in it, with the reason. `state` is what the service knows without looking at ' +
          'files: one that other programs deleted or cut is `ready` here, unless `state=true` is asked for.',
        querystring: Query,
        response: { 200: jsonResponse('One page', 'DatasetList'), ...problems('busy') },
      },
    },
    async (request, reply) => {
      const { limit = 100, cursor, prefix = '', q, state, fields } = request.query;
      const members = fields === undefined ? SHORT : parseFields(fields);
      const part = q?.toLowerCase();
      // One more than asked for tells whether there is a next page.
      const found = await request.datasets.list({
        prefixes: [prefix],
        after: cursor === undefined ? undefined : decodeCursor(cursor),
        limit: limit + 1,
        state: state === 'true' ? undefined : state,
        matches: part === undefined ? undefined : name => name.toLowerCase().includes(part),
      });
      const asked = found.slice(0, limit);
      const page =
        state === 'true'
          ? await lookAtFiles(asked, request.datasets, signalOf(reply))
          : asked.map(each => ({ listed: each, state: knownState(each) }));
      const next = found.length > limit ? encodeCursor(asked.at(-1)!.name) : null;
      const pieces = pageText(page, members, next);
      const first = (await pieces.next()).value!;
      // As text and as bytes, and the piece behind it.
      await holdUntilSent(budget, reply, 2 * first.text.length);
      const second = await pieces.next();
      reply.type('application/json; charset=utf-8');
      if (second.done) return reply.send(first.text);
      await streamLines(budget, reply, follow([first, second.value], pieces));
      return reply;
    },
  );
}

type EntryMember = (listed: Listed, state: DatasetState) => unknown;

/** Members of an entry: those of the dataset where there is one, and why it is not served where it is not. */
const ENTRY_MEMBERS: Readonly<Record<string, EntryMember>> = {
  ...Object.fromEntries(
    Object.entries(MEMBERS).map(([name, of]): [string, EntryMember] => [
      name,
      ({ dataset }, state) => dataset && of(dataset, state),
    ]),
  ),
  name: ({ name }) => name,
  state: (_listed, state) => state,
  code: ({ code, reason }) => (reason === undefined ? undefined : (code ?? 'quarantined')),
  path: ({ dataset, path }, state) => (dataset ? MEMBERS.path(dataset, state) : path),
  reason: ({ reason }) => reason,
};

const ALL: readonly string[] = Object.keys(ENTRY_MEMBERS);
/** What is told where nothing is asked for: a page of 1,000 entries with attrs may have 64 MiB. */
const SHORT = ALL.filter(name => name !== 'attrs');

/** @throws bad_request */
function parseFields(fields: string): string[] {
  const asked = new Set(fields.split(','));
  for (const name of asked) {
    if (!ALL.includes(name)) {
      fail(
        'bad_request',
        `${shown(name)} is no member of an entry. fields takes ${listed(ALL, 'and')}.${didYouMean(name.slice(0, 60), ALL)}`,
        {
          fields: ALL,
        },
      );
    }
  }
  return ALL.filter(name => asked.has(name));
}

function knownState({ dataset }: Listed): DatasetState {
  return dataset?.knownState ?? 'quarantined';
}

/**
 * Entries that are written in one turn, so that others read their rows between two of them: beside two clients that list
 * without a pause, readers keep 80 to 85 % of their rate with 8, 50 to 60 % with 32, and the lists lose a quarter of theirs.
 */
const ENTRIES_PER_TURN = 8;

/** The text of a page, in pieces that are each a few turns' work. */
async function* pageText(
  page: readonly { readonly listed: Listed; readonly state: DatasetState }[],
  members: readonly string[],
  next: string | null,
): AsyncGenerator<Line, undefined> {
  let text = '{"datasets":[';
  for (const [i, each] of page.entries()) {
    const entry: Record<string, unknown> = {};
    for (const name of members) entry[name] = ENTRY_MEMBERS[name]!(each.listed, each.state);
    text += `${i > 0 ? ',' : ''}${stringifyExactJson(entry)}`;
    const isFull = text.length >= LIMITS.pieceBytesMax;
    // oxlint-disable-next-line no-await-in-loop
    if (isFull || i % ENTRIES_PER_TURN === ENTRIES_PER_TURN - 1) await nextTurn();
    if (!isFull) continue;
    yield lineOf(text);
    text = '';
  }
  yield lineOf(`${text}],"next_cursor":${JSON.stringify(next)}}`);
}

async function* follow(first: readonly Line[], rest: AsyncIterable<Line>): AsyncGenerator<Line> {
  yield* first;
  yield* rest;
}

function lineOf(text: string): Line {
  return { text, release: () => {} };
}

function encodeCursor(name: string): string {
  return Buffer.from(name).toString('base64url');
}

/** Names of files whose manifests are damaged may be any. */
function decodeCursor(cursor: string): string {
  const name = Buffer.from(cursor, 'base64url').toString();
  if (name === '' || name.includes('/') || encodeCursor(name) !== cursor) {
    fail('bad_request', 'The cursor is not one that this service gave out. Leave it out for the first page.');
  }
  return name;
}

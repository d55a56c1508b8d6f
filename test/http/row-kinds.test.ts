/** Filters and keys of every kind of value, of fields and of datasets, against numpy's comparisons and pandas' calendar. */
import fs from 'node:fs';
import t from 'tap';
import { caseCount, IS_FULL } from '../helpers/cases.js';
import { runPython, withoutModule } from '../helpers/python.js';
import { startServer } from '../helpers/server.js';
import { create } from '../system/calls.js';

interface Case {
  readonly dataset: string;
  readonly query: Readonly<Record<string, unknown>>;
  readonly expected:
    | { readonly count: number; readonly sum: number }
    /** The key, how many rows, their sum. */
    | { readonly groups: readonly (readonly [key: unknown, count: number, sum: number])[] };
}

interface Answer {
  readonly count: number;
  readonly results: { readonly sum?: number };
  readonly groups?: readonly {
    readonly key: unknown;
    readonly count: number;
    readonly results: { readonly sum: number };
  }[];
}

/** As the expected answers are written. */
function reduced({ count, results, groups }: Answer): unknown {
  if (groups) return { groups: groups.map(group => [group.key, group.count, group.results.sum]) };
  return { count, sum: results.sum };
}

/** What has to be among the queries, and in how many of them at least. */
const MEMBERS = [
  ...'eq ne lt le gt ge between in is_nan and or not rows every bins field'.split(' ').map(name => `"${name}":`),
  '"in":{"dataset"',
];
const SEEN_MIN = IS_FULL ? 20 : 1;

const skip = withoutModule('pandas');

t.test(
  'rows are told apart by dates, texts, complex numbers and fields as numpy tells them apart',
  { skip },
  async t => {
    const server = await startServer();
    t.teardown(async () => {
      await server.stop();
      fs.rmSync(server.dataDir, { recursive: true });
    });
    const count = caseCount(80, 1500);
    const seed = 7;
    const printed = runPython('statistics/live/row_kinds.py', [server.dataDir, String(seed), String(count)]);
    const { datasets, cases } = JSON.parse(printed) as { datasets: readonly string[]; cases: readonly Case[] };
    for (const name of datasets) await create(server, { name, path: `${name}.npy` }); // oxlint-disable-line no-await-in-loop
    const found: string[] = [];
    for (const { dataset, query, expected } of cases) {
      // oxlint-disable-next-line no-await-in-loop
      const response = await server.fetch(`/v1/datasets/${dataset}/statistics`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(query),
      });
      const answer = (await response.json()) as Answer; // oxlint-disable-line no-await-in-loop
      const got = JSON.stringify(response.status === 200 ? reduced(answer) : answer);
      if (got !== JSON.stringify(expected)) {
        found.push(
          `${JSON.stringify(query)}: ${got.slice(0, 600)} instead of ${JSON.stringify(expected).slice(0, 600)}`,
        );
      }
    }
    t.same(found.length > 0 ? [`${found.length} of ${count}`, ...found.slice(0, 5)] : [], []);
    const asked = cases.map(({ query }) => JSON.stringify(query));
    for (const member of MEMBERS) {
      const seen = asked.filter(text => text.includes(member)).length;
      t.ok(seen >= SEEN_MIN, `${seen} queries have ${member}`);
    }
  },
);

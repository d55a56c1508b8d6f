/**
 * Imports only go down. Every file of src/ and routes/ stands in one layer; a file may import from its own layer and
 * from those below. Some packages have one door.
 */
import fs from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { PACKAGE_ROOT } from '../src/package-root.js';

interface Layer {
  readonly name: string;
  /** A file, or a folder with everything in it that no other layer names. */
  readonly rooms: readonly string[];
  /** The highest layer that may be imported, where that is not the layer itself. */
  readonly reach?: string;
}

/** From the bottom up. */
const LAYERS: readonly Layer[] = [
  {
    name: 'words',
    rooms: [
      'src/error-table.ts',
      'src/errors.ts',
      'src/limits.ts',
      'src/containers.ts',
      'src/budget.ts',
      'src/cancelled.ts',
      'src/fair-line.ts',
      'src/setting.ts',
      'src/traffic.ts',
      'src/turns.ts',
      'src/cgroup.ts',
      'src/lower-bound.ts',
      'src/near.ts',
      'src/present.ts',
      'src/shown.ts',
    ],
  },
  { name: 'numbers', rooms: ['src/dtype/', 'src/float16.ts', 'src/narrow.ts', 'src/native.ts'] },
  { name: 'kernels', rooms: ['src/kernels/'] },
  { name: 'conversions', rooms: ['src/convert/'], reach: 'numbers' },
  { name: 'selection', rooms: ['src/selection.ts'] },
  { name: 'geometry', rooms: ['src/layout/', 'src/block.ts', 'src/descriptor.ts'] },
  { name: 'filters', rooms: ['src/filter/'] },
  { name: 'groupings', rooms: ['src/grouping/'] },
  { name: 'scans', rooms: ['src/scan/'] },
  { name: 'columns', rooms: ['src/columns/'] },
  { name: 'file', rooms: ['src/file/'] },
  { name: 'dataset', rooms: ['src/dataset/'] },
  { name: 'formats', rooms: ['src/formats/'], reach: 'geometry' },
  { name: 'indices', rooms: ['src/select/'], reach: 'formats' },
  { name: 'zarr', rooms: ['src/zarr/'], reach: 'formats' },
  { name: 'registry', rooms: ['src/registry/', 'src/transfer/'] },
  { name: 'access', rooms: ['src/access/'] },
  { name: 'following', rooms: ['src/following/'], reach: 'registry' },
  { name: 'statistics', rooms: ['src/statistics/'], reach: 'columns' },
  { name: 'answers', rooms: ['src/answers/', 'src/coarsen/'] },
  { name: 'jobs', rooms: ['src/jobs/'] },
  { name: 'context', rooms: ['src/config.ts', 'src/context.ts', 'src/package-root.ts', 'src/version.ts'] },
  { name: 'plugins', rooms: ['src/plugins/'] },
  { name: 'routes', rooms: ['routes/'] },
  {
    name: 'process',
    rooms: [
      'src/app.ts',
      'src/command-line/',
      'src/data-dir.ts',
      'src/demo.ts',
      'src/fast-ticks.ts',
      'src/hyperslab.ts',
      'src/keys-command.ts',
      'src/node-version.ts',
      'src/process/',
      'src/server.ts',
      'src/openapi-document.ts',
    ],
  },
];

/** The same inside the room of statistics, from the bottom up. A folder has all of its subject, and so files of many layers. */
const STATISTICS: readonly Layer[] = [
  {
    name: 'numbers',
    rooms: [
      'src/statistics/groups/quantiles/scale.ts',
      'src/statistics/histogram/edges.ts',
      'src/statistics/histogram/parameters.ts',
      'src/statistics/histogram/spec.ts',
      'src/statistics/quantiles/methods.ts',
      'src/statistics/quantiles/wanted.ts',
    ],
  },
  {
    name: 'accumulators',
    rooms: ['src/statistics/accumulators/', 'src/statistics/ops.ts', 'src/statistics/warm-up.ts'],
  },
  {
    name: 'messages',
    rooms: ['src/statistics/pass.ts', 'src/statistics/result.ts', 'src/statistics/specs.ts'],
  },
  {
    name: 'queries',
    rooms: ['src/statistics/query.ts'],
  },
  {
    name: 'sinks',
    rooms: [
      'src/statistics/accumulators/facet-sink.ts',
      'src/statistics/accumulators/sink.ts',
      'src/statistics/groups/cell-records.ts',
      'src/statistics/groups/distinct-sinks.ts',
      'src/statistics/groups/row-groups.ts',
      'src/statistics/groups/row-values.ts',
      'src/statistics/groups/quantiles/buckets.ts',
      'src/statistics/groups/sink.ts',
      'src/statistics/histogram/sink.ts',
      'src/statistics/quantiles/gather-sink.ts',
      'src/statistics/quantiles/key-sinks.ts',

      'src/statistics/worker.ts',
    ],
  },
  {
    name: 'plans',
    rooms: [
      'src/statistics/groups/distinct-texts.ts',
      'src/statistics/join.ts',
      'src/statistics/plan-query.ts',
      'src/statistics/plan-rows.ts',
      'src/statistics/plan.ts',
      'src/statistics/prepass.ts',
      'src/statistics/quantiles/key-ranges.ts',
      'src/statistics/quantiles/search.ts',
      'src/statistics/quantiles/strategy.ts',
    ],
  },
  {
    name: 'operators',
    rooms: [
      'src/statistics/accumulators/operator.ts',
      'src/statistics/groups/key-values.ts',
      'src/statistics/groups/operator.ts',
      'src/statistics/groups/quantiles/found-buckets.ts',
      'src/statistics/groups/quantiles/group-quantiles.ts',
      'src/statistics/groups/store.ts',
      'src/statistics/groups/unique.ts',
      'src/statistics/histogram/operator.ts',
      'src/statistics/quantiles/operator.ts',
      'src/statistics/quantiles/results.ts',
    ],
  },
  {
    name: 'whole',
    rooms: [
      'src/statistics/computation.ts',
      'src/statistics/index.ts',
      'src/statistics/row-numbers.ts',
      'src/statistics/run.ts',
    ],
  },
];

/** The rooms that may import a package; all others may not. */
const DOORS: readonly { readonly packages: readonly string[]; readonly rooms: readonly string[] }[] = [
  { packages: ['koffi', 'mmap-io', '@riaskov/mmap-io'], rooms: ['src/file/'] },
  { packages: ['piscina', 'node:worker_threads', 'worker_threads'], rooms: ['src/jobs/'] },
  // A parser of bodies, by its name a plugin: it comes first.
  { packages: ['@fastify/busboy'], rooms: ['src/transfer/'] },
  {
    packages: ['fastify', '@fastify/', 'node:http', 'http'],
    rooms: ['src/plugins/', 'routes/', 'src/app.ts', 'src/demo.ts', 'src/process/'],
  },
  { packages: ['jose'], rooms: ['src/access/'] },
  { packages: ['tap'], rooms: ['test/'] },
];

/** Source text by path from the root, with forward slashes. */
type Tree = ReadonlyMap<string, string>;

const IMPORT = /(?:\bfrom|\bimport|\bimport\(|\brequire(?:\.resolve)?\(|\)\(|new URL\()\s*'([^']+)'/g;

function importsOf(text: string): string[] {
  // Comments may quote an import that is not one.
  const code = text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '');
  return [...code.matchAll(IMPORT)].map(match => match[1]!);
}

function targetOf(file: string, asked: string): string {
  return path.posix.join(path.posix.dirname(file), asked).replace(/\.js$/, '.ts');
}

function isIn(file: string, rooms: readonly string[]): boolean {
  return rooms.some(room => (room.endsWith('/') ? file.startsWith(room) : file === room));
}

function layerOf(file: string, layers: readonly Layer[]): number {
  const own = layers.findIndex(layer => layer.rooms.includes(file));
  return own === -1 ? layers.findIndex(layer => isIn(file, layer.rooms)) : own;
}

/** One sentence per import that breaks a rule. */
function violations(tree: Tree, layers = LAYERS): string[] {
  return [...tree].flatMap(([file, text]) => {
    const own = layerOf(file, layers);
    if (own === -1) return [`${file} stands in no layer; give it one in test/layers.test.ts`];
    const { reach } = layers[own]!;
    const highest = reach === undefined ? own : layers.findIndex(layer => layer.name === reach);
    return importsOf(text).flatMap(asked => {
      if (!asked.startsWith('.')) {
        const door = DOORS.find(({ packages }) =>
          packages.some(name => asked === name || asked.startsWith(name.endsWith('/') ? name : `${name}/`)),
        );
        return door && !isIn(file, door.rooms)
          ? [`${file} imports ${asked}, which is for ${door.rooms.join(', ')}`]
          : [];
      }
      const target = targetOf(file, asked);
      const layer = layerOf(target, layers);
      if (!tree.has(target)) return asked.endsWith('.js') ? [`${file} imports ${asked}, which is not there`] : [];
      if (layer === own || layer <= highest) return [];
      return [`${file} (${layers[own]!.name}) imports ${target} (${layers[layer]?.name ?? 'no layer'})`];
    });
  });
}

/** Circles of imports, types included: each as the files that it goes through. */
function circles(tree: Tree): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    const at = path.indexOf(file);
    if (at >= 0) found.push([...path.slice(at), file].join(' → '));
    if (at >= 0 || done.has(file)) return;
    const text = tree.get(file);
    if (text === undefined) return;
    for (const asked of importsOf(text)) {
      if (asked.startsWith('.')) visit(targetOf(file, asked), [...path, file]);
    }
    done.add(file);
  };
  for (const file of tree.keys()) visit(file, []);
  return found;
}

function readTree(): Map<string, string> {
  const tree = new Map<string, string>();
  for (const folder of ['src', 'routes']) {
    for (const entry of fs.readdirSync(path.join(PACKAGE_ROOT, folder), { recursive: true, encoding: 'utf8' })) {
      const file = `${folder}/${entry.split(path.sep).join('/')}`;
      if (/(?<!\.d)\.ts$/.test(file)) tree.set(file, fs.readFileSync(path.join(PACKAGE_ROOT, file), 'utf8'));
    }
  }
  return tree;
}

const hasSources = fs.existsSync(path.join(PACKAGE_ROOT, 'src'));

t.test('no import points up, and every file stands in a layer', { skip: !hasSources && 'no sources here' }, async t => {
  const tree = readTree();
  t.ok(tree.size > 50, 'the sources were found');
  t.strictSame(violations(tree), []);
});

t.test('so it is inside the room of statistics', { skip: !hasSources && 'no sources here' }, async t => {
  const room = 'src/statistics/';
  const files = [...readTree()].filter(([file]) => file.startsWith(room));
  // What lies outside was looked at above.
  const inside = (file: string, text: string): string =>
    importsOf(text)
      .filter(asked => asked.startsWith('.') && targetOf(file, asked).startsWith(room))
      .map(asked => `import '${asked}';`)
      .join('\n');
  const tree = new Map(files.map(([file, text]) => [file, inside(file, text)]));
  t.strictSame(violations(tree, STATISTICS), []);
  const up = new Map([...tree, [`${room}histogram/edges.ts`, "import type { Plan } from '../plan.js';"]]);
  t.strictSame(violations(up, STATISTICS), [`${room}histogram/edges.ts (numbers) imports ${room}plan.ts (plans)`]);
});

/** A file and its state know each other, and what is done with both stands in files of its own. */
const KNOWN_CIRCLES = 'src/file/';

t.test('no imports go in a circle, those of types included', { skip: !hasSources && 'no sources here' }, async t => {
  const rooms = [...readTree()].filter(([file]) => !file.startsWith(KNOWN_CIRCLES));
  t.strictSame(circles(new Map(rooms)), []);
  const planted = new Map([
    ['src/a.ts', "import { b } from './b/b.js';"],
    ['src/b/b.ts', "import type { C } from './c.js';"],
    ['src/b/c.ts', "export { a } from '../a.js';"],
    ['src/d.ts', "import { a } from './a.js';"],
  ]);
  t.strictSame(circles(planted), ['src/a.ts → src/b/b.ts → src/b/c.ts → src/a.ts']);
});

t.test('a planted violation is noticed', async t => {
  const base = new Map([
    ['src/errors.ts', ''],
    ['src/layout/view.ts', "import { fail } from '../errors.js';"],
    ['src/file/io.ts', ''],
    ['src/registry/registry.ts', ''],
    ['src/plugins/errors.ts', ''],
    ['src/statistics/plan.ts', "import type { View } from '../layout/view.js';"],
  ]);
  t.strictSame(violations(base), []);
  for (const [file, text, sentence] of [
    ['src/errors.ts', "import { x } from './layout/view.js';", 'src/errors.ts (words) imports src/layout/view.ts'],
    ['src/layout/view.ts', "import type { X } from '../file/io.js';", 'imports src/file/io.ts (file)'],
    ['src/layout/view.ts', "export * from '../registry/registry.js';", 'imports src/registry/registry.ts'],
    ['src/file/io.ts', "const x = await import('../plugins/errors.js');", 'imports src/plugins/errors.ts'],
    ['src/file/io.ts', "import {\n  a,\n  b,\n} from '../plugins/errors.js';", 'imports src/plugins/errors.ts'],
    ['src/statistics/plan.ts', "import { x } from '../file/io.js';", 'src/statistics/plan.ts (statistics) imports'],
    ['src/registry/registry.ts', "createRequire(import.meta.url)('koffi')", 'imports koffi'],
    ['src/registry/registry.ts', "import type { X } from 'mmap-io';", 'imports mmap-io'],
    ['src/registry/registry.ts', "import { Piscina } from 'piscina';", 'imports piscina'],
    ['src/registry/registry.ts', "import { Worker } from 'node:worker_threads';", 'imports node:worker_threads'],
    ['src/statistics/plan.ts', "import fastify from 'fastify';", 'imports fastify'],
    ['src/file/io.ts', "import swagger from '@fastify/swagger';", 'imports @fastify/swagger'],
    ['src/file/io.ts', "import x from './gone.js';", 'which is not there'],
    ['src/new-room/x.ts', '', 'stands in no layer'],
  ] as const) {
    const found = violations(new Map([...base, [file, text]]));
    t.equal(found.length, 1, found.join('; ') || text);
    t.ok(found[0]?.includes(sentence), `${found[0]} says "${sentence}"`);
  }
  const quoted = new Map([...base, ['src/file/io.ts', "/** Unlike `import 'fastify'`. */\n// from 'piscina'"]]);
  t.strictSame(violations(quoted), [], 'comments import nothing');
});

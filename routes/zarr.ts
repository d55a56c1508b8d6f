/**
 * The datasets as two read-only Zarr stores: `/zarr/` of version 3, `/zarr2/` of version 2. A store is its keys; each is a
 * document that describes a node, or a chunk of an array. What is no key is 404, which readers take for "not there".
 */
import type { FastifyReply, FastifyRequest, FastifySchema } from 'fastify';
import type { Datasets } from '../src/access/datasets.js';
import type { Context } from '../src/context.js';
import type { Dataset } from '../src/dataset/dataset.js';
import { fail } from '../src/errors.js';
import { sendChunk } from '../src/plugins/send-chunk.js';
import { sendDocument } from '../src/plugins/send-document.js';
import { shown } from '../src/shown.js';
import { chunkIndex, chunkView } from '../src/zarr/chunks.js';
import { ZARR_2, ZARR_3, type Members, type ZarrVersion } from '../src/zarr/documents.js';
import { decodedName, nodeName } from '../src/zarr/names.js';
import { neighbourhood, nodeOf, type ArrayNode, type Member, type Node } from '../src/zarr/nodes.js';
import { ZARR_KEYS } from './schemas/zarr.js';
import type { App } from './app-type.js';

export function zarr(app: App, context: Context): void {
  for (const [root, version] of [
    ['/zarr', ZARR_3],
    ['/zarr2', ZARR_2],
  ] as const) {
    const handler = (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> =>
      sendKey(context, request, reply, version, partsOf(request, root));
    for (const [path, schema] of Object.entries(ZARR_KEYS[version.number])) add(app, `${root}${path}`, schema, handler);
    // Fields of structures, the groups of coordinates, and chunks of any rank.
    add(app, `${root}/*`, { hide: true }, handler);
  }
}

/** The parts of a key, decoded one by one: a name may have a slash in it that was encoded. */
function partsOf({ url }: FastifyRequest, root: string): string[] {
  const parts = url
    .split('?', 1)[0]!
    .slice(root.length + 1)
    .split('/');
  try {
    return parts.map(decodeURIComponent);
  } catch {
    return fail('bad_request', `${shown(url)} has a % that begins no percent-encoded character. Write % as %25.`);
  }
}

async function sendKey(
  context: Context,
  request: FastifyRequest,
  reply: FastifyReply,
  version: ZarrVersion,
  parts: readonly string[],
): Promise<FastifyReply> {
  const found = await nodeAt(request.datasets, version, parts);
  const [key = ''] = found.rest;
  const document = found.rest.length === 1 ? version.documents.get(key)?.(found.node, found.members) : undefined;
  const view = !document && found.node.kind === 'array' ? chunkOf(version, found.node, found.rest) : undefined;
  if (!document && !view) {
    reply.callNotFound();
    return reply;
  }
  checkNoQuery(request);
  if (document) {
    // What another program has made of the file is told first.
    await found.dataset?.open();
    return sendDocument(context.budget, reply, document, found.dataset);
  }
  return sendChunk(context, reply, found.node as ArrayNode, view!);
}

/** As of all calls, but where there is no key it matters more that there is none. @throws bad_request */
function checkNoQuery({ query }: FastifyRequest): void {
  const [name] = Object.keys(query as object);
  if (name !== undefined) fail('bad_request', `There is no query parameter ${shown(name)}; none is taken here.`);
}

function chunkOf(version: ZarrVersion, { view, chunks }: ArrayNode, rest: readonly string[]) {
  const numbers = version.chunkParts(rest, chunks.length);
  const index = numbers && chunkIndex(numbers);
  return index && chunkView(view, chunks, index);
}

/** A node, and what of a key stands behind it. */
interface Found {
  readonly node: Node;
  readonly members: Members;
  readonly rest: readonly string[];
  /** The one that the node is, or is a part of. */
  readonly dataset?: Dataset | undefined;
}

/** @throws unknown_dataset, quarantined */
async function nodeAt(
  datasets: Datasets,
  version: ZarrVersion,
  [first = '', ...parts]: readonly string[],
): Promise<Found> {
  if (parts.length === 0 && (version.documents.has(first) || first === '')) {
    const whole = version.number === 3 ? 'zarr.json' : '.zmetadata';
    return { node: ROOT, members: membersOf(datasets), rest: [first === '' ? whole : first] };
  }
  // No name of a node.
  if (version.documents.has(first)) return { node: ROOT, members: [], rest: [first, ...parts] };
  const isGroup = first.startsWith('~');
  const asked = isGroup ? first.slice(1) : first;
  await datasets.look([asked]);
  const name = datasets.has(asked) ? asked : decodedName(asked);
  if (name !== asked) await datasets.look([name]);
  const dataset = datasets.get(name);
  if (isGroup) await datasets.look(dataset.record.dims ?? []);
  const find = (name: string): Dataset | undefined => (datasets.has(name) ? datasets.get(name) : undefined);
  let node: Node = isGroup ? neighbourhood(dataset, find) : nodeOf(dataset);
  let rest: readonly string[] = parts;
  while (node.kind === 'group' && rest.length > 0 && !(rest.length === 1 && version.documents.has(rest[0]!))) {
    const inner: Node | undefined = node.find(rest[0]!);
    if (!inner) break;
    node = inner;
    rest = rest.slice(1);
  }
  const members = node.kind === 'group' ? node.members() : [];
  return { node, members, rest, dataset: node.kind === 'array' ? node.dataset : dataset };
}

const ROOT: Node = { kind: 'group', attrs: {}, members: () => [], find: () => undefined };

/** Datasets that are looked up at a time. */
const PAGE = 512;

/** All datasets that the caller reaches, in the order of their names. */
async function* membersOf(datasets: Datasets): AsyncGenerator<Member> {
  for (let after: string | undefined; ;) {
    // oxlint-disable-next-line no-await-in-loop
    const page = await datasets.list({ prefixes: [''], after, limit: PAGE });
    for (const { name, dataset } of page) if (dataset) yield [nodeName(name), nodeOf(dataset)];
    if (page.length < PAGE) return;
    after = page.at(-1)!.name;
  }
}

type Schema = FastifySchema;
type Handler = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>;

/** Never counted by the rate limit: readers take a chunk that is refused for one that is not there. */
const CONFIG = { scope: 'read', isUncounted: true, asksPreconditions: true } as const;

function add(app: App, url: string, schema: Schema, handler: Handler): void {
  app.route({ method: 'GET', url, config: CONFIG, schema, handler, exposeHeadRoute: false });
  app.route({ method: 'HEAD', url, config: CONFIG, schema: { ...schema, hide: true }, handler });
}

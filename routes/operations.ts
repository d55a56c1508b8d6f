/** Health, readiness, metrics, and the API document. */
import { createHash } from 'node:crypto';
import type { Registry as Metrics } from 'prom-client';
import type { Context } from '../src/context.js';
import type { Datasets } from '../src/access/datasets.js';
import { rankNeeded } from '../src/access/scopes.js';
import { troubleOfOwnFolder } from '../src/file/own-folder.js';
import { LIMITS } from '../src/limits.js';
import { isUnchanged } from '../src/plugins/conditional.js';
import { VERSION } from '../src/version.js';
import { jsonResponse, problems } from './schemas/index.js';
import type { App } from './app-type.js';

export function operations(app: App, context: Context, metrics: Metrics): void {
  app.get(
    '/healthz',
    {
      config: { scope: 'open', isUncounted: true, onSpares: true },
      schema: {
        operationId: 'health',
        tags: ['operations'],
        summary: 'The process answers',
        description: 'Nothing is looked at; see /readyz for what is served.',
        response: { 200: jsonResponse('It does', 'Health') },
      },
    },
    async () => ({ status: 'ok' as const }),
  );

  app.get(
    '/readyz',
    {
      // A balancer has no key; it asks for the status alone.
      config: { scope: 'open', onSpares: true },
      schema: {
        operationId: 'readiness',
        tags: ['operations'],
        summary: 'What is served, how files are mapped, and which datasets are not available',
        description: 'Without the scope read, the status alone.',
        response: {
          200: jsonResponse('What is served', 'Readiness'),
          ...problems(),
        },
      },
    },
    async ({ principal, datasets }) => ({
      status: 'ready' as const,
      ...(principal.rank >= rankNeeded('read') && (await details(context, datasets))),
    }),
  );

  app.get(
    '/metrics',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'metrics',
        tags: ['operations'],
        summary: 'Prometheus metrics',
        description: 'Counts and times since the start of the process.',
        response: {
          200: { description: 'Text format', content: { 'text/plain': { schema: { type: 'string' } } } },
          ...problems(),
        },
      },
    },
    async (_request, reply) => reply.type(metrics.contentType).send(await metrics.metrics()),
  );

  // What the project publishes anyway. It does not change while the service runs, but for where it is reached.
  let document: Document | undefined;
  app.get(
    '/openapi.json',
    { config: { scope: 'open', asksPreconditions: true }, schema: { hide: true } },
    async (request, reply) => {
      const server = app.serverUrl(request, '.');
      if (document?.server !== server) document = documentOf(app, server);
      const { bytes, tag } = document;
      reply.header('etag', tag).header('cache-control', 'no-cache');
      if (isUnchanged(reply, tag)) return reply.code(304).send();
      return reply.type('application/json; charset=utf-8').send(bytes);
    },
  );
}

interface Document {
  readonly server: string;
  readonly bytes: Buffer;
  readonly tag: string;
}

function documentOf(app: App, server: string): Document {
  const bytes = Buffer.from(JSON.stringify({ ...app.swagger(), servers: [{ url: server }] }));
  return { server, bytes, tag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"` };
}

async function details({ mappings, config, files }: Context, datasets: Datasets) {
  const { quarantined } = datasets;
  const unknown = datasets.namesOf(files.failedFileIds);
  return {
    version: VERSION,
    mapping: mappings[0] ?? 'positional',
    mappings: [...mappings],
    workers: config.workers,
    data_folder: (await troubleOfOwnFolder(config.dataDir)) ?? 'writable',
    datasets: await datasets.count(),
    quarantined: quarantined.slice(0, LIMITS.troublesShownMax),
    quarantined_count: quarantined.length,
    ...(datasets.folderStandings.length > 0 && { folders: [...datasets.folderStandings] }),
    durability_unknown: unknown.slice(0, LIMITS.troublesShownMax),
    durability_unknown_count: unknown.length,
  };
}

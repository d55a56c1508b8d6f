/** The API document, made from the route schemas, and Swagger UI on top of it. */
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { TSchema } from 'typebox';
import type { NeededScope } from '../access/scopes.js';
import { shapeDocument } from './openapi-shape.js';

/** The schema of a body by its media type. */
export type Bodies = Readonly<Record<string, object>>;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** For routes that read their bodies as they come: what the document says of them. */
    bodies?: Bodies;
  }
}

declare module 'fastify' {
  interface FastifyInstance {
    /** `servers` of the API document: the prefix that is known, else the root as the document's own URL reaches it. */
    serverUrl(request: FastifyRequest, toRoot: '.' | '..'): string;
  }
}

export async function registerOpenApi(
  app: FastifyInstance,
  version: string,
  components: readonly TSchema[],
  prefixOf: (request: FastifyRequest) => string | undefined,
): Promise<void> {
  app.decorate('serverUrl', (request, toRoot) => prefixOf(request) ?? toRoot);
  for (const component of components) app.addSchema(component);
  await app.register(swagger, {
    openapi: {
      openapi: '3.0.3',
      info: {
        title: 'Hyperslab',
        version,
        description:
          'numpy.memmap over HTTP: slices of memory-mapped arrays, writes that are flushed, and statistics computed on ' +
          'the server. Names follow numpy; errors are RFC 9457 problem documents with a `code`. In a request, an optional ' +
          'member that is `null`, `[]` or `{}` is absent, unless its description gives that value a meaning.',
        license: { name: 'MIT' },
      },
      servers: [{ url: '/' }],
      components: {
        securitySchemes: {
          bearer: {
            type: 'http',
            scheme: 'bearer',
            description:
              'An API key (hs_…) or a JWT. Calls name the scope that they need: read, write or admin, each of which ' +
              'includes those before it. A service on loopback without keys asks for none.',
          },
        },
      },
      tags: [
        { name: 'datasets', description: 'What is served' },
        { name: 'reads', description: 'Rows, blocks and slices' },
        { name: 'writes', description: 'Slices, flushed' },
        { name: 'statistics', description: 'Computed in the worker pool' },
        { name: 'jobs', description: 'Statistics that nobody waits for' },
        { name: 'zarr', description: 'Datasets as Zarr stores, for xarray and its like' },
        { name: 'operations', description: 'Health and metrics' },
      ],
    },
    refResolver: {
      buildLocalReference: (schema, _base, _fragment, i) =>
        typeof schema['$id'] === 'string' ? schema['$id'] : `def-${i}`,
    },
    transform: ({ schema, url, route: { config, method } }) => ({
      schema: withConditions(
        withSecurity(withBodies(schema, config?.bodies), config?.scope),
        config?.asksPreconditions,
        method === 'GET',
      ),
      url,
    }),
    transformObject: given => ('openapiObject' in given ? shapeDocument(given.openapiObject) : given.swaggerObject),
  });
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    uiConfig: { docExpansion: 'list', tryItOutEnabled: true },
    staticCSP: PAGE_POLICY,
    logo: { type: 'image/svg+xml', content: Buffer.from(MARK) },
    theme: {
      title: 'Hyperslab API',
      favicon: [
        { filename: 'favicon.svg', rel: 'icon', type: 'image/svg+xml', sizes: 'any', content: Buffer.from(MARK) },
      ],
    },
    transformSpecificationClone: false,
    transformSpecification: (document, request) => ({ ...document, servers: [{ url: app.serverUrl(request, '..') }] }),
    // The page's own redirects and links would leave out a prefix.
    uiHooks: {
      onRequest(request, reply, next) {
        const [path = ''] = request.url.split('?', 1);
        if (path.endsWith('/docs')) void reply.redirect('docs/');
        else if (path.endsWith('/static/index.html')) void reply.redirect('../');
        // Writing YAML takes 50 ms of everybody's time for each who asks; JSON is YAML, too.
        else if (path.endsWith('/docs/yaml')) void reply.redirect('../openapi.json');
        else next();
      },
    },
  });
}

/** Relative to the root of the service. */
export const FAVICON_PATH = 'docs/static/theme/favicon.svg';

/** A slab cut out of an array: the mark of the service, for the page and its tab. */
const MARK =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16" width="40" height="40"><g fill="#7aa2c8">' +
  '<path d="M1 1h4v4H1zM6 1h4v4H6zM11 1h4v4h-4zM1 6h4v4H1zM1 11h4v4H1z"/></g>' +
  '<path fill="#e8833a" d="M6 6h9v9H6z"/></svg>';

/** The page runs its own scripts and talks to this service; its styles are set on elements. */
const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; " +
  "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** What a caller needs: its role stands beside the scheme, as OpenAPI 3.1 has it; generators for 3.0 pass over it. */
function withSecurity<T>(schema: T, scope: NeededScope | undefined): T {
  if (typeof schema !== 'object' || schema === null || 'hide' in schema) return schema;
  return { ...schema, security: scope === undefined || scope === 'open' ? [] : [{ bearer: [scope] }] };
}

/** Read by the handlers as they come (plugins/conditional.ts), so that they need no validation. */
const CONDITIONS = {
  'if-match': {
    type: 'string',
    description:
      '"<id>.<generation>", with or without the format of an ETag behind it; several with commas between; or *, for any. ' +
      'Answered 412 where the dataset is not at one of them. Compared strongly: W/"…" never matches.',
  },
  'if-none-match': {
    type: 'string',
    description:
      'Entity tags, or *, for any. A read whose ETag is listed is answered 304; a change is answered 412 where the ' +
      'dataset is at one of them, and with * wherever the name is taken.',
  },
} as const;

const NOT_MODIFIED = { description: 'Nothing has changed since the ETag of If-None-Match', type: 'null' };

function withConditions<T>(schema: T, asked: boolean | undefined, isRead: boolean): T {
  if (!asked || typeof schema !== 'object' || schema === null || 'hide' in schema) return schema;
  const own = 'headers' in schema ? (schema.headers as { properties: object }).properties : {};
  const response = {
    ...('response' in schema ? (schema.response as object) : {}),
    ...(isRead && { 304: NOT_MODIFIED }),
  };
  return { ...schema, headers: { type: 'object', properties: { ...own, ...CONDITIONS } }, response };
}

/** Streamed bodies have no schema to validate; the document says what they are. */
function withBodies<T>(schema: T, bodies: Bodies | undefined): T {
  if (typeof schema !== 'object' || schema === null || !bodies) return schema;
  const content = Object.fromEntries(Object.entries(bodies).map(([type, body]) => [type, { schema: body }]));
  return { ...schema, body: { content } };
}

/** `/`: what is served, as a page for people, and the links of it as JSON for programs. */
import accepts from 'accepts';
import { Type } from 'typebox';
import { rankNeeded } from '../src/access/scopes.js';
import { addVary } from '../src/plugins/vary.js';
import type { App } from './app-type.js';
import { homePage, PAGE_ROWS_MAX, PAGE_POLICY } from './home-page.js';
import { problems } from './schemas/index.js';

/** Relative, so that they hold behind a proxy that adds a prefix. */
const LINKS = { docs: 'docs', openapi: 'openapi.json', metrics: 'metrics', datasets: 'v1/datasets' } as const;

export function home(app: App): void {
  app.get(
    '/',
    {
      config: { scope: 'open' },
      schema: {
        operationId: 'home',
        tags: ['operations'],
        summary: 'Where to go from here',
        description: 'A page for people where `Accept` prefers `text/html`, else the links of that page as JSON.',
        response: {
          200: {
            description: 'Links, relative to this address',
            content: {
              'application/json': {
                schema: Type.Ref('Links'),
              },
              'text/html': { schema: Type.String() },
            },
          },
          ...problems(),
        },
      },
    },
    async (request, reply) => {
      addVary(reply, 'Accept');
      reply.header('cache-control', 'no-cache');
      if (accepts(request.raw).type(['json', 'html']) !== 'html') return reply.type('application/json').send(LINKS);
      const mayRead = request.principal.rank >= rankNeeded('read');
      const found = mayRead ? await request.datasets.list({ prefixes: [''], limit: PAGE_ROWS_MAX + 1 }) : undefined;
      return reply
        .header('content-security-policy', PAGE_POLICY)
        .type('text/html; charset=utf-8')
        .send(homePage(found));
    },
  );
}

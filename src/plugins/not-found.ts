/**
 * Paths that are not part of the API: 404 with the path that was likely meant, and 405 with the methods to use where only
 * the method is wrong.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { HyperslabError } from '../errors.js';
import { shown } from '../shown.js';
import { sendProblem } from './errors.js';
import { nearPath, pathMatches } from './near-path.js';

/** Register before the routes, whose paths and methods are gathered, and after the hooks that may refuse a request. */
export function registerNotFound(app: FastifyInstance): void {
  const known = new Map<string, Set<string>>();
  app.addHook('onRoute', route => {
    const { url, method } = route;
    // Every path, for preflights.
    if (url === '*') return;
    const methods = known.get(url) ?? new Set();
    known.set(url, methods);
    for (const each of [method].flat()) methods.add(each);
    const last = /\/:([^/]+)$/.exec(url)?.[1];
    if (last === undefined) return;
    // A slash too many: the router takes what follows it, which is nothing, for a name.
    route.onRequest = [
      ...[route.onRequest ?? []].flat(),
      (request, reply, done) => {
        if ((request.params as Record<string, string>)[last] === '') answer(request, reply);
        else done();
      },
    ];
  });
  const answer = (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const path = request.url.split('?', 1)[0]!;
    const allowed = methodsOf(known, path);
    // A path of a wildcard, which knows better what it has.
    if (allowed.length === 0 || allowed.includes(request.method)) {
      const near = nearPath(path, known.keys());
      const hint = near === undefined ? '' : ` Did you mean ${near}?`;
      const detail = `${request.method} ${shown(path)} is not part of the API.${hint} See /docs or /openapi.json.`;
      return sendProblem(reply, new HyperslabError('not_found', detail, near === undefined ? {} : { near }));
    }
    reply.header('allow', allowed.join(', '));
    const detail = `This path takes ${allowed.join(', ')}, not ${request.method}. See /docs.`;
    return sendProblem(reply, new HyperslabError('method_not_allowed', detail, { allowed }));
  };
  // Before a body is looked at, whose media type no route could know.
  app.addHook('onRequest', (request, reply, done) => {
    if (request.is404) answer(request, reply);
    else done();
  });
  app.setNotFoundHandler(answer);
}

function methodsOf(known: ReadonlyMap<string, ReadonlySet<string>>, path: string): string[] {
  const found = new Set<string>();
  for (const [url, methods] of known) if (pathMatches(path, url)) for (const method of methods) found.add(method);
  // Fastify tells of the root of a plugin without its slash only.
  const bare = path.endsWith('/') && path !== '/' && found.size > 0 ? methodsOf(known, path.slice(0, -1)) : [];
  return [...new Set([...found, ...bare])].sort();
}

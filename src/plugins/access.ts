/**
 * Who may call what. Every route says the scope that it needs in its `config`; one that says none is refused when it is
 * added. A route gets `request.datasets`, the registry as its caller sees it, and no other way to a dataset.
 * Hazard: this runs for every request. The open service takes none of the branches that cost.
 */
import type {
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  HookHandlerDoneFunction,
  onRequestHookHandler,
} from 'fastify';
import type { Access } from '../access/access.js';
import { hostNameOf } from '../access/addresses.js';
import { datasetsOf, type Datasets } from '../access/datasets.js';
import { hasCredentials, NOBODY, type Principal } from '../access/principal.js';
import { failScope } from '../access/refusals.js';
import { rankNeeded, type NeededScope } from '../access/scopes.js';
import { fail } from '../errors.js';
import type { Registry } from '../registry/registry.js';
import { BodyReader } from '../transfer/body.js';
import { makeLimiter } from './rate-limit.js';
import { dropBody } from './refused-body.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What a caller needs. */
    scope?: NeededScope;
    /** True for calls that the rate limit does not count. */
    isUncounted?: boolean;
  }
  interface FastifyRequest {
    principal: Principal;
    /** The datasets that the caller reaches. */
    datasets: Datasets;
    /** The same for an answer that lasts: those that its key reaches by now. @throws unauthenticated, forbidden */
    datasetsNow(): Promise<Datasets>;
  }
}

export interface AccessPluginOptions {
  readonly access: Access;
  readonly registry: Registry;
  readonly corsOrigins: '*' | readonly string[];
  readonly rateLimit: number;
}

interface Needed {
  readonly scope: NeededScope;
  readonly isUncounted: boolean;
}

/** Pages of other packages, which hold no data: Swagger UI asks for a key when it makes a call. */
const OPEN_ELSEWHERE = /^(\/docs(\/.*)?|\*)$/;
/** Looked up for every request. */
const RANKS = { read: rankNeeded('read'), write: rankNeeded('write'), admin: rankNeeded('admin') } as const;
const UNSAFE = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

export async function registerAccess(app: FastifyInstance, options: AccessPluginOptions): Promise<void> {
  const { access, registry, corsOrigins } = options;
  const limiter = await makeLimiter(app, options.rateLimit);
  const views = new WeakMap<Principal, Datasets>();
  const guards = new WeakSet();

  app.decorateRequest('principal', null as unknown as Principal);
  app.decorateRequest('datasets', null as unknown as Datasets);
  app.decorateRequest('datasetsNow', async function (this: FastifyRequest) {
    const caller = await callerOf(access, this);
    if (caller instanceof Error) throw caller;
    const { scope = 'open' } = this.routeOptions.config;
    if (scope !== 'open' && caller.rank < RANKS[scope]) failScope(scope, caller);
    return viewOf(caller);
  });
  app.addHook('onRoute', route => {
    const hooks: object[] = [route.onRequest ?? []].flat();
    // A HEAD route that Fastify makes of a GET route has it already.
    if (hooks.some(hook => guards.has(hook))) return;
    const { scope = OPEN_ELSEWHERE.test(route.url) ? 'open' : undefined, isUncounted = false } = route.config ?? {};
    if (!scope) throw new Error(`${String(route.method)} ${route.url} declares no scope`);
    route.config = { ...route.config, scope };
    const guard = guardOf({ scope, isUncounted });
    guards.add(guard);
    route.onRequest = [guard, ...(hooks as onRequestHookHandler[])];
  });
  // Paths that do not exist tell nothing to anybody; they count.
  const guardOfMissing = guardOf({ scope: 'open', isUncounted: false });
  app.addHook('onRequest', function (request, reply, done) {
    if (request.is404) guardOfMissing.call(this, request, reply, done);
    else done();
  });
  app.addHook('onReady', done => {
    access.watch(app.log);
    done();
  });
  app.addHook('onClose', (_instance, done) => {
    access.close();
    done();
  });

  /** The hook of one route, with what it needs at hand. What has not to wait for anything costs no promise. */
  function guardOf(needed: Needed): onRequestHookHandler {
    return (request, reply, done) => {
      const isOwn = isOwnHost(access, request);
      if (!isOwn && needed.scope !== 'open') failHost(request);
      // What is open to all tells more to those who may read, but not to a page under a name that is not ours.
      const caller = isOwn ? callerOf(access, request) : NOBODY;
      if (limiter || caller instanceof Promise || caller instanceof Error) {
        void settle(judge(request, needed, caller), request, reply, done);
        return;
      }
      try {
        admit(request, caller, needed.scope);
      } catch (error) {
        void settle(Promise.reject(error), request, reply, done);
        return;
      }
      done();
    };
  }

  /** Counts, then decides: credentials that were refused count too. */
  async function judge(request: FastifyRequest, { scope, isUncounted }: Needed, asked: Caller): Promise<void> {
    const caller = await asked;
    const principal = caller instanceof Error ? NOBODY : caller;
    request.principal = principal;
    const tooMany = isUncounted ? undefined : await limiter?.(request, principal);
    if (tooMany) throw tooMany;
    if (caller instanceof Error && scope !== 'open') throw caller;
    admit(request, principal, scope);
  }

  /** @throws forbidden, forbidden_origin, unauthenticated */
  function admit(request: FastifyRequest, principal: Principal, scope: NeededScope): void {
    // First, so that the log can say who was refused.
    request.principal = principal;
    if (scope !== 'open' && principal.rank < RANKS[scope]) failScope(scope, principal);
    if (!hasCredentials(principal) && UNSAFE.has(request.method)) checkOrigin(request);
    request.datasets = viewOf(principal);
  }

  function viewOf(principal: Principal): Datasets {
    let datasets = views.get(principal);
    if (!datasets) views.set(principal, (datasets = datasetsOf(registry, principal)));
    return datasets;
  }

  /** A page of another site can send some calls unasked; a browser says in Origin where they come from. */
  function checkOrigin({ headers }: FastifyRequest): void {
    const { origin, host = '' } = headers;
    if (origin === undefined || corsOrigins === '*' || corsOrigins.includes(origin)) return;
    const authority = /^https?:\/\/(.+)$/.exec(origin)?.[1] ?? '';
    if (authority.toLowerCase() === host.toLowerCase()) return;
    if (access.listsHost(hostNameOf(authority) ?? '')) return;
    fail(
      'forbidden_origin',
      `A page of ${JSON.stringify(origin.slice(0, 200))} may not change anything here without a key. HYPERSLAB_CORS_ORIGINS can allow it.`,
    );
  }
}

/** Who sends a request, or why that is not known. */
type Caller = Principal | Error | Promise<Principal | Error>;

function callerOf(access: Access, { headers }: FastifyRequest): Caller {
  try {
    const found = access.identify(headers.authorization);
    return found instanceof Promise ? found.catch((error: Error) => error) : found;
  } catch (error) {
    return error as Error;
  }
}

function isOwnHost({ hostNames }: Access, { headers: { host } }: FastifyRequest): boolean {
  return hostNames === undefined || hostNames.allows(host);
}

function failHost({ headers: { host } }: FastifyRequest): never {
  return fail(
    'forbidden_host',
    `The service does not go by the name ${JSON.stringify((host ?? '').slice(0, 200))}. Use localhost, or add the name to HYPERSLAB_ALLOWED_HOSTS.`,
  );
}

/** Ends a hook that has to wait. */
async function settle(
  decision: Promise<void>,
  request: FastifyRequest,
  reply: FastifyReply,
  done: HookHandlerDoneFunction,
): Promise<void> {
  try {
    await decision;
  } catch (error) {
    if (hasBody(request)) await dropBody(new BodyReader(request.raw), reply);
    done(error as Error);
    return;
  }
  done();
}

function hasBody({ headers }: FastifyRequest): boolean {
  return headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
}

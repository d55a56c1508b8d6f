/** The HTTP server below Fastify, with TLS or without: whom it waits for, and in which order it asks for answers. */
import http from 'node:http';
import https from 'node:https';
import { Connections, type ConnectionBounds } from './connections.js';
import { inTurn } from './pipelines.js';

export interface HttpServerOptions extends ConnectionBounds {
  /** Certificate and key as Node takes them; undefined without TLS. */
  readonly tls: { readonly cert: Buffer; readonly key: Buffer } | undefined;
  /** What Node is told of heads. */
  readonly heads: http.ServerOptions;
  /** The time in which a head, and a handshake, have to come. */
  readonly headSeconds: number;
}

/** Longer than that of the balancers in front, so that they never reuse a connection that is being closed. */
const KEEP_ALIVE_MS = 75_000;

export function httpServerOf(answer: http.RequestListener, options: HttpServerOptions): http.Server {
  const { tls, heads, headSeconds } = options;
  const common: http.ServerOptions = {
    ...heads,
    keepAliveTimeout: KEEP_ALIVE_MS,
    headersTimeout: 1000 * headSeconds,
    // Bodies are judged by their rate (plugins/rates.ts).
    requestTimeout: 0,
    connectionsCheckingInterval: 1000,
  };
  const connections = new Connections(options);
  const listener = inTurn(connections.around(answer));
  const server = tls
    ? https.createServer({ ...common, ...tls, handshakeTimeout: 1000 * headSeconds }, listener)
    : http.createServer(common, listener);
  connections.watch(server);
  return server;
}

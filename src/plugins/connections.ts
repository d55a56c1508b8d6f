/**
 * Who is connected, and who has to go for whom. An address has a share of the connections, so that others find room. Where
 * an address, or all together, have no room left, the connection goes that has been without a request for longest: the
 * time of a silent one counts from its beginning, that of a kept one from its last answer. Where requests are worked on
 * for all of them, the new one is a spare: it is asked for one request, which is answered if it is about the health of the
 * service, and refused otherwise (refuseOnSpares), and closed. So health checks pass whoever holds the rest.
 * Hazard: behind a proxy all connections have its address; where a proxy is trusted, addresses have no bound.
 */
import type { RequestListener, Server } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { networkOf } from '../access/addresses.js';
import { fail } from '../errors.js';
import { LIMITS } from '../limits.js';
import { traffic } from '../traffic.js';

export interface ConnectionBounds {
  /** Of all addresses. */
  readonly connectionsMax: number;
  /** Of each address. */
  readonly perAddressMax: number;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route is answered on spare connections, too. */
    onSpares?: boolean;
  }
}

/** The connections of one address, or the spare ones. */
interface Peer {
  readonly address: string;
  count: number;
  /** Without a request that is worked on, in the order in which they became so. */
  readonly idle: Set<Connection>;
}

interface Connection {
  readonly peer: Peer;
  /** The one that requests come from: with TLS it is another object than was opened. */
  socket: Socket;
}

const spareSockets = new WeakSet<Socket>();

export class Connections {
  readonly #bounds: ConnectionBounds;
  readonly #sparesMax: number;
  readonly #peers = new Map<string, Peer>();
  readonly #spares: Peer = peerAt('spare');
  readonly #bySocket = new WeakMap<Socket, Connection>();
  /** All but the spare ones. */
  #count = 0;

  constructor(bounds: ConnectionBounds) {
    this.#bounds = bounds;
    this.#sparesMax = Math.ceil(bounds.connectionsMax / LIMITS.connectionsPerSpare);
  }

  watch(server: Server): void {
    server.on('connection', (socket: Socket) => this.#open(socket));
  }

  /** Counts requests around a listener. */
  around(answer: RequestListener): RequestListener {
    return (request, response) => {
      const { socket } = request;
      const connection = this.#bySocket.get(socket) ?? this.#secured(socket);
      connection?.peer.idle.delete(connection);
      traffic.underWay++;
      response.once('close', () => {
        traffic.underWay--;
        if (connection && !socket.destroyed) connection.peer.idle.add(connection);
      });
      answer(request, response);
    };
  }

  #open(socket: Socket): void {
    const peer = this.#place(networkOf(socket.remoteAddress ?? ''));
    if (!peer) {
      socket.destroy();
      return;
    }
    const connection = { peer, socket };
    this.#bySocket.set(socket, connection);
    const isSpare = peer === this.#spares;
    if (isSpare) spareSockets.add(socket);
    else this.#count++;
    peer.count++;
    peer.idle.add(connection);
    traffic.connections++;
    socket.once('close', () => {
      peer.idle.delete(connection);
      traffic.connections--;
      if (!isSpare) this.#count--;
      if (--peer.count === 0) this.#peers.delete(peer.address);
    });
  }

  /** Where a new connection of an address counts; others are closed for it. Undefined where there is no place. */
  #place(address: string): Peer | undefined {
    const peer = this.#peers.get(address) ?? peerAt(address);
    if (this.#hasRoom(peer)) {
      this.#peers.set(address, peer);
      return peer;
    }
    return this.#spares.count < this.#sparesMax || closeOldest(this.#spares) ? this.#spares : undefined;
  }

  #hasRoom(peer: Peer): boolean {
    const { connectionsMax, perAddressMax } = this.#bounds;
    if (peer.count >= perAddressMax) return closeOldest(peer);
    return this.#count < connectionsMax || closeOldest(this.#largest());
  }

  /** The first request after the handshake of TLS. */
  #secured(socket: Socket): Connection | undefined {
    const { remoteAddress = '', remotePort } = socket;
    for (const peer of [this.#peers.get(networkOf(remoteAddress)), this.#spares]) {
      for (const connection of peer?.idle ?? []) {
        const { socket: opened } = connection;
        if (opened.remotePort !== remotePort || opened.remoteAddress !== remoteAddress) continue;
        connection.socket = socket;
        this.#bySocket.set(socket, connection);
        if (peer === this.#spares) spareSockets.add(socket);
        return connection;
      }
    }
    return undefined;
  }

  /** The address with the most connections, of those that have one without a request. */
  #largest(): Peer | undefined {
    let largest: Peer | undefined;
    for (const peer of this.#peers.values()) {
      if (peer.idle.size > 0 && peer.count > (largest?.count ?? 0)) largest = peer;
    }
    return largest;
  }
}

/** Refuses what comes on a spare connection and is not about the health of the service, and closes it. */
export function refuseOnSpares(app: FastifyInstance, { connectionsMax, perAddressMax }: ConnectionBounds): void {
  app.addHook('onRequest', ({ raw: { socket }, routeOptions }, reply, done) => {
    if (!spareSockets.has(socket)) return done();
    reply.header('connection', 'close');
    if (routeOptions.config.onSpares) return done();
    return fail(
      'busy',
      `Requests are worked on for all ${connectionsMax} connections, or for all ${perAddressMax} of your address. Repeat the request when one of them is answered.`,
      { limit: perAddressMax },
    );
  });
}

function peerAt(address: string): Peer {
  return { address, count: 0, idle: new Set() };
}

/** Closes the connection that has been without a request for longest. False where each has one. */
function closeOldest(peer: Peer | undefined): boolean {
  const [oldest] = peer?.idle ?? [];
  if (!oldest) return false;
  peer!.idle.delete(oldest);
  oldest.socket.destroy();
  return true;
}

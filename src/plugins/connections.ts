/**
 * Who is connected, and who has to go for whom. An address has a share of the connections, so that others find room. Where
 * an address, or all together, have no room left, the connection goes that has been without a request for longest: the
 * time of a silent one counts from its beginning, that of a kept one from its last answer. Where requests are worked on
 * for all of them, the new one goes.
 * Hazard: behind a proxy all connections have its address; where a proxy is trusted, addresses have no bound.
 */
import type { RequestListener, Server } from 'node:http';
import type { Socket } from 'node:net';
import { traffic } from '../traffic.js';

export interface ConnectionBounds {
  /** Of all addresses. */
  readonly connectionsMax: number;
  /** Of each address. */
  readonly perAddressMax: number;
}

/** The connections of one address. */
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

export class Connections {
  readonly #bounds: ConnectionBounds;
  readonly #peers = new Map<string, Peer>();
  readonly #bySocket = new WeakMap<Socket, Connection>();

  constructor(bounds: ConnectionBounds) {
    this.#bounds = bounds;
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
    const address = socket.remoteAddress ?? '';
    let peer = this.#peers.get(address);
    if (!peer) this.#peers.set(address, (peer = { address, count: 0, idle: new Set() }));
    const connection = { peer, socket };
    this.#bySocket.set(socket, connection);
    peer.count++;
    traffic.connections++;
    socket.once('close', () => this.#closed(connection));
    const { connectionsMax, perAddressMax } = this.#bounds;
    if (peer.count > perAddressMax) closeFor(socket, peer);
    else if (traffic.connections > connectionsMax) closeFor(socket, this.#largest());
    if (!socket.destroyed) peer.idle.add(connection);
  }

  #closed(connection: Connection): void {
    const { peer } = connection;
    peer.idle.delete(connection);
    traffic.connections--;
    if (--peer.count === 0) this.#peers.delete(peer.address);
  }

  /** The first request after the handshake of TLS. */
  #secured(socket: Socket): Connection | undefined {
    const { remoteAddress = '', remotePort } = socket;
    for (const connection of this.#peers.get(remoteAddress)?.idle ?? []) {
      if (connection.socket.remotePort !== remotePort) continue;
      connection.socket = socket;
      this.#bySocket.set(socket, connection);
      return connection;
    }
    return undefined;
  }

  /** The address with the most connections. */
  #largest(): Peer {
    let largest: Peer | undefined;
    for (const peer of this.#peers.values()) if (peer.count > (largest?.count ?? 0)) largest = peer;
    return largest!;
  }
}

/** Makes room for a new connection, if need be by its own end. */
function closeFor(socket: Socket, { idle }: Peer): void {
  const [oldest] = idle;
  if (oldest) idle.delete(oldest);
  (oldest?.socket ?? socket).destroy();
}

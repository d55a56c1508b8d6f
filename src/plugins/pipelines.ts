/**
 * One request of a connection is worked on at a time. HTTP lets a client send requests without waiting for answers; those
 * that come early wait here, before anything reads, counts or holds memory for them. What is worked on has the socket,
 * so that its response closes when the socket does: whatever is held until then is given back.
 * Memory: the heads of requests that wait, some 3 kB each, 16 kB at most. Where `pipelinedTotalMax` wait in all, a
 * connection on which more than `pipelinedMax` do is cut. It is not paused instead: on a connection that is not read,
 * nobody would see its end.
 */
import type { RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { LIMITS } from '../limits.js';
import { newLine } from '../turns.js';

/** The listener of a server, from one that answers a request at once. */
export function inTurn(answer: RequestListener): RequestListener {
  const waiting = new Waiting();
  return (request, response) => {
    // Node gives the socket to the response whose turn it is.
    if (response.socket) answer(request, response);
    else waiting.add(request.socket, response, () => answer(request, response));
  };
}

/** How many requests wait, on each connection and in all. */
class Waiting {
  readonly #counts = new WeakMap<Socket, number>();
  readonly #turn = newLine();
  #total = 0;

  add(socket: Socket, response: ServerResponse, work: () => void): void {
    if (!this.#counts.has(socket)) socket.once('close', () => this.#move(socket, -this.#of(socket)));
    this.#move(socket, 1);
    if (this.#of(socket) > LIMITS.pipelinedMax && this.#total > LIMITS.pipelinedTotalMax) socket.destroy();
    const begin = (): void => {
      if (socket.destroyed) return;
      this.#move(socket, -1);
      work();
    };
    // A turn of the event loop for each: the requests of one chunk, or of many connections, hold up nobody else.
    response.once('socket', () => void this.#turn().then(begin));
  }

  #of(socket: Socket): number {
    return this.#counts.get(socket) ?? 0;
  }

  #move(socket: Socket, by: number): void {
    this.#counts.set(socket, this.#of(socket) + by);
    this.#total += by;
  }
}

/** The others: what each is, whether it is installed, how it is started. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { userInfo } from 'node:os';
import path from 'node:path';
import { PACKAGE_ROOT } from '../src/package-root.js';
import { CASES, type ServerName } from './cases.js';
import { hasPython, PYTHON } from './python-child.js';
import { compiled, startChild, type Place, type Server } from './servers.js';

const script = (name: string): string => path.join(PACKAGE_ROOT, 'bench/contenders', name);

/** Starts each contender when the first case needs it. */
export class Contenders {
  readonly #place: Place;
  readonly #ours: Server;
  readonly #servers = new Map<ServerName, Server>();

  constructor(place: Place, ours: Server) {
    this.#place = place;
    this.#ours = ours;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#servers.values()].map(each => each.stop()));
  }

  /** A sentence when the contender is not installed. */
  missing(name: ServerName): string | undefined {
    if (name === 'nginx' && !hasNginx()) return 'nginx is missing';
    const modules = ['numpy', 'starlette', 'uvicorn', 'uvloop', 'httptools', 'orjson'];
    if (name === 'starlette' && !hasPython(...modules)) return `one of ${modules.join(', ')} is missing`;
    return undefined;
  }

  async server(name: ServerName): Promise<Server> {
    let server = this.#servers.get(name);
    if (!server) {
      server = await this.#start(name);
      this.#servers.set(name, server);
    }
    return server;
  }

  async #start(name: ServerName): Promise<Server> {
    if (name === 'nginx') return startNginx(this.#place);
    if (name === 'starlette') return startStarlette(this.#place);
    const row = CASES.find(each => each.name === 'row')!;
    return startBare(this.#place, await fetch(this.#ours.url + row.ours.path));
  }
}

/** A route that sends what ours answered to the same question, headers and all. */
async function startBare(place: Place, answer: Response): Promise<Server> {
  const headersFile = path.join(place.folder, 'bare-headers.json');
  const bodyFile = path.join(place.folder, 'bare-body');
  // What Fastify and Node write by themselves.
  const own = new Set(['date', 'connection', 'keep-alive', 'content-length']);
  const headers = Object.fromEntries([...answer.headers].filter(([name]) => !own.has(name)));
  fs.writeFileSync(headersFile, JSON.stringify(headers));
  fs.writeFileSync(bodyFile, new Uint8Array(await answer.arrayBuffer()));
  return startChild(place.folder, 'bare', port => ({
    command: process.execPath,
    args: [compiled('contenders/bare-fastify.js'), headersFile, bodyFile, String(port)],
  }));
}

function startStarlette(place: Place): Promise<Server> {
  return startChild(place.folder, 'starlette', port => ({
    command: PYTHON,
    args: [script('starlette_server.py'), place.dataFile, String(port)],
  }));
}

/** @param place files in its folder are served */
export function startNginx(place: Pick<Place, 'folder'>): Promise<Server> {
  const at = (name: string): string => path.join(place.folder, name);
  return startChild(place.folder, 'nginx', port => {
    fs.writeFileSync(
      at('nginx.conf'),
      `daemon off; worker_processes 1; user ${userInfo().username}; pid ${at('nginx.pid')};
       events { worker_connections 256; }
       http {
         access_log off; default_type application/octet-stream;
         sendfile off; output_buffers 2 512k; keepalive_requests 100000000;
         client_body_temp_path ${at('nginx-body')}; proxy_temp_path ${at('nginx-proxy')};
         fastcgi_temp_path ${at('nginx-fastcgi')}; uwsgi_temp_path ${at('nginx-uwsgi')}; scgi_temp_path ${at('nginx-scgi')};
         server { listen 127.0.0.1:${port}; root ${place.folder}; }
       }\n`,
    );
    return { command: 'nginx', args: ['-c', at('nginx.conf'), '-e', 'stderr'] };
  });
}

export function hasNginx(): boolean {
  return spawnSync('nginx', ['-v']).status === 0;
}

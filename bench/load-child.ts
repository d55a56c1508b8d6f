/** A load generator for machines without wrk. It is slower than wrk, so ratios of small answers come out nearer to 1. */
import http from 'node:http';
import { performance } from 'node:perf_hooks';

const { url, headers, connections, seconds } = JSON.parse(process.argv[2]!) as {
  url: string;
  headers: Record<string, string>;
  connections: number;
  seconds: number;
};
const agent = new http.Agent({ keepAlive: true, maxSockets: connections });
const started = performance.now();
const end = started + seconds * 1000;
let answers = 0;

await Promise.all(Array.from({ length: connections }, askUntilEnd));
process.stdout.write(String((answers * 1000) / (performance.now() - started)));
agent.destroy();

async function askUntilEnd(): Promise<void> {
  while (performance.now() < end) {
    await ask();
    answers++;
  }
}

function ask(): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = http.get(url, { agent, headers }, response => {
      if (Math.trunc(response.statusCode! / 100) !== 2) reject(new Error(`${url} answered ${response.statusCode}`));
      response.resume().once('end', resolve).once('error', reject);
    });
    request.once('error', reject);
  });
}

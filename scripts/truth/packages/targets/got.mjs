/** A client whose requests all end with the program: one AbortSignal for its whole life. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import got from 'got';

const server = createServer((_, response) => response.end('ok'));
const shutdown = new AbortController();
let url;

export async function setup() {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${server.address().port}/`;
}

export async function operation() {
  await got(url, { signal: shutdown.signal, retry: { limit: 0 } }).text();
}

export function teardown() {
  server.closeAllConnections();
  server.close();
}

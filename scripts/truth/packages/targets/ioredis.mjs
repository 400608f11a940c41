/** A client with a time-out for each command, and a server that answers at once. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import Redis from 'ioredis';

/** RESP: a command is an array of bulk strings; `*` begins each. INFO and the like get an answer too. */
const server = createServer((socket) => {
  socket.on('data', (chunk) => {
    const text = chunk.toString();
    for (const [, name] of text.matchAll(/\*\d+\r\n\$\d+\r\n(\w+)\r\n/g)) {
      if (name.toLowerCase() === 'info') socket.write('$19\r\nredis_version:7.0.0\r\n');
      else if (name.toLowerCase() === 'get') socket.write('$5\r\nvalue\r\n');
      else socket.write('+OK\r\n');
    }
  });
  socket.on('error', () => {});
});
let redis;

export async function setup() {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  redis = new Redis({ port: server.address().port, host: '127.0.0.1', commandTimeout: 600_000 });
  await once(redis, 'ready');
}

export async function operation(i) {
  const value = await redis.get(`session:${i}`);
  return value === 'value' ? undefined : { error: `unexpected ${value}` };
}

export function teardown() {
  redis.disconnect();
  server.close();
}

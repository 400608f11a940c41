/** A crawler or webhook sender: each request goes to an origin of its own, which closes the connection. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { Agent, request } from 'undici';

const server = createServer((_, response) => {
  response.setHeader('connection', 'close');
  response.end('ok');
});
const agent = new Agent({
  connect: { lookup: (_host, _options, done) => done(null, [{ address: '127.0.0.1', family: 4 }]) },
});
let port;

export async function setup() {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ({ port } = server.address());
}

export async function operation(i) {
  const { body } = await request(`http://tenant-${i}.test:${port}/`, { dispatcher: agent });
  await body.text();
}

export async function teardown() {
  await agent.close();
  server.close();
}

/** A server that forgets nobody. Writes 1.heapsnapshot, 2.heapsnapshot and 3.heapsnapshot, 1,000 requests apart. */
import http from 'node:http';
import v8 from 'node:v8';

const sessions = new Map();

class Session {
  constructor(url) {
    this.url = url;
    this.visited = new Array(100).fill(url);
  }
}

const server = http.createServer((request, response) => {
  sessions.set(`session ${sessions.size}`, new Session(request.url));
  response.end('hello');
});

server.listen(0, async () => {
  const { port } = server.address();
  for (const [step, requests] of [200, 1000, 1000].entries()) {
    for (let i = 0; i < requests; i++) await (await fetch(`http://localhost:${port}/${i}`)).text();
    v8.writeHeapSnapshot(`${step + 1}.heapsnapshot`);
  }
  process.exit();
});

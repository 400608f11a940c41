/** An MCP server over streamable HTTP that answers with JSON, and one client in one session. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';

const transport = new StreamableHTTPServerTransport({
  sessionIdGenerator: () => randomUUID(),
  enableJsonResponse: true,
});
const mcp = new McpServer({ name: 'clock', version: '1.0.0' });
mcp.registerTool('time', { description: 'the time' }, async () => ({
  content: [{ type: 'text', text: new Date().toISOString() }],
}));
const http = createServer((request, response) => transport.handleRequest(request, response));
let url;
let session;

async function post(message) {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(session && { 'mcp-session-id': session }),
    },
    body: JSON.stringify({ jsonrpc: '2.0', ...message }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return { text, session: response.headers.get('mcp-session-id') };
}

export async function setup() {
  await mcp.connect(transport);
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  url = `http://127.0.0.1:${http.address().port}/mcp`;
  const clientInfo = { name: 'client', version: '1.0.0' };
  const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo };
  ({ session } = await post({ id: 0, method: 'initialize', params }));
  await post({ method: 'notifications/initialized' });
}

export async function operation(i) {
  const { text } = await post({ id: i + 1, method: 'tools/call', params: { name: 'time', arguments: {} } });
  return JSON.parse(text).result ? undefined : { error: text };
}

export async function teardown() {
  await mcp.close();
  http.closeAllConnections();
  http.close();
}

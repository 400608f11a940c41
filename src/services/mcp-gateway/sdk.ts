import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import type { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { z } from 'zod';
import { loadPackage } from '../optional-package.js';

/** The parts of the official SDK that the gateway and its clients are made of. */
export interface Sdk {
  Client: typeof Client;
  InMemoryTransport: typeof InMemoryTransport;
  McpServer: typeof McpServer;
  StreamableHTTPClientTransport: typeof StreamableHTTPClientTransport;
  StreamableHTTPServerTransport: typeof StreamableHTTPServerTransport;
  z: typeof z;
}

export async function loadSdk(): Promise<Sdk> {
  const { z } = await loadPackage('McpGateway', 'zod', () => import('zod'));
  return loadPackage('McpGateway', '@modelcontextprotocol/sdk', async () => ({
    z,
    ...(await import('@modelcontextprotocol/sdk/client/index.js')),
    ...(await import('@modelcontextprotocol/sdk/client/streamableHttp.js')),
    ...(await import('@modelcontextprotocol/sdk/inMemory.js')),
    ...(await import('@modelcontextprotocol/sdk/server/mcp.js')),
    ...(await import('@modelcontextprotocol/sdk/server/streamableHttp.js')),
  }));
}

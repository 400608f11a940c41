import { randomUUID } from 'node:crypto';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import type { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { HttpClient } from '../http-client.js';
import { readBody } from '../request-body.js';
import { type Connection, type Endpoint, noSessionFree, Refused, tooLarge } from './endpoint.js';
import type { Sdk } from './sdk.js';
import type { Sessions } from './sessions.js';

export interface HttpEndpointOptions {
  sdk: Sdk;
  sessions: Sessions;
  maxSessions: number;
  maxMessageBytes: number;
}

/** Streamable HTTP on the loopback interface: POST for messages, GET for a stream, DELETE to end. */
export class HttpEndpoint implements Endpoint {
  readonly #options: HttpEndpointOptions;
  readonly #server = http.createServer((request, response) => void this.#handle(request, response));
  readonly #client = new HttpClient();
  readonly #transports = new Map<string, StreamableHTTPServerTransport>();
  readonly #openResponses = new Set<http.ServerResponse>();
  #requestBytes = 0;
  #url: URL | undefined;

  constructor(options: HttpEndpointOptions) {
    this.#options = options;
  }

  /** Known once started. */
  get url(): URL | undefined {
    return this.#url;
  }

  get messageBytes(): number {
    let bytes = this.#requestBytes;
    for (const { writableLength } of this.#openResponses) bytes += writableLength;
    return bytes;
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject).listen(0, '127.0.0.1', resolve);
    });
    this.#url = new URL(`http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/mcp`);
  }

  async connect(client: Client): Promise<Connection> {
    if (!this.#url) throw new Error('the gateway does not listen');
    const transport = new this.#options.sdk.StreamableHTTPClientTransport(this.#url, {
      fetch: this.#client.fetch,
    });
    await client.connect(transport as Transport);
    return {
      terminate: async () => {
        await transport.terminateSession();
        await client.close();
      },
      abandon: () => client.close(),
    };
  }

  async stop(): Promise<void> {
    await this.#client.close();
    if (!this.#server.listening) return;
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #handle(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const exchange = this.#begin(response);
    try {
      const body = request.method === 'POST' ? await this.#read(request, exchange) : undefined;
      const id = request.headers['mcp-session-id'];
      if (id === undefined && body === undefined)
        throw new Refused(400, 'the header mcp-session-id is missing');
      const transport =
        typeof id === 'string' ? this.#transportOf(id, response) : await this.#openSession(response);
      await transport.handleRequest(request, response, body);
    } catch (error) {
      refuse(response, error);
    }
  }

  #begin(response: http.ServerResponse): { holds: (bytes: number) => void } {
    let bytes = 0;
    this.#openResponses.add(response);
    response.once('close', () => {
      this.#openResponses.delete(response);
      this.#requestBytes -= bytes;
    });
    return {
      holds: (more) => {
        bytes += more;
        this.#requestBytes += more;
      },
    };
  }

  async #read(request: http.IncomingMessage, exchange: { holds: (bytes: number) => void }): Promise<unknown> {
    const { maxMessageBytes } = this.#options;
    const text = await readBody(request, maxMessageBytes, exchange.holds);
    if (text === undefined) throw tooLarge(maxMessageBytes);
    try {
      return JSON.parse(text);
    } catch {
      throw new Refused(400, 'the message is not JSON');
    }
  }

  #transportOf(id: string, response: http.ServerResponse): StreamableHTTPServerTransport {
    const use = this.#options.sessions.use(id);
    const transport = this.#transports.get(id);
    if (!use || !transport) throw new Refused(404, 'there is no such session');
    response.once('close', use.done);
    return transport;
  }

  /** For a request without a session; whether it is one that may open one, the SDK decides. */
  async #openSession(response: http.ServerResponse): Promise<StreamableHTTPServerTransport> {
    const { sdk, sessions, maxSessions } = this.#options;
    const opening = sessions.open();
    if (!opening) throw noSessionFree(maxSessions);
    response.once('close', () => opening.abandon());
    const transport = new sdk.StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => {
        this.#transports.set(id, transport);
        opening.server.server.onclose = () => this.#transports.delete(id);
        opening.confirm(id);
      },
      onsessionclosed: (id) => {
        if (id !== undefined) sessions.end(id, 'terminated');
      },
    });
    await opening.server.connect(transport as Transport);
    return transport;
  }
}

function refuse(response: http.ServerResponse, error: unknown): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const status = error instanceof Refused ? error.code : 500;
  const message = error instanceof Refused ? error.message : 'internal error';
  const body = JSON.stringify({ jsonrpc: '2.0', error: { code: -32000, message }, id: null });
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}

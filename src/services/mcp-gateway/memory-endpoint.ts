import { randomUUID } from 'node:crypto';
import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import type { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import type { Transport, TransportSendOptions } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/sdk/types.js';
import { type Connection, type Endpoint, noSessionFree, tooLarge } from './endpoint.js';
import type { Sdk } from './sdk.js';
import type { Sessions } from './sessions.js';

export interface MemoryEndpointOptions {
  sdk: Sdk;
  sessions: Sessions;
  maxSessions: number;
  maxMessageBytes: number;
}

/** Clients in the same process; messages are handed over without being written out. */
export class MemoryEndpoint implements Endpoint {
  readonly #options: MemoryEndpointOptions;
  #messageBytes = 0;

  constructor(options: MemoryEndpointOptions) {
    this.#options = options;
  }

  get messageBytes(): number {
    return this.#messageBytes;
  }

  async start(): Promise<void> {}

  async connect(client: Client): Promise<Connection> {
    const { sdk, sessions, maxSessions, maxMessageBytes } = this.#options;
    const opening = sessions.open();
    if (!opening) throw noSessionFree(maxSessions);
    const [clientSide, serverSide] = sdk.InMemoryTransport.createLinkedPair();
    const book = (difference: number) => {
      this.#messageBytes += difference;
    };
    try {
      await opening.server.connect(serverSide);
      await client.connect(new MeteredTransport(clientSide, maxMessageBytes, book));
    } catch (error) {
      opening.abandon();
      throw error;
    }
    const id = randomUUID();
    opening.confirm(id);
    // A connected client counts as an open request.
    const use = sessions.use(id);
    const end = async () => {
      use?.done();
      // The gateway first: it must not send to an end that is closed already.
      sessions.end(id, 'terminated');
      await client.close();
    };
    return { terminate: end, abandon: end };
  }

  async stop(): Promise<void> {}
}

/** Counts a request from when the client sends it until the answer is there, and refuses what is too long. */
class MeteredTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: Transport['onmessage'];
  readonly #inner: InMemoryTransport;
  readonly #maxMessageBytes: number;
  readonly #book: (difference: number) => void;
  readonly #bytesByRequest = new Map<RequestId, number>();

  constructor(inner: InMemoryTransport, maxMessageBytes: number, book: (difference: number) => void) {
    this.#inner = inner;
    this.#maxMessageBytes = maxMessageBytes;
    this.#book = book;
    inner.onclose = () => this.#closed();
    inner.onerror = (error) => this.onerror?.(error);
    inner.onmessage = (message, extra) => {
      if ('id' in message && !('method' in message) && message.id !== undefined) this.#answered(message.id);
      this.onmessage?.(message, extra);
    };
  }

  start(): Promise<void> {
    return this.#inner.start();
  }

  async send(message: JSONRPCMessage, options?: TransportSendOptions): Promise<void> {
    const bytes = Buffer.byteLength(JSON.stringify(message));
    if (bytes > this.#maxMessageBytes) throw tooLarge(this.#maxMessageBytes);
    if ('method' in message && 'id' in message) {
      this.#bytesByRequest.set(message.id, bytes);
      this.#book(bytes);
    }
    await this.#inner.send(message, options as never);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  #answered(id: RequestId): void {
    const bytes = this.#bytesByRequest.get(id);
    if (bytes === undefined) return;
    this.#bytesByRequest.delete(id);
    this.#book(-bytes);
  }

  #closed(): void {
    for (const id of [...this.#bytesByRequest.keys()]) this.#answered(id);
    this.onclose?.();
  }
}

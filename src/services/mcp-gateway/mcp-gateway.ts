import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { CrucibleMemoryError, messageOf } from '../../errors.js';
import { ArcGroup } from '../../refcount/index.js';
import { MIB } from '../../units.js';
import { Gate } from '../gate.js';
import { Lifecycle } from '../lifecycle.js';
import { unavailable } from '../refusals.js';
import type { Service, ServiceMetrics } from '../service.js';
import type { Connection, Endpoint } from './endpoint.js';
import type { McpGatewayFault } from './faults.js';
import { HttpEndpoint } from './http-endpoint.js';
import { MemoryEndpoint } from './memory-endpoint.js';
import { loadSdk, type Sdk } from './sdk.js';
import { Sessions } from './sessions.js';
import { builtInTools, callAt, passingTool, type Tool } from './tools.js';

export interface McpGatewayOptions {
  /** How clients reach the gateway: streamable HTTP on the loopback interface, or inside the process. */
  transport: 'http' | 'memory';
  /** Sessions at once; further ones are refused. */
  maxSessions: number;
  /** A session without an open request or stream ends after so long, milliseconds. */
  sessionIdleTimeoutMs: number;
  /** A longer message is refused with PAYLOAD_TOO_LARGE, bytes. */
  maxMessageBytes: number;
  /** Leaks on purpose; see faults.ts. */
  fault?: McpGatewayFault | undefined;
}

export interface McpGateway extends Service {
  /** Offers a tool in all sessions, or replaces the one of the same name. */
  registerTool(tool: Tool): void;
  /** @returns whether there was such a tool */
  removeTool(name: string): boolean;
  /** Connects a new client. Rejects with SERVICE_UNAVAILABLE when all sessions are taken. */
  openSession(): Promise<GatewaySession>;
}

/** A client's side. Methods reject with SERVICE_UNAVAILABLE, or PAYLOAD_TOO_LARGE for a message that is too long. */
export interface GatewaySession {
  /** @returns the text that the tool answered */
  callTool(name: string, args: Record<string, unknown>): Promise<string>;
  /** @returns the names of the tools */
  listTools(): Promise<string[]>;
  /** Ends the session. */
  terminate(): Promise<void>;
  /** Closes the connection without ending the session, as a client does that crashes. */
  abandon(): Promise<void>;
}

export function createMcpGateway(options: Partial<McpGatewayOptions> = {}): McpGateway {
  return new SdkMcpGateway({
    transport: 'http',
    maxSessions: 128,
    sessionIdleTimeoutMs: 30_000,
    maxMessageBytes: 4 * MIB,
    ...options,
  });
}

/** How often operation() does what; a number of operations. */
const NEW_SESSION_EVERY = 32;
const NEW_TOOL_EVERY = 32;
const LIST_EVERY = 16;

/** Sessions that operation() keeps open. */
const LASTING_SESSIONS = 16;

/** What exists while the gateway is started. */
interface Running {
  sdk: Sdk;
  sessions: Sessions;
  endpoint: Endpoint;
  clients: Set<SdkSession>;
  lasting: SdkSession[];
}

class SdkMcpGateway implements McpGateway {
  readonly #options: McpGatewayOptions;
  readonly #lifecycle: Lifecycle;
  readonly #arcs = new ArcGroup();
  /** So that operation() never asks for more sessions than there are. */
  readonly #shortSessions: Gate;
  #running: Running | undefined;
  #passingTools = 0;
  /** Listened to with the fault 'listeners-accumulating' only. */
  readonly #stopping = new AbortController();

  constructor(options: McpGatewayOptions) {
    this.#options = options;
    this.#shortSessions = new Gate(Math.max(1, options.maxSessions - lastingSessions(options)));
    this.#lifecycle = new Lifecycle({
      service: 'McpGateway',
      open: () => this.#open(),
      close: () => this.#close(),
    });
  }

  start(): Promise<void> {
    return this.#lifecycle.start();
  }

  stop(): Promise<void> {
    return this.#lifecycle.stop();
  }

  operation(index: number): Promise<{ bytes: number }> {
    return this.#lifecycle.run(async () => {
      if (index % NEW_SESSION_EVERY === NEW_SESSION_EVERY - 1) return this.#callInNewSession(index);
      const session = this.#lastingSession(index);
      if (index % NEW_TOOL_EVERY === NEW_TOOL_EVERY / 2) return this.#callPassingTool(session, index);
      if (index % LIST_EVERY === 5) return { bytes: (await session.listTools()).join().length };
      return call(session, index);
    });
  }

  largeOperation(index: number, payloadBytes: number): Promise<{ bytes: number }> {
    return this.#lifecycle.run(async () => {
      const text = 'a large message '.repeat(Math.ceil(payloadBytes / 16)).slice(0, payloadBytes);
      const answer = await this.#lastingSession(index).callTool('upper_case', { text });
      return { bytes: text.length + answer.length };
    });
  }

  registerTool(tool: Tool): void {
    this.#opened().sessions.addTool(tool);
  }

  removeTool(name: string): boolean {
    return this.#opened().sessions.removeTool(name);
  }

  openSession(): Promise<GatewaySession> {
    return this.#lifecycle.run(() => this.#connect());
  }

  metrics(): ServiceMetrics {
    const running = this.#running;
    const { created = 0, terminated = 0, expired = 0, refused = 0 } = running?.sessions.counts ?? {};
    return {
      connectionMemoryBytes: running?.endpoint.messageBytes ?? 0,
      openConnections: running?.sessions.count ?? 0,
      maxConnections: this.#options.maxSessions,
      queueLength: this.#shortSessions.waiting,
      activeTasks: this.#lifecycle.tasks - this.#shortSessions.waiting,
      arcRefCount: this.#arcs.strongCount,
      custom: {
        tools_count: running?.sessions.toolCount ?? 0,
        sessions_created_count: created,
        sessions_terminated_count: terminated,
        sessions_expired_count: expired,
        sessions_refused_count: refused,
      },
    };
  }

  #callInNewSession(index: number): Promise<{ bytes: number }> {
    return this.#shortSessions.run(async () => {
      const session = await this.#connect();
      try {
        return await call(session, index);
      } finally {
        await session.terminate();
      }
    });
  }

  async #callPassingTool(session: GatewaySession, index: number): Promise<{ bytes: number }> {
    const tool = passingTool(this.#opened().sdk, this.#passingTools++);
    this.registerTool(tool);
    try {
      const text = `call ${index}`;
      return { bytes: text.length + (await session.callTool(tool.name, { text })).length };
    } finally {
      this.removeTool(tool.name);
    }
  }

  async #connect(): Promise<SdkSession> {
    const { sdk, endpoint, clients } = this.#opened();
    const client = new sdk.Client({ name: 'mcp-gateway-client', version: '1.0.0' });
    try {
      const connection = await endpoint.connect(client);
      const stopping = this.#options.fault === 'listeners-accumulating' ? this.#stopping.signal : undefined;
      const session = new SdkSession(client, connection, () => clients.delete(session), stopping);
      clients.add(session);
      return session;
    } catch (error) {
      await client.close();
      throw explained('could not open a session', error);
    }
  }

  async #open(): Promise<void> {
    const sdk = await loadSdk();
    const { transport, maxSessions, sessionIdleTimeoutMs, maxMessageBytes, fault } = this.#options;
    const sessions = new Sessions({
      sdk,
      maxSessions,
      idleTimeoutMs: sessionIdleTimeoutMs,
      arcs: this.#arcs,
      fault,
    });
    const endpointOptions = { sdk, sessions, maxSessions, maxMessageBytes };
    const endpoint =
      transport === 'http' ? new HttpEndpoint(endpointOptions) : new MemoryEndpoint(endpointOptions);
    this.#running = { sdk, sessions, endpoint, clients: new Set(), lasting: [] };
    for (const tool of builtInTools(sdk)) sessions.addTool(tool);
    await endpoint.start();
    this.#running.lasting = await Promise.all(
      Array.from({ length: lastingSessions(this.#options) }, () => this.#connect()),
    );
  }

  async #close(): Promise<void> {
    const running = this.#running;
    if (!running) return;
    await Promise.all(Array.from(running.clients, (client) => client.abandon()));
    running.sessions.close();
    await running.endpoint.stop();
    this.#running = undefined;
  }

  #opened(): Running {
    if (this.#running) return this.#running;
    throw unavailable(
      'the gateway has no sessions and no tools',
      'await start() first',
      new Error('it is stopped'),
    );
  }

  #lastingSession(index: number): SdkSession {
    const { lasting } = this.#opened();
    const session = lasting[index % lasting.length];
    if (session) return session;
    throw new Error('there is no lasting session');
  }
}

class SdkSession implements GatewaySession {
  readonly #client: Client;
  readonly #connection: Connection;
  readonly #onEnd: () => void;
  readonly #stopping: AbortSignal | undefined;

  constructor(client: Client, connection: Connection, onEnd: () => void, stopping?: AbortSignal) {
    this.#client = client;
    this.#connection = connection;
    this.#onEnd = onEnd;
    this.#stopping = stopping;
  }

  async callTool(name: string, args: Record<string, unknown>): Promise<string> {
    const failing = `could not call the tool "${name}"`;
    const { content, isError } = await this.#request(failing, (signal) =>
      this.#client.callTool({ name, arguments: args }, undefined, { signal }),
    );
    const text = (content as { text?: string }[]).map((part) => part.text ?? '').join('');
    if (isError) throw explained(failing, new Error(text));
    return text;
  }

  async listTools(): Promise<string[]> {
    return this.#request('could not list the tools', async (signal) => {
      const { tools } = await this.#client.listTools(undefined, { signal });
      return tools.map(({ name }) => name);
    });
  }

  async #request<T>(failing: string, send: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const request = new AbortController();
    this.#stopping?.addEventListener('abort', () => request.abort(`it ${failing}: the gateway stops`));
    try {
      return await send(request.signal);
    } catch (error) {
      // The SDK (1.32) never forgets a request that could not be sent, with all
      // its arguments, unless it is cancelled.
      if (!isAnswer(error)) request.abort('it could not be sent');
      throw explained(failing, error);
    }
  }

  terminate(): Promise<void> {
    this.#onEnd();
    return this.#connection.terminate();
  }

  abandon(): Promise<void> {
    this.#onEnd();
    return this.#connection.abandon();
  }
}

async function call(session: GatewaySession, index: number): Promise<{ bytes: number }> {
  const { tool, arguments: args } = callAt(index);
  const answer = await session.callTool(tool, args);
  return { bytes: JSON.stringify(args).length + answer.length };
}

/** Half of the sessions at most: the others are for those that come and go. */
function lastingSessions({ maxSessions }: McpGatewayOptions): number {
  return Math.max(1, Math.min(LASTING_SESSIONS, Math.floor(maxSessions / 2)));
}

/** An error that the gateway sent, in contrast to one on the way there. */
function isAnswer(error: unknown): boolean {
  return error instanceof Error && error.name === 'McpError';
}

function explained(failing: string, error: unknown): CrucibleMemoryError {
  if (error instanceof CrucibleMemoryError) return error;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 413) {
    return new CrucibleMemoryError('PAYLOAD_TOO_LARGE', {
      what: `the gateway refused a message: a client ${failing}`,
      why: reasonOf(error),
      fix: 'send less at once, or raise mcpGateway.maxMessageBytes',
      cause: error,
    });
  }
  const fix =
    code === 503
      ? 'end sessions that are not needed, or raise mcpGateway.maxSessions'
      : 'see that the gateway runs';
  return unavailable(`a client of the gateway ${failing}`, fix, new Error(reasonOf(error), { cause: error }));
}

/** The client of the SDK puts the answer of the gateway, a JSON-RPC error, at the end of its own message. */
function reasonOf(error: unknown): string {
  const message = messageOf(error);
  try {
    return JSON.parse(message.slice(message.indexOf('{'))).error.message;
  } catch {
    return message;
  }
}

import type { McpServer, RegisteredTool } from '@modelcontextprotocol/sdk/server/mcp.js';
import { Arc, type ArcGroup } from '../../refcount/index.js';
import type { McpGatewayFault } from './faults.js';
import type { Sdk } from './sdk.js';
import { sessionTool, type Tool } from './tools.js';

export interface SessionsOptions {
  sdk: Sdk;
  maxSessions: number;
  idleTimeoutMs: number;
  arcs: ArcGroup;
  fault?: McpGatewayFault | undefined;
}

/** How a session ended. */
export type SessionEnd = 'terminated' | 'expired' | 'stopped';

/** A server of its own for each session, as the protocol wants it. */
export interface Session {
  id: string;
  server: McpServer;
  /** Tools as this session offers them, by name. */
  tools: Map<string, { tool: Arc<Tool>; registered: RegisteredTool }>;
  /** Requests and streams that are open now. */
  openRequests: number;
  lastUsedMs: number;
}

/**
 * The sessions of a gateway and the tools that all of them offer.
 *
 * A session ends when its client terminates it or, as clients may vanish
 * without a word, when none of its requests and streams has been open for the
 * idle time. A place is taken while a session is still being opened, so that
 * there are never more than `maxSessions`.
 */
export class Sessions {
  readonly #options: SessionsOptions;
  readonly #sessions = new Map<string, Arc<Session>>();
  readonly #tools = new Map<string, Arc<Tool>>();
  readonly #sweep: NodeJS.Timeout;
  // What a fault accumulates; empty without one.
  readonly #ended: Session[] = [];
  readonly #undisposed = new Set<Session>();
  #opening = 0;
  readonly counts = { created: 0, terminated: 0, expired: 0, refused: 0 };

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.#sweep = setInterval(() => this.#expireIdle(), Math.max(10, options.idleTimeoutMs / 4)).unref();
  }

  get count(): number {
    return this.#sessions.size;
  }

  get toolCount(): number {
    return this.#tools.size;
  }

  /**
   * Takes a place for a session.
   * @returns undefined when all are taken
   */
  open(): Opening | undefined {
    if (this.#sessions.size + this.#opening >= this.#options.maxSessions) {
      this.counts.refused++;
      return undefined;
    }
    this.#opening++;
    const server = new this.#options.sdk.McpServer(
      { name: 'mcp-gateway', version: '1.0.0' },
      { capabilities: { tools: { listChanged: true } } },
    );
    const tools: Session['tools'] = new Map();
    for (const tool of this.#tools.values()) offer(server, tools, tool);
    let isOpening = true;
    const settle = () => {
      if (isOpening) this.#opening--;
      isOpening = false;
    };
    return {
      server,
      confirm: (id) => {
        settle();
        this.#add({ id, server, tools, openRequests: 0, lastUsedMs: performance.now() });
      },
      abandon: () => {
        if (!isOpening) return;
        settle();
        for (const { tool } of tools.values()) tool.drop();
      },
    };
  }

  /** The caller becomes an owner of the session for as long as a request is open. */
  use(id: string): { session: Session; done: () => void } | undefined {
    const arc = this.#sessions.get(id)?.clone();
    if (!arc) return undefined;
    const session = arc.value;
    session.openRequests++;
    const done = () => {
      session.openRequests--;
      session.lastUsedMs = performance.now();
      arc.drop();
    };
    return { session, done };
  }

  end(id: string, how: SessionEnd): void {
    const arc = this.#sessions.get(id);
    if (!arc) return;
    this.#sessions.delete(id);
    if (how !== 'stopped') this.counts[how]++;
    const session = arc.value;
    const { server } = session;
    if (this.#options.fault === 'sessions-not-removed') this.#ended.push(session);
    // A session that owns itself through a tool leaves its tools to its disposal, which never comes.
    if (this.#options.fault !== 'arc-cycle') giveBackTools(session);
    arc.drop();
    // Ends its streams, and with them whoever still owns the session.
    server.close().catch(() => undefined);
  }

  /** Offers a tool in every session, those to come included. Replaces one of the same name. */
  addTool(tool: Tool): void {
    this.removeTool(tool.name);
    const arc = Arc.of(tool, { name: 'McpGateway.tool', group: this.#options.arcs });
    this.#tools.set(tool.name, arc);
    for (const { value: session } of this.#sessions.values()) offer(session.server, session.tools, arc);
  }

  /** @returns whether there was such a tool */
  removeTool(name: string): boolean {
    const arc = this.#tools.get(name);
    if (!arc) return false;
    this.#tools.delete(name);
    arc.drop();
    for (const { value: session } of this.#sessions.values()) {
      const offered = session.tools.get(name);
      session.tools.delete(name);
      offered?.registered.remove();
      offered?.tool.drop();
    }
    return true;
  }

  /** Ends every session and forgets every tool. */
  close(): void {
    clearInterval(this.#sweep);
    for (const id of this.#sessions.keys()) this.end(id, 'stopped');
    for (const name of this.#tools.keys()) this.removeTool(name);
  }

  #add(session: Session): void {
    this.counts.created++;
    const arc = Arc.of(session, {
      name: 'McpGateway.session',
      group: this.#options.arcs,
      ...(this.#options.fault === 'arc-cycle' && { dispose: (unused) => this.#dispose(unused) }),
    });
    this.#sessions.set(session.id, arc);
    // A tool may have come or gone while the session was being opened.
    for (const [name, tool] of this.#tools)
      if (!session.tools.has(name)) offer(session.server, session.tools, tool);
    for (const [name, { tool, registered }] of session.tools) {
      if (this.#tools.has(name)) continue;
      session.tools.delete(name);
      registered.remove();
      tool.drop();
    }
    if (this.#options.fault === 'tools-per-session') this.addTool(sessionTool(this.#options.sdk, session.id));
    if (this.#options.fault === 'arc-cycle') this.#offerOwnTool(arc);
  }

  /** A tool that owns the session that owns the tool. */
  #offerOwnTool(arc: Arc<Session>): void {
    const { sdk, arcs: group } = this.#options;
    const { id, server, tools } = arc.value;
    this.#undisposed.add(arc.value);
    const tool = { ...sessionTool(sdk, id), owner: arc.clone() };
    using shared = Arc.of<Tool>(tool, { name: 'McpGateway.tool', group });
    offer(server, tools, shared);
  }

  #dispose(session: Session): void {
    giveBackTools(session);
    this.#undisposed.delete(session);
  }

  #expireIdle(): void {
    const idleSinceMs = performance.now() - this.#options.idleTimeoutMs;
    for (const [id, { value: session }] of this.#sessions) {
      if (session.openRequests === 0 && session.lastUsedMs < idleSinceMs) this.end(id, 'expired');
    }
  }
}

export interface Opening {
  server: McpServer;
  /** The client has been given this id; the session counts from now on. */
  confirm(id: string): void;
  /** Gives the place back, unless the session was confirmed. */
  abandon(): void;
}

function giveBackTools({ tools }: Session): void {
  for (const { tool } of tools.values()) tool.drop();
  tools.clear();
}

function offer(server: McpServer, tools: Session['tools'], shared: Arc<Tool>): void {
  const tool = shared.clone();
  const { name, description, arguments: inputSchema, run } = tool.value;
  const registered = server.registerTool(name, { description, inputSchema }, async (given) => ({
    content: [{ type: 'text', text: await run(given) }],
  }));
  tools.set(name, { tool, registered });
}

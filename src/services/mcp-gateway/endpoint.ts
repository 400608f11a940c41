import type { Client } from '@modelcontextprotocol/sdk/client/index.js';

/** A way on which clients reach the gateway. */
export interface Endpoint {
  start(): Promise<void>;
  /** Connects a client in a session of its own. Rejects when no session is free. */
  connect(client: Client): Promise<Connection>;
  /** Messages that are being received, worked on or sent, bytes. */
  readonly messageBytes: number;
  /** To be called after the sessions were closed. */
  stop(): Promise<void>;
}

/** One client's end. */
export interface Connection {
  /** Ends the session on both sides. */
  terminate(): Promise<void>;
  /** The client goes without a word; the session stays until it has been idle long enough. */
  abandon(): Promise<void>;
}

/** Why a message or a session was refused; mirrors the HTTP status codes. */
export class Refused extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

export const tooLarge = (maxBytes: number) => new Refused(413, `a message may have ${maxBytes} bytes`);
export const noSessionFree = (maxSessions: number) =>
  new Refused(503, `all ${maxSessions} sessions are taken`);

import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import type { Socket } from 'node:net';
import { CrucibleMemoryError } from '../errors.js';

/**
 * Speaks to the inspector of another process: the DevTools protocol over a WebSocket (RFC 6455).
 *
 * The WebSocket is our own because Node has none before version 22, and the protocol needs so little of it:
 * text messages over loopback, no extensions.
 *
 *     frame, first byte    F 0 0 0 o o o o    F: the last of its message; o: what it is
 *     second byte          M l l l l l l l    M: masked, as a client must; l: length, 126: 2 bytes follow, 127: 8
 */
const Opcode = { Continuation: 0, Text: 1, Close: 8, Ping: 9, Pong: 10 } as const;
const FINAL = 0x80;
const MASKED = 0x80;
const LENGTH_IN_2_BYTES = 126;
const LENGTH_IN_8_BYTES = 127;

type Listener = (params: never) => void;
interface Waiting {
  method: string;
  resolve: (result: unknown) => void;
  reject: (error: Error) => void;
}

export class InspectorClient {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, Waiting>();
  readonly #listeners = new Map<string, Listener>();
  /** Bytes that came and are no whole frame yet. */
  #received: Buffer = Buffer.alloc(0);
  readonly #message: Buffer[] = [];
  #lastId = 0;
  #isClosed = false;

  /** @param url the webSocketDebuggerUrl of a target @throws INSPECTOR_UNAVAILABLE */
  static connect(url: string): Promise<InspectorClient> {
    const { hostname, port, pathname } = new URL(url);
    return new Promise((resolve, reject) => {
      const upgrade = request({
        host: hostname.replace(/^\[|\]$/g, ''),
        port,
        path: pathname,
        headers: {
          Connection: 'Upgrade',
          Upgrade: 'websocket',
          'Sec-WebSocket-Version': '13',
          'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
        },
      });
      upgrade.on('upgrade', (_response, socket, head) =>
        resolve(new InspectorClient(socket as Socket, head)),
      );
      upgrade.on('response', ({ statusCode }) => reject(notAnInspector(url, `it answered ${statusCode}`)));
      upgrade.on('error', (error) => reject(notAnInspector(url, error.message)));
      upgrade.end();
    });
  }

  private constructor(socket: Socket, head: Buffer) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (bytes) => this.#receive(bytes));
    socket.on('error', () => {});
    socket.on('close', () => this.#ended());
    this.#receive(head);
  }

  /** One command; resolves with its result. @throws INSPECTOR_UNAVAILABLE when it is refused or the connection ends */
  send(method: string, params: Record<string, unknown> = {}): Promise<unknown> {
    if (this.#isClosed) return Promise.reject(connectionLost(method));
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { method, resolve, reject });
      this.#write(Opcode.Text, Buffer.from(JSON.stringify({ id, method, params })));
    });
  }

  /**
   * Evaluates a JavaScript expression in the program's main thread, where `require` is at hand.
   * @returns its value, as JSON carries it
   */
  async evaluate(expression: string): Promise<unknown> {
    const { result, exceptionDetails } = (await this.send('Runtime.evaluate', {
      expression,
      includeCommandLineAPI: true,
      returnByValue: true,
    })) as {
      result: { value?: unknown };
      exceptionDetails?: { text: string; exception?: { description?: string } };
    };
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  /** The one listener of an event. */
  on<Params>(event: string, listener: (params: Params) => void): void {
    this.#listeners.set(event, listener as Listener);
  }

  close(): void {
    this.#socket.destroy();
    this.#ended();
  }

  #ended(): void {
    this.#isClosed = true;
    for (const { method, reject } of this.#waiting.values()) reject(connectionLost(method));
    this.#waiting.clear();
  }

  #receive(bytes: Buffer): void {
    this.#received = this.#received.length === 0 ? bytes : Buffer.concat([this.#received, bytes]);
    for (let used = this.#takeFrame(); used > 0; used = this.#takeFrame())
      this.#received = this.#received.subarray(used);
  }

  /** Returns how many bytes the frame took; 0: it is not whole yet. */
  #takeFrame(): number {
    const bytes = this.#received;
    if (bytes.length < 2) return 0;
    const [first = 0, second = 0] = bytes;
    const short = second & ~MASKED;
    const headBytes = short === LENGTH_IN_2_BYTES ? 4 : short === LENGTH_IN_8_BYTES ? 10 : 2;
    if (bytes.length < headBytes) return 0;
    const length =
      headBytes === 4 ? bytes.readUInt16BE(2) : headBytes === 10 ? Number(bytes.readBigUInt64BE(2)) : short;
    if (bytes.length < headBytes + length) return 0;
    this.#takePayload(first, bytes.subarray(headBytes, headBytes + length));
    return headBytes + length;
  }

  #takePayload(first: number, payload: Buffer): void {
    const opcode = first & 0x0f;
    if (opcode === Opcode.Ping) this.#write(Opcode.Pong, payload);
    if (opcode === Opcode.Close) this.#socket.end();
    if (opcode !== Opcode.Text && opcode !== Opcode.Continuation) return;
    this.#message.push(payload);
    if (!(first & FINAL)) return;
    this.#dispatch(Buffer.concat(this.#message.splice(0)).toString());
  }

  #dispatch(text: string): void {
    const message = JSON.parse(text) as {
      id?: number;
      method?: string;
      params?: never;
      result?: unknown;
      error?: { message: string };
    };
    if (message.method !== undefined) {
      this.#listeners.get(message.method)?.(message.params as never);
      return;
    }
    const waiting = this.#waiting.get(message.id ?? 0);
    if (!waiting) return;
    this.#waiting.delete(message.id ?? 0);
    if (message.error) waiting.reject(refused(waiting.method, message.error.message));
    else waiting.resolve(message.result);
  }

  #write(opcode: number, payload: Buffer): void {
    const mask = randomBytes(4);
    const head =
      payload.length < LENGTH_IN_2_BYTES
        ? Buffer.from([FINAL | opcode, MASKED | payload.length])
        : Buffer.from([FINAL | opcode, MASKED | LENGTH_IN_8_BYTES, 0, 0, 0, 0, 0, 0, 0, 0]);
    if (head.length > 2) head.writeBigUInt64BE(BigInt(payload.length), 2);
    const masked = Buffer.from(payload);
    for (let i = 0; i < masked.length; i++) masked[i] = (masked[i] as number) ^ (mask[i & 3] as number);
    this.#socket.write(Buffer.concat([head, mask, masked]));
  }
}

function notAnInspector(url: string, why: string): CrucibleMemoryError {
  return new CrucibleMemoryError('INSPECTOR_UNAVAILABLE', {
    what: `the inspector at ${url} cannot be connected to`,
    why,
    fix: 'see whether a firewall or another debugger is in the way',
  });
}

function connectionLost(method: string): CrucibleMemoryError {
  return new CrucibleMemoryError('INSPECTOR_UNAVAILABLE', {
    what: `the connection to the inspector ended during ${method}`,
    why: 'the process ended, ran out of memory, or closed its inspector',
    fix: 'look at how it ended; give it more memory if a snapshot was too much for it',
  });
}

function refused(method: string, why: string): CrucibleMemoryError {
  return new CrucibleMemoryError('INSPECTOR_UNAVAILABLE', {
    what: `the inspector refused ${method}`,
    why,
    fix: 'see whether another debugger or profiler is connected',
  });
}

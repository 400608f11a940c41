import { setMaxListeners } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import { trackResource } from '../refcount/index.js';
import { KIB } from '../units.js';

/** What is read ahead of a reader. */
const QUEUE_BYTES = 64 * KIB;

/**
 * fetch() over kept-alive connections that are counted.
 *
 * The built-in fetch hides its connections and its buffers; a service that is
 * to keep books on both needs its own. Speaks what API clients use: text or
 * bytes out, any response in, streamed with back-pressure, aborted by signal.
 * Given up: redirects, cookies, compression, streamed request bodies.
 */
export class HttpClient {
  readonly #sockets = new Set<Socket>();
  readonly #agents: { 'http:': http.Agent; 'https:': https.Agent };
  readonly #connectionKind: string | undefined;
  #bodyBytes = 0;

  /**
   * @param maxConnections per host; further requests wait for one to be free
   * @param connectionKind under which its connections are tracked; absent: they are not
   */
  constructor(maxConnections = Number.POSITIVE_INFINITY, connectionKind?: string) {
    this.#connectionKind = connectionKind;
    const options = { keepAlive: true, maxSockets: maxConnections, maxFreeSockets: 256 };
    this.#agents = { 'http:': new http.Agent(options), 'https:': new https.Agent(options) };
  }

  /** Connections, busy or kept alive. */
  get openConnections(): number {
    return this.#sockets.size;
  }

  /** Bytes of requests not yet answered, and of responses not yet read to their end. */
  get bodyBytes(): number {
    return this.#bodyBytes;
  }

  readonly fetch = async (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    const url = new URL(input instanceof Request ? input.url : input);
    const body = init.body ?? undefined;
    if (body !== undefined && typeof body !== 'string' && !(body instanceof Uint8Array)) {
      throw new TypeError('the body of a request must be a string or bytes');
    }
    init.signal?.throwIfAborted();
    const exchange = new Exchange((difference) => {
      this.#bodyBytes += difference;
    });
    try {
      return await this.#send(url, init, body, exchange);
    } catch (error) {
      exchange.end();
      throw error;
    }
  };

  /** Closes every connection; resolves when the last one is gone. */
  async close(): Promise<void> {
    const closed = Array.from(this.#sockets, (socket) => new Promise((gone) => socket.once('close', gone)));
    for (const agent of Object.values(this.#agents)) agent.destroy();
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(closed);
  }

  #send(url: URL, init: RequestInit, body: string | Uint8Array | undefined, exchange: Exchange) {
    const { request: open } = url.protocol === 'https:' ? https : http;
    const agent = this.#agents[url.protocol === 'https:' ? 'https:' : 'http:'];
    const headers = Object.fromEntries(new Headers(init.headers));
    if (body !== undefined) {
      const bytes = Buffer.byteLength(body);
      headers['content-length'] = String(bytes);
      exchange.requestBytes = bytes;
    }
    return new Promise<Response>((resolve, reject) => {
      const request = open(url, { agent, method: init.method ?? 'GET', headers });
      let response: http.IncomingMessage | undefined;
      const abort = () => (response ?? request).destroy(abortReason(init.signal));
      if (init.signal) {
        // A client may give the same signal to all its requests; Node would take that for a leak.
        setMaxListeners(0, init.signal);
        init.signal.addEventListener('abort', abort, { once: true });
      }
      exchange.onEnd = () => init.signal?.removeEventListener('abort', abort);
      request.once('socket', (socket) => this.#count(socket));
      request.once('error', reject);
      request.once('response', (answer) => {
        response = answer;
        // From here on errors reach the reader of the body instead.
        request.off('error', reject).on('error', (error) => answer.destroy(error));
        resolve(new Response(bodyOf(answer, exchange), { ...head(answer), headers: headersOf(answer) }));
      });
      request.end(body);
    });
  }

  #count(socket: Socket): void {
    if (this.#sockets.has(socket)) return;
    this.#sockets.add(socket);
    const open = this.#connectionKind === undefined ? undefined : trackResource(this.#connectionKind, socket);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      open?.release();
    });
  }
}

/** The bytes that one request and its response hold, given back exactly once. */
class Exchange {
  onEnd: () => void = () => undefined;
  readonly #book: (difference: number) => void;
  #requestBytes = 0;
  #responseBytes = 0;
  #ended = false;

  constructor(book: (difference: number) => void) {
    this.#book = book;
  }

  get responseBytes(): number {
    return this.#responseBytes;
  }

  set requestBytes(bytes: number) {
    this.#book(bytes - this.#requestBytes);
    this.#requestBytes = bytes;
  }

  set responseBytes(bytes: number) {
    if (this.#ended) return;
    this.#book(bytes - this.#responseBytes);
    this.#responseBytes = bytes;
  }

  end(): void {
    if (this.#ended) return;
    this.responseBytes = 0;
    this.requestBytes = 0;
    this.#ended = true;
    this.onEnd();
  }
}

/** The body as a web stream; a reader that is slow makes the sender wait. */
function bodyOf(response: http.IncomingMessage, exchange: Exchange): ReadableStream<Uint8Array> | null {
  if (response.statusCode === 204 || response.statusCode === 304) {
    exchange.end();
    discard(response);
    return null;
  }
  // Whoever reads events is done with each as it comes; any other body is
  // collected by its reader until it is whole.
  const isEvents = isEventStream(response);
  const queuedBytes = () => QUEUE_BYTES - (reader?.desiredSize ?? QUEUE_BYTES);
  let reader: ReadableStreamDefaultController<Uint8Array> | undefined;
  response.on('data', (chunk: Buffer) => {
    if (!reader) return;
    reader.enqueue(chunk);
    exchange.responseBytes = isEvents ? queuedBytes() : exchange.responseBytes + chunk.byteLength;
    if (queuedBytes() >= QUEUE_BYTES) response.pause();
  });
  response.once('end', () => {
    exchange.end();
    reader?.close();
  });
  response.once('error', (error) => {
    exchange.end();
    reader?.error(error);
  });
  response.pause();
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        reader = controller;
      },
      pull() {
        if (isEvents) exchange.responseBytes = queuedBytes();
        response.resume();
      },
      cancel() {
        reader = undefined;
        exchange.end();
        discard(response);
      },
    },
    new ByteLengthQueuingStrategy({ highWaterMark: QUEUE_BYTES }),
  );
}

/**
 * Reads what nobody wants, because a connection can be used again only after
 * the whole answer. An answer that is long or never ends costs the connection.
 */
function discard(response: http.IncomingMessage): void {
  if (isEventStream(response)) {
    response.destroy();
    return;
  }
  let bytes = 0;
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.byteLength;
    if (bytes > QUEUE_BYTES) response.destroy();
  });
  response.resume();
}

function isEventStream(response: http.IncomingMessage): boolean {
  return response.headers['content-type']?.startsWith('text/event-stream') ?? false;
}

function head(response: http.IncomingMessage): { status: number; statusText: string } {
  return { status: response.statusCode ?? 0, statusText: response.statusMessage ?? '' };
}

function headersOf(response: http.IncomingMessage): Headers {
  const headers = new Headers();
  for (const [name, values] of Object.entries(response.headersDistinct)) {
    for (const value of values ?? []) headers.append(name, value);
  }
  return headers;
}

function abortReason(signal: AbortSignal | null | undefined): Error {
  return signal?.reason instanceof Error ? signal.reason : new DOMException('aborted', 'AbortError');
}

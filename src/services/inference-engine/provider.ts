import type { OpenAI } from 'openai';
import { CrucibleMemoryError } from '../../errors.js';
import { MIB } from '../../units.js';
import { Gate } from '../gate.js';
import { HttpClient } from '../http-client.js';
import { loadPackage } from '../optional-package.js';
import { unavailable } from '../refusals.js';
import { ChatServer } from './chat-server.js';
import type { InferenceEngineFault } from './faults.js';

export interface ProviderOptions {
  /** An OpenAI-compatible endpoint; without it one is embedded. */
  baseURL?: string | undefined;
  apiKey?: string | undefined;
  model: string;
  /** Requests under way at once; further ones wait. */
  maxConnections: number;
  fault?: InferenceEngineFault | undefined;
}

export interface Completion {
  text: string;
  finishReason: string;
  /** Prompt and answer as text, bytes. */
  bytes: number;
}

const CONNECTION_KIND = 'InferenceEngine.connection';
const REQUEST_TIMEOUT_MS = 60_000;
const MAX_EMBEDDED_REQUEST_BYTES = 8 * MIB;

/** Conversations with a language model over kept-alive connections that are counted. */
export class Provider {
  readonly #options: ProviderOptions;
  readonly #gate: Gate;
  readonly #http: HttpClient;
  /** Filled by the fault 'connections-not-returned' only. */
  readonly #strayClients: HttpClient[] = [];
  #server: ChatServer | undefined;
  #client: OpenAI | undefined;

  constructor(options: ProviderOptions) {
    this.#options = options;
    this.#gate = new Gate(options.maxConnections);
    this.#http = new HttpClient(options.maxConnections, CONNECTION_KIND);
  }

  get openConnections(): number {
    const stray = this.#strayClients.reduce((sum, { openConnections }) => sum + openConnections, 0);
    return this.#http.openConnections + stray;
  }

  get bodyBytes(): number {
    return this.#http.bodyBytes;
  }

  get waiting(): number {
    return this.#gate.waiting;
  }

  async start(): Promise<void> {
    const { OpenAI } = await loadPackage('InferenceEngine', 'openai', () => import('openai'));
    const baseURL = this.#options.baseURL ?? (await this.#startServer());
    this.#client = new OpenAI({
      baseURL,
      apiKey: this.#options.apiKey ?? 'embedded',
      fetch: this.#http.fetch,
      timeout: REQUEST_TIMEOUT_MS,
      // A retry would hide from the caller that the provider fails.
      maxRetries: 0,
    });
  }

  async stop(): Promise<void> {
    this.#client = undefined;
    await Promise.all([this.#http, ...this.#strayClients].map((http) => http.close()));
    await this.#server?.stop();
    this.#server = undefined;
  }

  /** Rejects with SERVICE_UNAVAILABLE, or PAYLOAD_TOO_LARGE when the provider says 413. */
  complete(prompt: string, isStreamed: boolean): Promise<Completion> {
    return this.#gate.run(async () => {
      try {
        const { text, finishReason } = await (isStreamed ? this.#streamed(prompt) : this.#whole(prompt));
        return { text, finishReason, bytes: Buffer.byteLength(prompt) + Buffer.byteLength(text) };
      } catch (error) {
        throw explained(error);
      }
    });
  }

  /** The names of the models that the provider offers. */
  models(): Promise<string[]> {
    return this.#gate.run(async () => {
      try {
        const names: string[] = [];
        for await (const { id } of this.#connected().models.list()) names.push(id);
        return names;
      } catch (error) {
        throw explained(error);
      }
    });
  }

  async #whole(prompt: string) {
    const { choices } = await this.#connected().chat.completions.create(this.#request(prompt));
    return { text: choices[0]?.message.content ?? '', finishReason: choices[0]?.finish_reason ?? '' };
  }

  async #streamed(prompt: string) {
    const stream = await this.#connected().chat.completions.create({
      ...this.#request(prompt),
      stream: true,
    });
    let text = '';
    let finishReason = '';
    for await (const { choices } of stream) {
      text += choices[0]?.delta.content ?? '';
      finishReason = choices[0]?.finish_reason ?? finishReason;
    }
    return { text, finishReason };
  }

  #request(prompt: string) {
    return { model: this.#options.model, messages: [{ role: 'user' as const, content: prompt }] };
  }

  #connected(): OpenAI {
    if (this.#client && this.#options.fault === 'connections-not-returned') {
      const stray = new HttpClient(1, CONNECTION_KIND);
      this.#strayClients.push(stray);
      return this.#client.withOptions({ fetch: stray.fetch });
    }
    if (this.#client) return this.#client;
    throw new Error('the provider is not connected');
  }

  #startServer(): Promise<string> {
    const { model } = this.#options;
    this.#server = new ChatServer({ maxRequestBytes: MAX_EMBEDDED_REQUEST_BYTES, models: [model] });
    return this.#server.start();
  }
}

function explained(error: unknown): CrucibleMemoryError {
  const status = error instanceof Error && 'status' in error ? error.status : undefined;
  if (status === 413) {
    return new CrucibleMemoryError('PAYLOAD_TOO_LARGE', {
      what: 'the language model refused a request',
      why: error instanceof Error ? error.message : 'the request is too large',
      fix: 'send a shorter prompt',
      cause: error,
    });
  }
  // The connection error of the client says "Connection error."; its cause says which.
  const reason = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return unavailable('the language model did not answer', 'check baseURL, apiKey and model', reason);
}

import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { readBody } from '../request-body.js';

/**
 * A small OpenAI-compatible endpoint on the loopback interface: the wire
 * protocol of chat completions, streamed or whole, with the errors a client has
 * to cope with. It answers from the prompt alone, the same prompt always alike,
 * so that a test needs no network and no key, and costs nothing.
 */
export interface ChatServerOptions {
  /** A longer request is answered with 413, bytes. */
  maxRequestBytes: number;
  models: string[];
}

interface ChatRequest {
  model: string;
  messages: { role: string; content: string }[];
  stream?: boolean;
  stream_options?: { include_usage?: boolean };
  max_tokens?: number;
  max_completion_tokens?: number;
}

interface Refusal {
  status: number;
  message: string;
  code: string;
  param?: string;
}

const ANSWER_TOKENS = 48;
const TOKENS_PER_EVENT = 4;
const WORDS =
  'memory grows where references stay and falls when they go the heap keeps what is reachable from its roots'.split(
    ' ',
  );

/** Large providers close idle connections only after minutes. */
const KEEP_ALIVE_MS = 400_000;

export class ChatServer {
  readonly #options: ChatServerOptions;
  readonly #server = http.createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    // A client that breaks off gets no answer; there is nobody to give it to.
    this.#answer(request, response).catch(() => response.destroy());
  });

  constructor(options: ChatServerOptions) {
    this.#options = options;
  }

  /** @returns the base URL for a client */
  async start(): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject).listen(0, '127.0.0.1', resolve);
    });
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`;
  }

  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const body = await readBody(request, this.#options.maxRequestBytes);
    const route = `${request.method} ${request.url}`;
    if (!/^Bearer \S+/.test(request.headers.authorization ?? '')) return refuse(response, noKey);
    if (route === 'GET /v1/models') return send(response, 200, this.#modelList());
    if (route !== 'POST /v1/chat/completions') return refuse(response, unknownRoute(route));
    if (body === undefined) return refuse(response, tooLarge(this.#options.maxRequestBytes));
    const chat = parse(body);
    if ('status' in chat) return refuse(response, chat);
    if (!this.#options.models.includes(chat.model)) return refuse(response, unknownModel(chat.model));
    return chat.stream ? streamCompletion(response, chat) : send(response, 200, completion(chat));
  }

  #modelList(): unknown {
    const data = this.#options.models.map((id) => ({
      id,
      object: 'model',
      created: 0,
      owned_by: 'embedded',
    }));
    return { object: 'list', data };
  }
}

function parse(body: string): ChatRequest | Refusal {
  let chat: Partial<ChatRequest>;
  try {
    chat = JSON.parse(body);
  } catch {
    return badRequest('the body is not JSON', 'invalid_json');
  }
  if (typeof chat?.model !== 'string') return badRequest('a model must be named', 'missing_field', 'model');
  const isConversation =
    Array.isArray(chat.messages) &&
    chat.messages.length > 0 &&
    chat.messages.every((m) => typeof m?.content === 'string');
  if (!isConversation)
    return badRequest('there must be at least one message with text', 'missing_field', 'messages');
  return chat as ChatRequest;
}

interface Answer {
  id: string;
  tokens: string[];
  finishReason: 'stop' | 'length';
  usage: { prompt_tokens: number; completion_tokens: number; total_tokens: number };
}

function answerTo({ messages, max_tokens, max_completion_tokens }: ChatRequest): Answer {
  const prompt = messages.map(({ content }) => content).join('\n');
  let state = fnv1a(prompt);
  const id = `chatcmpl-${state.toString(16).padStart(8, '0')}`;
  const limit = max_completion_tokens ?? max_tokens ?? ANSWER_TOKENS;
  const tokens = Array.from({ length: Math.min(limit, ANSWER_TOKENS) }, (_, i) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return `${i === 0 ? '' : ' '}${WORDS[state % WORDS.length]}`;
  });
  const promptTokens = Math.ceil(prompt.length / 4);
  return {
    id,
    tokens,
    finishReason: limit < ANSWER_TOKENS ? 'length' : 'stop',
    usage: {
      prompt_tokens: promptTokens,
      completion_tokens: tokens.length,
      total_tokens: promptTokens + tokens.length,
    },
  };
}

function completion(chat: ChatRequest): unknown {
  const { id, tokens, finishReason, usage } = answerTo(chat);
  const message = { role: 'assistant', content: tokens.join(''), refusal: null };
  const choices = [{ index: 0, message, logprobs: null, finish_reason: finishReason }];
  return { id, object: 'chat.completion', created: 0, model: chat.model, choices, usage };
}

function streamCompletion(response: http.ServerResponse, chat: ChatRequest): void {
  const { id, tokens, finishReason, usage } = answerTo(chat);
  const event = (fields: object) => {
    const chunk = { id, object: 'chat.completion.chunk', created: 0, model: chat.model, ...fields };
    response.write(`data: ${JSON.stringify(chunk)}\n\n`);
  };
  const delta = (content: object, finish: string | null = null) =>
    event({ choices: [{ index: 0, delta: content, finish_reason: finish }] });

  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  delta({ role: 'assistant', content: '' });
  for (let at = 0; at < tokens.length; at += TOKENS_PER_EVENT) {
    delta({ content: tokens.slice(at, at + TOKENS_PER_EVENT).join('') });
  }
  delta({}, finishReason);
  if (chat.stream_options?.include_usage) event({ choices: [], usage });
  response.end('data: [DONE]\n\n');
}

function send(response: http.ServerResponse, status: number, value: unknown): void {
  const body = JSON.stringify(value);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}

function refuse(response: http.ServerResponse, { status, message, code, param }: Refusal): void {
  const type = status === 401 ? 'authentication_error' : 'invalid_request_error';
  send(response, status, { error: { message, type, param: param ?? null, code } });
}

const noKey: Refusal = { status: 401, message: 'an API key must be given', code: 'invalid_api_key' };

function badRequest(message: string, code: string, param?: string): Refusal {
  return { status: 400, message, code, ...(param && { param }) };
}

function unknownRoute(route: string): Refusal {
  return { status: 404, message: `there is no ${route} here`, code: 'unknown_url' };
}

function unknownModel(model: string): Refusal {
  return {
    status: 404,
    message: `the model "${model}" does not exist`,
    code: 'model_not_found',
    param: 'model',
  };
}

function tooLarge(maxBytes: number): Refusal {
  return { status: 413, message: `a request may have ${maxBytes} bytes`, code: 'request_too_large' };
}

/** FNV-1a, 32 bits: spreads similar texts far apart. http://www.isthe.com/chongo/tech/comp/fnv/ */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

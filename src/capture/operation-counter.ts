import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ChannelDefinition } from '../native.js';
import { OPERATION_CHANNELS } from '../recording/channels.js';
import type { Capture, CaptureGroup } from './capture.js';
import type { Guard } from './guard.js';
import { OPERATION_CHANNEL, type OperationStep } from './program-marks.js';

/** Counted by whoever sends requests, which is no operation of the program itself. */
const CLIENT_CHANNELS: ChannelDefinition[] = [
  {
    name: 'http_client_requests',
    unit: 'count',
    kind: 'integer',
    description: 'HTTP requests that the program has sent',
  },
  {
    name: 'http_client_responses',
    unit: 'count',
    kind: 'integer',
    description: 'responses to them that have come',
  },
];

/** What each slot of the shared memory counts; the order of the channels. */
const Slot = { Completed: 0, Failed: 1, Active: 2, ClientRequests: 3, ClientResponses: 4 } as const;
type Slot = (typeof Slot)[keyof typeof Slot];

interface Closable {
  once(event: 'close', listener: () => void): unknown;
  statusCode: number;
  writableFinished: boolean;
}

/** A status from here on is the server's own failure. */
const SERVER_ERROR = 500;

/**
 * Counts what a program does without its help: requests that its HTTP servers answered, and those
 * that it sent through node:http or undici (fetch). And what it counts itself with operation().
 *
 * A response below 500 is an operation that succeeded; one that was cut off, or says 500 and more,
 * failed. Costs a microsecond a request. Given up: HTTP/2, whose sessions publish no such channels.
 */
export class OperationCounter {
  /** Shared, so that the sampler reads it while JavaScript is busy. */
  readonly #slots = new Int32Array(new SharedArrayBuffer(5 * Int32Array.BYTES_PER_ELEMENT));
  readonly #subscriptions: [string, (message: unknown) => void][];
  #groups: CaptureGroup[] = [];

  /** @param guarded keeps what goes wrong inside away from the program, which would die of it */
  constructor(guarded: Guard) {
    const counts = (slot: Slot) => () => this.#add(slot, 1);
    this.#subscriptions = [
      ['http.server.request.start', guarded((message) => this.#began(message as { response: Closable }))],
      [OPERATION_CHANNEL, guarded((message) => this.#stepped(message as OperationStep))],
      ['http.client.request.start', counts(Slot.ClientRequests)],
      ['http.client.response.finish', counts(Slot.ClientResponses)],
      ['undici:request:create', counts(Slot.ClientRequests)],
      ['undici:request:trailers', counts(Slot.ClientResponses)],
    ];
    for (const [name, listener] of this.#subscriptions) subscribe(name, listener);
  }

  get completed(): number {
    return this.#slots[Slot.Completed] ?? 0;
  }

  /** Counts into a recording: at the sampler's ticks where it can, else whenever append() is called. */
  record(capture: Capture): void {
    const groups = [
      { group: 'operations', channels: [...OPERATION_CHANNELS], firstSlot: Slot.Completed },
      { group: 'http_client', channels: CLIENT_CHANNELS, firstSlot: Slot.ClientRequests },
    ];
    if (groups.every((one) => capture.watchSlots({ ...one, slots: this.#slots }))) return;
    this.#groups = groups.map(({ group, channels }) => capture.group(group, channels));
  }

  append(): void {
    const [operations, clients] = this.#groups;
    const [completed, failed, active, sent, answered] = this.#slots;
    operations?.append([completed, failed, active]);
    if (sent) clients?.append([sent, answered]);
  }

  stop(): void {
    for (const [name, listener] of this.#subscriptions) unsubscribe(name, listener);
  }

  #began({ response }: { response: Closable }): void {
    this.#add(Slot.Active, 1);
    // `close` comes once, whether the response was finished or its connection was lost.
    response.once('close', () => {
      this.#ended(!response.writableFinished || response.statusCode >= SERVER_ERROR);
    });
  }

  #stepped({ step, failed = false }: OperationStep): void {
    if (step === 'begin') this.#add(Slot.Active, 1);
    else if (step === 'end') this.#ended(failed);
    else this.#add(failed ? Slot.Failed : Slot.Completed, 1);
  }

  #ended(failed: boolean): void {
    // What began before the counting did would end below zero.
    if ((this.#slots[Slot.Active] ?? 0) > 0) this.#add(Slot.Active, -1);
    this.#add(failed ? Slot.Failed : Slot.Completed, 1);
  }

  /** Only this thread writes, so that no atomic operation is needed. */
  #add(slot: Slot, difference: 1 | -1): void {
    this.#slots[slot] = (this.#slots[slot] ?? 0) + difference;
  }
}

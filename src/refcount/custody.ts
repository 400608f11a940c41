/**
 * Notices what is collected without having been given back.
 *
 * Watching an object costs 300 ns (FinalizationRegistry), more than everything
 * else about a reference together. So it is not the references that are
 * watched but tickets, which live in the reference and go back to a pool when
 * it is given back: watched once, used again and again. A reference that is
 * collected takes its ticket with it, and that is noticed.
 *
 * Given up: the notice comes when V8 has collected the ticket, which has grown
 * old by then, so after a full collection and not while the event loop is blocked.
 */

/** Is told, some time after the fact, that somebody forgot to give back. */
export interface Owner {
  collected(stack: string | undefined): void;
}

/** What the registry keeps. It must not lead to the reference, nor to the value: they would live for ever. */
interface Claim {
  owner: Owner | undefined;
  stack: string | undefined;
}

/** Only to be held by the reference itself. */
export class Ticket {
  readonly claim: Claim = { owner: undefined, stack: undefined };
}

/** What is more goes to the garbage collector: a rush must not cost memory for ever. */
const POOLED_MAX = 1024;

const pool: Ticket[] = [];
const watch = new FinalizationRegistry<Claim>(({ owner, stack }) => owner?.collected(stack));

export function takeTicket(owner: Owner, stack: string | undefined): Ticket {
  const ticket = pool.pop() ?? newTicket();
  ticket.claim.owner = owner;
  ticket.claim.stack = stack;
  return ticket;
}

/** The reference was given back; it must forget the ticket. */
export function returnTicket(ticket: Ticket): void {
  ticket.claim.owner = undefined;
  ticket.claim.stack = undefined;
  if (pool.length < POOLED_MAX) pool.push(ticket);
}

function newTicket(): Ticket {
  const ticket = new Ticket();
  watch.register(ticket, ticket.claim);
  return ticket;
}

/**
 * A leak that can be switched on in a service, as a fault of the kind that
 * programmers make: what looks for leaks is tested by whether it finds these.
 */
export interface Fault {
  /** What goes wrong, as a line for a person. */
  what: string;
  /** Where most of what it leaves behind lies: on V8's heap, in buffers that V8 counts, or where only the allocator sees it. */
  memory: 'heap' | 'external' | 'native';
  /** Whoever says one of these has named the leak: a property, a class, a lock or a counter. */
  culprits: readonly string[];
  /** What an operation leaves behind on average, where the mix of operations alone decides it. */
  perOperation?: {
    /** Entries of what accumulates. */
    count?: number;
    /** Of all memory that they hold, bytes, within a few percent. */
    bytes?: number;
  };
}

export type Faults = Readonly<Record<string, Fault>>;

/** The name as one of these faults; undefined when it is the name of none of them. */
export function faultOf<F extends Faults>(faults: F, name: string | undefined): keyof F | undefined {
  return name !== undefined && Object.hasOwn(faults, name) ? name : undefined;
}

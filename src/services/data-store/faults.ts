import type { Faults } from '../fault.js';

/** The first two are in the use of SQLite: a store on PostgreSQL refuses them. */
export const DATA_STORE_FAULTS = {
  'statements-not-finalised': {
    what: 'a stream prepares a statement for every bucket, and none of them is finalised',
    memory: 'native',
    culprits: ['#unfinalised', 'DataStore.statement'],
    perOperation: { count: 8 / 16 },
  },
  'pool-clients-not-released': {
    what: 'a stream gets a connection of its own, which never goes back to the pool',
    memory: 'native',
    culprits: ['#all', 'DataStore.connection'],
    perOperation: { count: 1 / 16 },
  },
  'result-sets-kept': {
    what: 'the rows of a stream stay on the list of open result sets when its reader is done',
    memory: 'heap',
    culprits: ['#resultSets'],
    // 128 rows each: a text of 1 KiB behind a header of 16 bytes, an object of three fields, a place in an array.
    perOperation: { count: 1 / 16, bytes: (128 * (1024 + 16 + 48 + 8)) / 16 },
  },
} as const satisfies Faults;

export type DataStoreFault = keyof typeof DATA_STORE_FAULTS;

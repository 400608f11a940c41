export { Arc, ArcGroup, type ArcOptions, arcStrongCount } from './arc.js';
export { type Counter, counter, counters } from './registry.js';

/** A cache of results, which fills to its 20,000 entries and stays there. */
import { LRUCache } from 'lru-cache';

const cache = new LRUCache({ max: 20_000 });

export function operation(i) {
  cache.set(`user:${i}`, { id: i, name: `User ${i}`, roles: ['reader'] });
  cache.get(`user:${i >> 1}`);
}

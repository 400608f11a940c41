import { KIB } from '../../units.js';

/**
 * The scripts that the engine is asked to run: a few that everyone uses, and
 * many rule tables that are used once in a while. Together the tables are
 * larger than the default cache, so that a cache at work is seen: full, mostly
 * hit, now and then missed.
 */

export interface Call {
  source: string;
  input: unknown;
}

const POPULAR_VARIANTS = 4;
const RULE_TABLES = 512;
const RULES_PER_TABLE = 96;
/** One call in so many goes to a rule table. */
const RULE_TABLE_EVERY = 32;

const bodies: ((variant: number) => string)[] = [
  (variant) => `
    const rates = { standard: 0.${19 + variant}, reduced: 0.07, none: 0 };
    let net = 0, tax = 0;
    for (const { price, quantity, rate } of input.items) {
      const amount = price * quantity * (quantity >= ${10 + variant} ? 0.95 : 1);
      net += amount;
      tax += amount * rates[rate];
    }
    return { net: Math.round(net), tax: Math.round(tax), gross: Math.round(net + tax) };`,
  (variant) => `
    const escape = (text) => text.replace(/[&<>"]/g, (c) => '&#' + c.charCodeAt(0) + ';');
    return '<ul class="v${variant}">' +
      input.items.map(({ name, price }) => \`<li>\${escape(name)}: \${price.toFixed(2)}</li>\`).join('') + '</ul>';`,
  (variant) => `
    const problems = [];
    input.items.forEach((item, at) => {
      if (!/^[a-z]+-[0-9]+$/.test(item.name)) problems.push({ at, problem: 'name' });
      if (!(item.price > ${variant})) problems.push({ at, problem: 'price' });
      if (!Number.isInteger(item.quantity)) problems.push({ at, problem: 'quantity' });
    });
    return { valid: problems.length === 0, problems };`,
  (variant) => `
    const counts = new Map();
    for (const word of input.text.toLowerCase().split(/[^a-z]+/)) {
      if (word.length > ${variant}) counts.set(word, (counts.get(word) ?? 0) + 1);
    }
    return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, 10);`,
  (variant) => `
    const prices = input.items.map(({ price }) => price).sort((a, b) => a - b);
    const mean = prices.reduce((sum, price) => sum + price, 0) / prices.length;
    const spread = Math.sqrt(prices.reduce((sum, price) => sum + (price - mean) ** 2, 0) / prices.length);
    return { mean, spread, outliers: prices.filter((price) => Math.abs(price - mean) > ${variant + 1} * spread).length };`,
  (variant) => `
    const customer = JSON.parse(await lookup('customer-' + (input.id % ${64 + variant})));
    const region = JSON.parse(await lookup('region-' + customer.id % 8));
    return { customer: customer.name, region: region.name, items: input.items.length };`,
];

const popular = Array.from(
  { length: POPULAR_VARIANTS * bodies.length },
  (_, i) => bodies[i % bodies.length]?.(i % POPULAR_VARIANTS) ?? '',
);

/** The call number `index` of an endless, repeatable series. */
export function callAt(index: number): Call {
  const input = inputAt(index);
  if (index % RULE_TABLE_EVERY === RULE_TABLE_EVERY - 1) {
    return { source: ruleTable(Math.floor(index / RULE_TABLE_EVERY) % RULE_TABLES), input };
  }
  return { source: popular[(index * 7) % popular.length] ?? '', input };
}

/**
 * The tables, those first that are asked for last: a cache that cannot hold all
 * of them, filled in this order, misses from the first call on, as it will for ever.
 */
export function* ruleTables(): Iterable<string> {
  for (let table = RULE_TABLES - 1; table >= 0; table--) yield ruleTable(table);
}

export function popularSources(): readonly string[] {
  return popular;
}

/** A program whose text holds about so many bytes of records, and which reads them all. */
export function bulkCall(payloadBytes: number): Call {
  const record = `"${'record '.repeat(145)}",\n`;
  const records = record.repeat(Math.max(1, Math.floor((payloadBytes - KIB) / record.length)));
  const source = `
    const records = [\n${records}];
    let checksum = 0;
    for (const record of records) checksum = (checksum * 31 + record.length + record.charCodeAt(record.length >> 1)) | 0;
    return { records: records.length, checksum };`;
  return { source, input: {} };
}

function ruleTable(table: number): string {
  let rules = '';
  for (let rule = 0; rule < RULES_PER_TABLE; rule++) {
    const from = (table * 13 + rule * 7) % 900;
    rules += `  { name: 'rule-${table}-${rule}', from: ${from}, to: ${from + 20 + (rule % 9)}, factor: ${1 + rule / 100} },\n`;
  }
  return `
    const rules = [\n${rules}];
    return input.items.map(({ price }) => rules.find(({ from, to }) => price >= from && price < to)?.name ?? 'none');`;
}

function inputAt(index: number): unknown {
  const items = Array.from({ length: 8 }, (_, i) => ({
    name: `item-${(index * 8 + i) % 1000}`,
    price: ((index * 31 + i * 97) % 1000) + 0.5,
    quantity: 1 + ((index + i) % 20),
    rate: ['standard', 'reduced', 'none'][(index + i) % 3],
  }));
  return {
    id: index % 4096,
    items,
    text: `the quick brown fox number ${index % 100} jumps over the lazy dog and the fox`,
  };
}

import type { PlaceAnswer, StepAnswer } from './answers.js';

/**
 * The way to an object as a person would write it: `globalThis.sessions`,
 * `server.mjs: cache.entries`, `globalThis.handler -> inner`.
 *
 * A retaining path is exact and hard to read: V8's own steps (contexts, backing
 * stores, module cells) stand between the names that the program gave, and the
 * shortest way often leads through an unrelated object's prototype. Steps that
 * only say how V8 stores something are left out. Where the beginning is such a
 * detour, the text starts at the last name that a person knows by itself: a
 * variable of a scope, an export of a module, `process`, `globalThis`.
 * Given up: the text is no proof. `retainingPath` beside it has every step.
 */
export function readablePath(steps: readonly StepAnswer[]): string {
  const parts = steps.map((step, index) => partOf(step, index, steps));
  const shown = parts.slice(beginning(parts));
  const [first, ...rest] = shown;
  if (!first) return '';
  return [first.anchor ?? first.text.replace(/^[.]| -> /, ''), ...rest.map(({ text }) => text)].join('');
}

interface Part {
  /** As it is written behind something else. */
  text: string;
  /** As a path can start with it; absent where it cannot. */
  anchor?: string;
  /** The step is V8's own affair or a detour: what comes before explains nothing. */
  isOpaque: boolean;
}

/** More steps than this after a beginning that is far away say less than a near beginning. */
const STEPS_READABLE_MAX = 6;

/** The first anchor from which everything is readable, if that is not too far away; else the last one. */
function beginning(parts: readonly Part[]): number {
  let last: number | undefined;
  let nearest: number | undefined;
  let stepsBehind = 0;
  for (let index = parts.length - 1; index >= 0 && stepsBehind <= STEPS_READABLE_MAX; index--) {
    const part = parts[index];
    if (part?.anchor !== undefined) {
      last ??= index;
      nearest = index;
    }
    if (part?.isOpaque) break;
    if (part?.text !== '') stepsBehind++;
  }
  last ??= parts.findLastIndex(({ anchor }) => anchor !== undefined);
  return nearest ?? Math.max(0, last);
}

/** What V8 puts between a name and the object that the program means by it. */
const STORAGE = new Set(['{context}', '{previous}', '{elements}', '{properties}', '{table}']);
const GLOBAL_OBJECT = /^(global|globalThis|Window)\b/;
const WEAK_ENTRY = /part of key .* -> value .* pair in WeakMap/s;

function partOf(step: StepAnswer, index: number, steps: readonly StepAnswer[]): Part {
  const { edge } = step;
  const before = steps[index - 1];
  if (!before || edge === '{global_object}') return rootPart(step);
  if (isSynthetic(before)) return belowRootPart(step, before);
  if (edge.startsWith('->')) return variablePart(step, before);
  if (before.name === 'system / Cell' && edge === '{value}') {
    return { text: '', anchor: exportAnchor(step, index, steps), isOpaque: false };
  }
  if (STORAGE.has(edge)) return { text: '', isOpaque: false };
  if (isStore(before) && /^[[{]\d+[\]}]$/.test(edge)) return { text: '[entry]', isOpaque: false };
  if (WEAK_ENTRY.test(edge)) return { text: '[weak entry]', isOpaque: false };
  if (edge.startsWith('.') || edge.startsWith('["')) return propertyPart(step);
  if (/^\[\d+\]$/.test(edge)) return { text: edge, isOpaque: false };
  return { text: edge, isOpaque: true };
}

function rootPart({ name, edge }: StepAnswer): Part {
  if (GLOBAL_OBJECT.test(name)) return { text: '', anchor: 'globalThis', isOpaque: false };
  // Since Node 26 the way to the global object leads through its context.
  if (name === 'system / NativeContext') return { text: '', isOpaque: false };
  return { text: isSynthetic({ name }) ? name : edge, isOpaque: true };
}

/** What V8 holds by itself, such as a handle of an open socket: `(Global handles) Socket`. */
function belowRootPart(step: StepAnswer, root: StepAnswer): Part {
  if (isSynthetic(step)) return { text: ` ${step.name}`, isOpaque: true };
  if (isScope(step)) return { text: '', isOpaque: true };
  return { text: ` ${step.name}`, anchor: `${root.name} ${step.name}`, isOpaque: false };
}

/** `(GC roots)` and what lies directly below it: lists that are no objects of the program. */
function isSynthetic({ name }: Pick<StepAnswer, 'name'>): boolean {
  return /^\((?!array\)|string\))[A-Za-z ]+\)$/.test(name);
}

function isScope({ name }: StepAnswer): boolean {
  return name.startsWith('variables of ') || name.startsWith('variables (');
}

/** A variable: `handler() -> cache`, or with the file where its scope is `server.mjs: handler() -> cache`. */
function variablePart({ edge, name }: StepAnswer, scope: StepAnswer): Part {
  const variable = edge.slice(2);
  if (variable === 'process' && name === 'process') return processPart(' -> process');
  const owner = scope.name.match(/^variables of (.+)\(\) \(/s)?.[1];
  const inside = owner === undefined ? '' : `${owner}() -> `;
  const where = scope.place ? `${lastName(scope.place.script)}: ` : owner === undefined ? '(variable) ' : '';
  return { text: ` -> ${variable}`, anchor: `${where}${inside}${variable}`, isOpaque: false };
}

/** From a scope over its module and the list of its exports to a cell. */
const CELL_DEPTH = 4;

/** The cell of an export has no name; but the scope of its module may have stood on the way. */
function exportAnchor({ name }: StepAnswer, index: number, steps: readonly StepAnswer[]): string {
  const way = steps.slice(Math.max(0, index - CELL_DEPTH), index);
  const module = way.findLastIndex(({ edge }) => edge === '{extension}');
  const place = way[module - 1]?.place;
  return place ? `${lastName(place.script)}: export ${name}` : `(module export) ${name}`;
}

/** Known to everybody: how V8 came to it explains nothing. */
function processPart(text: string): Part {
  return { text, anchor: 'process', isOpaque: true };
}

function propertyPart({ edge, name }: StepAnswer): Part {
  const property = edge.startsWith('.') ? edge.slice(1) : edge.slice(2, -2);
  if (property === 'process' && name === 'process') return processPart('.process');
  const text = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(property)
    ? `.${property}`
    : `[${JSON.stringify(property)}]`;
  return { text, isOpaque: property === '__proto__' };
}

/** Arrays in which V8 keeps what a Map, a Set or an object holds. */
function isStore({ edge }: StepAnswer): boolean {
  return edge === '{table}' || edge === '{elements}' || edge === '{properties}';
}

/** Of a path or URL, with either kind of slash. */
function lastName(script: string): string {
  return script.split(/[/\\]/).findLast((part) => part !== '') ?? script;
}

/**
 * Of the last class or function on the way to an object: where to look for
 * what holds it. Node.js's own only where there is nothing else.
 */
export function nearestPlace(steps: readonly StepAnswer[]): PlaceAnswer | null {
  const places = steps.flatMap(({ place }) => (place ? [place] : []));
  return places.findLast(({ script }) => !script.startsWith('node:')) ?? places.at(-1) ?? null;
}

/**
 * The path of a group as a person would write it. It is text only: a group is
 * many objects, and has no steps of its own. Cut and shortened as above.
 * @example readableGroupPath('server.mjs->sessions') // "server.mjs: sessions"
 */
export function readableGroupPath(path: string): string {
  return inFile(path) ?? fromElsewhere(path);
}

/** The engine begins with the file where the variables of one are the beginning. */
function inFile(path: string): string | undefined {
  const [, file, rest] =
    path.match(/^(?!global|system \/|variables |[({])([^{]+?)((?:->|\{extension\}).*)$/s) ?? [];
  if (file === undefined || rest === undefined || file.includes('[x]')) return undefined;
  return `${file}: ${withoutStorage(rest.replace(/^->/, '').replace(EXPORT_CELL, 'export'))}`;
}

const EXPORT_CELL = /^\{extension\}(\[x\])+\{value\}/;

function fromElsewhere(path: string): string {
  const readable = withoutStorage(
    path
      .replace(/^(system \/ NativeContext\{global_object\}|global( \(global\*\))?(?=[.[]|$))/, 'globalThis')
      .replace(/^(?!globalThis).*\{context\}(\{previous\})*->/, '(variable) ')
      .replace(/^\(GC roots\)(\[x\])*->/, '(variable) ')
      .replace(/^.*\[x\]\{value\}/, '(module export)'),
  );
  const variable = readable.lastIndexOf(' -> ');
  const isFar = readable.split(/\.|\[| -> /).length > STEPS_READABLE_MAX || readable.includes('{');
  return variable > 0 && isFar ? `(variable) ${readable.slice(variable + ' -> '.length)}` : readable;
}

function withoutStorage(path: string): string {
  return path.replaceAll('{context}', '').replaceAll('{previous}', '').replaceAll('->', ' -> ');
}
